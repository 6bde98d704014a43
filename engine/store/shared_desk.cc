#include "engine/store/shared_desk.h"

#include <algorithm>

#include "engine/store/shared_records.h"

namespace canorun::store {
namespace {

constexpr char kOwn = '/';  // stands in no name and in no run's id
// The one entry beside the buckets; no key of a limit begins like it.
constexpr std::string_view kLastTicket{"\0ticket", 7};
constexpr std::size_t kNumber = 8;

std::string number_key(std::uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((number >> shift) & 0xFF);
  return bytes;
}

std::uint64_t number_from(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, kNumber)) number = (number << 8) | static_cast<unsigned char>(byte);
  return number;
}

std::string queue_of(std::string_view limit) { return std::string(limit) + '\0'; }

Ticket ticket_of(const Entries::Entry& place) { return number_from(place.first.substr(place.first.size() - kNumber)); }

StoredBreaker breaker_at(Entries& breakers, std::string_view key, const policy::BreakerRule& rule) {
  const auto bytes = breakers.get(key);
  auto stored = bytes ? decode_breaker(*bytes) : std::nullopt;
  // What cannot be read is as good as new: to let a call through is what nobody would have stopped without it.
  if (!stored) stored.emplace();
  stored->rule = rule;
  return std::move(*stored);
}

StoredLimit limit_at(const LimitTables& tables, const LimitCost& cost) {
  const bool window = std::holds_alternative<policy::Window>(cost.rule);
  const auto bytes = (window ? tables.windows : tables.buckets)->get(cost.key);
  auto stored = bytes ? decode_limit(*bytes) : std::nullopt;
  if (stored && stored->rule.index() == cost.rule.index()) {
    stored->rule = cost.rule;
    return std::move(*stored);
  }
  if (window) return {cost.rule, policy::WindowState{}};
  return {cost.rule, policy::BucketState{}};
}

void put(const LimitTables& tables, std::string_view key, const StoredLimit& limit) {
  const bool window = std::holds_alternative<policy::Window>(limit.rule);
  (window ? tables.windows : tables.buckets)->put(key, encode(limit));
}

Millis time_until(const StoredLimit& limit, const Moment& now, std::int64_t cost) {
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    return policy::time_until(*bucket, std::get<policy::BucketState>(limit.state), now.steady, cost);
  }
  return policy::time_until(std::get<policy::Window>(limit.rule), std::get<policy::WindowState>(limit.state), now.wall,
                            cost);
}

// The same behind others whose calls cost `ahead`: a guess, as these may still go away.
Millis time_until(const StoredLimit& limit, const Moment& now, std::int64_t cost, std::int64_t ahead) {
  const std::int64_t most = policy::capacity(limit.rule);
  const std::int64_t all = std::min(ahead, policy::kMostCalls * 4) + cost;
  const std::int64_t beyond = std::max<std::int64_t>(0, all - most);
  const Millis soonest = time_until(limit, now, std::min(all, most));
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    const double rate = static_cast<double>(bucket->per.count()) / static_cast<double>(bucket->tokens);
    return soonest + Millis(static_cast<std::int64_t>(static_cast<double>(beyond) * rate));
  }
  const auto& window = std::get<policy::Window>(limit.rule);
  return soonest + window.window * ((beyond + window.limit - 1) / window.limit);
}

// Those who stand in the queue before `ticket` (all, without one). The dead that stand first are sent away.
struct Ahead {
  bool any = false;
  std::int64_t cost = 0;
};
Ahead ahead_in(Entries& queue, std::string_view limit, std::optional<Ticket> ticket, const Asker& asker,
               bool count_all) {
  Ahead ahead;
  const std::string prefix = queue_of(limit);
  std::string from = prefix;
  for (auto place = queue.first(prefix, from); place; place = queue.first(prefix, from)) {
    if (ticket && ticket_of(*place) >= *ticket) break;
    const auto who = decode_place(place->second);
    if (!who || !asker.is_alive(who->owner)) {
      queue.erase(place->first);
    } else {
      ahead.any = true;
      ahead.cost += who->cost;
      if (!count_all) break;
    }
    from = place->first + '\0';
  }
  return ahead;
}

