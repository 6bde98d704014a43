#include "engine/store/shared_records.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace canorun;
using namespace canorun::store;

namespace {

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
constexpr auto kFar = std::numeric_limits<std::int64_t>::max();
constexpr auto kPast = std::numeric_limits<std::int64_t>::min();

WallTime wall(std::int64_t millis) { return WallTime(Millis(millis)); }
SteadyTime steady(std::int64_t nanos) { return SteadyTime(std::chrono::nanoseconds(nanos)); }

std::vector<StoredBreaker> breakers() {
  using policy::BreakerPhase;
  return {
      {},
      {{1, Millis{0}, 1}, {BreakerPhase::kOpen, 7, 0, 0, wall(-1), 3, {}}},
      {{UINT32_MAX, Millis{kFar}, UINT32_MAX},
       {BreakerPhase::kHalfOpen,
        kMost,
        UINT32_MAX,
        UINT32_MAX,
        wall(kPast),
        kMost,
        {{0, ""}, {kMost, std::string(1'000, 'o')}, {5, std::string("\0\xff", 2)}}}},
  };
}

std::vector<StoredLimit> limits() {
  using policy::Bucket;
  using policy::BucketState;
  using policy::Window;
  using policy::WindowState;
  const std::int64_t most = policy::kMostCalls;
  return {
      {Bucket{}, BucketState{}},
      {Bucket{20, Millis{1'000}, 5}, BucketState{3, 77, steady(-5)}},
      {Bucket{most, policy::kLongestWait, most}, BucketState{kFar, kPast, steady(kFar)}},
      {Window{}, WindowState{}},
      {Window{most, policy::kLongestWait}, WindowState{wall(kPast), kFar}},
  };
}

bool same(const StoredBreaker& a, const StoredBreaker& b) { return a.rule == b.rule && a.state == b.state; }
bool same(const StoredLimit& a, const StoredLimit& b) { return a.rule == b.rule && a.state == b.state; }

// 8 bytes each.
std::string numbers(const std::vector<std::int64_t>& values) {
  std::string bytes;
  for (const std::int64_t value : values) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xFF);
  }
  return bytes;
}

// Any of the three may be asked for any bytes.
void decode_all(std::string_view bytes) {
  (void)decode_breaker(bytes);
  (void)decode_limit(bytes);
  (void)decode_place(bytes);
}

}  // namespace

TEST_CASE("a breaker comes back from its bytes as it was") {
  for (const StoredBreaker& breaker : breakers()) {
    const auto back = decode_breaker(encode(breaker));
    REQUIRE(back);
    CHECK(same(*back, breaker));
  }
}

TEST_CASE("a limit comes back from its bytes as it was") {
  for (const StoredLimit& limit : limits()) {
    const auto back = decode_limit(encode(limit));
    REQUIRE(back);
    CHECK(same(*back, limit));
  }
}

TEST_CASE("a place in a queue comes back from its bytes as it was") {
  for (const QueuePlace& place :
       {QueuePlace{}, QueuePlace{"1-00000000000000aa", 2 * policy::kMostCalls}, QueuePlace{std::string("\0", 1), 7}}) {
    const auto back = decode_place(encode(place));
    REQUIRE(back);
    CHECK(back->owner == place.owner);
    CHECK(back->cost == place.cost);
  }
}

TEST_CASE("the bytes are as they are described") {
  CHECK(encode(StoredBreaker{{3, Millis{30'000}, 2},
                             {policy::BreakerPhase::kHalfOpen, 4, 1, 1, wall(99), 6, {{5, "ab"}}}}) ==
        numbers({1, 3, 30'000, 2, 2, 4, 1, 1, 99, 6, 1, 5, 2}) + "ab");
  CHECK(encode(StoredLimit{policy::Bucket{20, Millis{1'000}, 5}, policy::BucketState{3, 77, steady(-5)}}) ==
        numbers({1, 0, 20, 1'000, 5, 3, 77, -5}));
  CHECK(encode(StoredLimit{policy::Window{500, Millis{9}}, policy::WindowState{wall(-2), 8}}) ==
        numbers({1, 1, 500, 9, -2, 8}));
  CHECK(encode(QueuePlace{"ab", 7}) == numbers({1, 7, 2}) + "ab");
}

TEST_CASE("bytes that are cut, longer, or of another version are none") {
  const auto check = [](const std::string& bytes, const auto& decode) {
    REQUIRE(decode(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(!decode(bytes.substr(0, size)));
    CHECK(!decode(bytes + '\0'));
    CHECK(!decode(numbers({2}) + bytes.substr(8)));
    CHECK(!decode(numbers({kPast}) + bytes.substr(8)));
  };
  for (const StoredBreaker& breaker : breakers()) check(encode(breaker), decode_breaker);
  for (const StoredLimit& limit : limits()) check(encode(limit), decode_limit);
  check(encode(QueuePlace{"owner", 3}), decode_place);
}

TEST_CASE("a rule that nobody can have written is none, as what is shown is computed with it") {
  const std::vector<std::int64_t> state{0, 0, 0, 0, 0, 0, 0};
  const auto breaker = [&](std::vector<std::int64_t> rule) {
    rule.insert(rule.begin(), 1);
    rule.insert(rule.end(), state.begin(), state.end());
    return decode_breaker(numbers(rule)).has_value();
  };
  CHECK(breaker({1, 0, 1}));
  CHECK(!breaker({0, 0, 1}));
  CHECK(!breaker({1, -1, 1}));
  CHECK(!breaker({1, 0, 0}));
  CHECK(!breaker({1LL << 32, 0, 1}));
  const std::int64_t century = policy::kLongestWait.count();
  const std::int64_t most = policy::kMostCalls;
  const auto bucket = [&](std::int64_t tokens, std::int64_t per, std::int64_t burst) {
    return decode_limit(numbers({1, 0, tokens, per, burst, 0, 0, 0})).has_value();
  };
  CHECK(bucket(1, 1, 0));
  CHECK(!bucket(0, 1, 0));
  CHECK(!bucket(most + 1, 1, 0));
  CHECK(!bucket(1, 0, 0));
  CHECK(!bucket(1, century + 1, 0));
  CHECK(!bucket(1, 1, -1));
  CHECK(!bucket(1, 1, most + 1));
  const auto window = [&](std::int64_t limit, std::int64_t length) {
    return decode_limit(numbers({1, 1, limit, length, 0, 0})).has_value();
  };
  CHECK(window(1, 1));
  CHECK(!window(0, 1));
  CHECK(!window(most + 1, 1));
  CHECK(!window(1, 0));
  CHECK(!window(1, century + 1));
  CHECK(!decode_limit(numbers({1, 2, 1, 1, 0, 0})));
  CHECK(!decode_breaker(numbers({1, 1, 0, 1, 3, 0, 0, 0, 0, 0, 0})));
  for (const std::int64_t cost : {std::int64_t{0}, std::int64_t{-1}, kPast, 2 * most + 1}) {
    CHECK(!decode_place(numbers({1, cost, 0})));
  }
}

TEST_CASE("any bytes may be asked for") {
  std::mt19937_64 random(7);
  std::vector<std::string> seeds;
  for (const StoredBreaker& breaker : breakers()) seeds.push_back(encode(breaker));
  for (const StoredLimit& limit : limits()) seeds.push_back(encode(limit));
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = seeds[random() % seeds.size()];
    for (std::uint64_t changes = random() % 8; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    }
    bytes.resize(random() % (bytes.size() + 16));
    decode_all(bytes);
  }
}
