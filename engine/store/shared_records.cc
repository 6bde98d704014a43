#include "engine/store/shared_records.h"

#include <algorithm>
#include <chrono>

#include "engine/store/big_endian.h"

namespace canorun::store {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kBucket = 0;
constexpr std::uint64_t kWindow = 1;

// Numbers are 8 bytes, big-endian; a text comes behind its length.
class Packer {
 public:
  Packer() { number(kVersion); }
  void number(std::uint64_t value) { bytes_ += number_bytes(value); }
  void signed_number(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void time(WallTime value) { signed_number(value.time_since_epoch().count()); }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) { bad_ = number() != kVersion; }
  std::uint64_t number() {
    if (bytes_.size() < kNumberSize) {
      bad_ = true;
      return 0;
    }
    const std::uint64_t value = number_from(bytes_);
    bytes_.remove_prefix(kNumberSize);
    return value;
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number()); }
  std::uint32_t small() {
    const std::uint64_t value = number();
    if (value > UINT32_MAX) bad_ = true;
    return static_cast<std::uint32_t>(value);
  }
  WallTime time() { return WallTime(Millis(signed_number())); }
  std::string text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) {
      bad_ = true;
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  /// All was read, and nothing is left.
  bool whole() const { return !bad_ && bytes_.empty(); }
  bool bad() const { return bad_; }

 private:
  std::string_view bytes_;
  bool bad_ = false;
};

bool is_count(std::int64_t number, std::int64_t least) { return number >= least && number <= policy::kMostCalls; }
bool is_time(Millis time) { return time > Millis{0} && time <= policy::kLongestWait; }

// No other was ever written: what is shown of it is computed with it.
bool is_sound(const policy::LimitRule& rule) {
  if (const auto* window = std::get_if<policy::Window>(&rule)) {
    return is_count(window->limit, 1) && is_time(window->window);
  }
  const auto& bucket = std::get<policy::Bucket>(rule);
  return is_count(bucket.tokens, 1) && is_time(bucket.per) && is_count(bucket.burst, 0);
}

}  // namespace

std::string encode(const StoredBreaker& breaker) {
  const auto& [rule, state] = breaker;
  Packer packer;
  packer.number(rule.failure_threshold);
  packer.signed_number(rule.reset_timeout.count());
  packer.number(rule.half_open_max_calls);
  packer.number(static_cast<std::uint64_t>(state.phase));
  packer.number(state.epoch);
  packer.number(state.failures);
  packer.number(state.successes);
  packer.time(state.opened_at);
  packer.number(state.next_trial);
  packer.number(state.trials.size());
  for (const policy::Trial& trial : state.trials) {
    packer.number(trial.number);
    packer.text(trial.owner);
  }
  return packer.take();
}

std::optional<StoredBreaker> decode_breaker(std::string_view bytes) {
  Unpacker from(bytes);
  StoredBreaker breaker;
  auto& [rule, state] = breaker;
  rule.failure_threshold = from.small();
  rule.reset_timeout = Millis(from.signed_number());
  rule.half_open_max_calls = from.small();
  const std::uint64_t phase = from.number();
  state.phase = static_cast<policy::BreakerPhase>(std::min<std::uint64_t>(phase, 2));
  state.epoch = from.number();
  state.failures = from.small();
  state.successes = from.small();
  state.opened_at = from.time();
  state.next_trial = from.number();
  for (std::uint64_t left = from.number(); left > 0 && !from.bad(); --left) {
    const std::uint64_t number = from.number();
    state.trials.push_back({number, from.text()});
  }
  const bool sound = rule.failure_threshold > 0 && rule.reset_timeout >= Millis{0} && rule.half_open_max_calls > 0;
  return from.whole() && phase <= 2 && sound ? std::optional(std::move(breaker)) : std::nullopt;
}

std::string encode(const StoredLimit& limit) {
  Packer packer;
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    const auto& state = std::get<policy::BucketState>(limit.state);
    packer.number(kBucket);
    packer.signed_number(bucket->tokens);
    packer.signed_number(bucket->per.count());
    packer.signed_number(bucket->burst);
    packer.signed_number(state.missing);
    packer.signed_number(state.part);
    packer.signed_number(std::chrono::nanoseconds(state.at.time_since_epoch()).count());
  } else {
    const auto& window = std::get<policy::Window>(limit.rule);
    const auto& state = std::get<policy::WindowState>(limit.state);
    packer.number(kWindow);
    packer.signed_number(window.limit);
    packer.signed_number(window.window.count());
    packer.time(state.opened_at);
    packer.signed_number(state.used);
  }
  return packer.take();
}

std::optional<StoredLimit> decode_limit(std::string_view bytes) {
  Unpacker from(bytes);
  StoredLimit limit;
  const std::uint64_t kind = from.number();
  if (kind == kBucket) {
    policy::Bucket rule;
    policy::BucketState state;
    rule.tokens = from.signed_number();
    rule.per = Millis(from.signed_number());
    rule.burst = from.signed_number();
    state.missing = from.signed_number();
    state.part = from.signed_number();
    state.at = SteadyTime(std::chrono::nanoseconds(from.signed_number()));
    limit = {rule, state};
  } else {
    policy::Window rule;
    policy::WindowState state;
    rule.limit = from.signed_number();
    rule.window = Millis(from.signed_number());
    state.opened_at = from.time();
    state.used = from.signed_number();
    limit = {rule, state};
  }
  return from.whole() && kind <= kWindow && is_sound(limit.rule) ? std::optional(std::move(limit)) : std::nullopt;
}

std::string encode(const QueuePlace& place) {
  Packer packer;
  packer.signed_number(place.cost);
  packer.text(place.owner);
  return packer.take();
}

std::optional<QueuePlace> decode_place(std::string_view bytes) {
  Unpacker from(bytes);
  QueuePlace place;
  place.cost = from.signed_number();
  place.owner = from.text();
  const bool sound = place.cost > 0 && place.cost <= 2 * policy::kMostCalls;
  return from.whole() && sound ? std::optional(std::move(place)) : std::nullopt;
}

}  // namespace canorun::store