void wake_first(Entries& queue, std::string_view limit, Woken& woken) {
  const std::string prefix = queue_of(limit);
  const auto place = queue.first(prefix, prefix);
  if (const auto who = place ? decode_place(place->second) : std::nullopt) woken.insert(who->owner);
}

Ticket stand_in(const LimitTables& tables, const LimitRequest& request, const std::string& owner) {
  const auto last = tables.buckets->get(kLastTicket);
  const Ticket ticket = (last ? number_from(*last) : 0) + 1;
  tables.buckets->put(kLastTicket, number_key(ticket));
  for (const LimitCost& cost : request.costs) {
    tables.queue->put(queue_of(cost.key) + number_key(ticket), encode(QueuePlace{owner, cost.cost}));
  }
  return ticket;
}

// A clock that was set back must not make a window last longer.
void follow_clock(const LimitTables& tables, std::string_view key, StoredLimit& limit, const Moment& now) {
  auto* const window = std::get_if<policy::WindowState>(&limit.state);
  if (window != nullptr && policy::follow_clock(*window, now.wall)) put(tables, key, limit);
}

void take(StoredLimit& limit, const Moment& now, std::int64_t cost) {
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    policy::take(*bucket, std::get<policy::BucketState>(limit.state), now.steady, cost);
  } else {
    policy::take(std::get<policy::Window>(limit.rule), std::get<policy::WindowState>(limit.state), now.wall, cost);
  }
}

void for_each(Entries& table, std::string_view prefix, const std::function<void(const Entries::Entry&)>& take) {
  std::string from(prefix);
  for (auto entry = table.first(prefix, from); entry; entry = table.first(prefix, from)) {
    take(*entry);
    from = entry->first + '\0';
  }
}

}  // namespace

std::string own_name(std::string_view run, std::string_view name) {
  std::string key(run);
  key += kOwn;
  key += name;
  return key;
}

std::string_view owner_run(std::string_view key) {
  const auto at = key.find(kOwn);
  return at == std::string_view::npos ? std::string_view() : key.substr(0, at);
}

std::string_view plain_name(std::string_view key) {
  const auto at = key.find(kOwn);
  return at == std::string_view::npos ? key : key.substr(at + 1);
}

std::optional<Admission> look_at_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                                         WallTime now) {
  StoredBreaker stored = breaker_at(breakers, key, rule);
  switch (stored.state.phase) {
    case policy::BreakerPhase::kClosed: return policy::acquire(rule, stored.state, now, {});
    case policy::BreakerPhase::kOpen: {
      if (stored.state.opened_at > now) return std::nullopt;  // the clock was set back
      const Millis left = policy::time_to_half_open(rule, stored.state, now);
      return left > Millis{0} ? std::optional<Admission>(std::unexpected(left)) : std::nullopt;
    }
    case policy::BreakerPhase::kHalfOpen: return std::nullopt;
  }
  return std::nullopt;
}

Admission ask_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule, WallTime now,
                      const Asker& asker) {
  StoredBreaker stored = breaker_at(breakers, key, rule);
  const policy::BreakerState before = stored.state;
  auto permit = policy::acquire(rule, stored.state, now, asker.owner);
  if (!permit && stored.state.phase == policy::BreakerPhase::kHalfOpen) {
    policy::give_back_trials(stored.state, [&](std::string_view owner) { return !asker.is_alive(owner); });
    permit = policy::acquire(rule, stored.state, now, asker.owner);
  }
  if (stored.state != before) breakers.put(key, encode(stored));
  return permit;
}

bool changes_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                     const policy::Permit& permit, policy::CallOutcome outcome, WallTime now) {
  StoredBreaker stored = breaker_at(breakers, key, rule);
  const policy::BreakerState before = stored.state;
  policy::record(rule, stored.state, permit, outcome, now);
  return stored.state != before;
}

Millis tell_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                    const policy::Permit& permit, policy::CallOutcome outcome, WallTime now) {
  StoredBreaker stored = breaker_at(breakers, key, rule);
  const policy::BreakerState before = stored.state;
  policy::record(rule, stored.state, permit, outcome, now);
  if (stored.state != before) breakers.put(key, encode(stored));
  return policy::time_to_half_open(rule, stored.state, now);
}

bool reset_breaker(Entries& breakers, std::string_view key) {
  const auto bytes = breakers.get(key);
  if (!bytes) return false;
  StoredBreaker stored = decode_breaker(*bytes).value_or(StoredBreaker{});
  // Another epoch: what was under way says nothing about what the person has mended.
  const std::uint64_t epoch = stored.state.epoch + 1;
  stored.state = {};
  stored.state.epoch = epoch;
  breakers.put(key, encode(stored));
  return true;
}

std::vector<BreakerRecord> all_breakers(Entries& breakers) {
  std::vector<BreakerRecord> records;
  for_each(breakers, {}, [&](const Entries::Entry& entry) {
    if (auto stored = decode_breaker(entry.second)) records.push_back({entry.first, stored->rule, stored->state});
  });
  return records;
}

bool has_windows(const std::vector<LimitCost>& costs) {
  return std::ranges::any_of(costs,
                             [](const LimitCost& cost) { return std::holds_alternative<policy::Window>(cost.rule); });
}

LimitAnswer take_limits(const LimitTables& tables, const LimitRequest& request, const Asker& asker, Woken& woken) {
  std::vector<StoredLimit> limits;
  LimitWait wait{.ticket = request.ticket};
  bool fails = false;
  for (const LimitCost& cost : request.costs) {
    limits.push_back(limit_at(tables, cost));
    follow_clock(tables, cost.key, limits.back(), request.now);
    const Ahead ahead = ahead_in(*tables.queue, cost.key, request.ticket, asker, cost.fails);
    const Millis time = time_until(limits.back(), request.now, cost.cost, ahead.cost);
    if (ahead.any) wait.is_first = false;
    if (wait.limit.empty() || time > wait.time) wait.limit = cost.key;
    wait.time = std::max(wait.time, time);
    fails = fails || (cost.fails && (ahead.any || time > Millis{0}));
  }
  const bool passes = wait.is_first && wait.time == Millis{0};
  if (!passes && !fails) {
    if (!wait.ticket) wait.ticket = stand_in(tables, request, asker.owner);
    return wait;
  }
  if (request.ticket) leave_queue(*tables.queue, request.costs, *request.ticket, woken);
  if (fails) {
    wait.ticket.reset();
    return wait;
  }
  for (std::size_t i = 0; i < limits.size(); ++i) {
    take(limits[i], request.now, request.costs[i].cost);
    put(tables, request.costs[i].key, limits[i]);
  }
  return LimitTaken{};
}

void leave_queue(Entries& queue, const std::vector<LimitCost>& costs, Ticket ticket, Woken& woken) {
  for (const LimitCost& cost : costs) {
    queue.erase(queue_of(cost.key) + number_key(ticket));
    wake_first(queue, cost.key, woken);
  }
}

void give_back_limits(const LimitTables& tables, const std::vector<LimitCost>& costs, const Moment& taken) {
  for (const LimitCost& cost : costs) {
    StoredLimit limit = limit_at(tables, cost);
    if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
      policy::give_back(*bucket, std::get<policy::BucketState>(limit.state), taken.steady, cost.cost);
    } else {
      policy::give_back(std::get<policy::Window>(limit.rule), std::get<policy::WindowState>(limit.state), taken.wall,
                        cost.cost);
    }
    put(tables, cost.key, limit);
  }
}

std::vector<LimitRecord> all_limits(const LimitTables& tables) {
  std::vector<LimitRecord> records;
  const auto add = [&](const Entries::Entry& entry) {
    if (entry.first == kLastTicket) return;
    const auto stored = decode_limit(entry.second);
    if (!stored) return;
    LimitRecord record{entry.first, stored->rule, stored->state};
    if (tables.queue != nullptr) {
      for_each(*tables.queue, queue_of(entry.first), [&](const Entries::Entry&) { ++record.waiting; });
    }
    records.push_back(std::move(record));
  };
  if (tables.buckets != nullptr) for_each(*tables.buckets, {}, add);
  if (tables.windows != nullptr) for_each(*tables.windows, {}, add);
  std::ranges::sort(records, {}, &LimitRecord::key);
  return records;
}

void erase_own(Entries& table, std::string_view run) {
  const std::string prefix = own_name(run, {});
  while (const auto entry = table.first(prefix, prefix)) table.erase(entry->first);
}

}  // namespace canorun::store
