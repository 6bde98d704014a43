#include "engine/store/shared_desk.h"

#include <algorithm>

#include "engine/store/big_endian.h"
#include "engine/store/shared_records.h"

namespace canorun::store {
namespace {

constexpr char kOwn = '/';  // stands in no name and in no run's id
// The one entry beside the buckets; no key of a limit begins like it.
constexpr std::string_view kLastTicket{"\0ticket", 7};

std::string queue_of(std::string_view limit) { return std::string(limit) + '\0'; }

// In the queue that begins with `prefix`.
bool is_place(const Entries::Entry& place, std::string_view prefix) {
  return place.first.size() == prefix.size() + kNumberSize;
}

Ticket ticket_of(const Entries::Entry& place) {
  return number_from(place.first.substr(place.first.size() - kNumberSize));
}

// None: nobody who lives.
std::optional<QueuePlace> who_stands(const Entries::Entry& place, std::string_view prefix, const IsAlive& is_alive) {
  auto who = is_place(place, prefix) ? decode_place(place.second) : std::nullopt;
  return who && is_alive(who->owner) ? std::move(who) : std::nullopt;
}

// Who asks may have waited for others that read the clock later: only what is longer ago is a clock that was set back.
WallTime not_before(WallTime now, WallTime last) {
  constexpr Millis kLongestTurn{10'000};
  return last > now && last <= now + kLongestTurn ? last : now;
}

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

Millis time_until(const StoredLimit& limit, const Moment& now, std::int64_t cost, policy::Ahead ahead) {
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    return policy::time_until(*bucket, std::get<policy::BucketState>(limit.state), now.steady, cost, ahead);
  }
  return policy::time_until(std::get<policy::Window>(limit.rule), std::get<policy::WindowState>(limit.state), now.wall,
                            cost, ahead);
}

// Those who stand in the queue before `ticket` (all, without one), or only the first of them. The dead that stand first
// are sent away.
struct Before {
  bool any = false;
  std::vector<std::int64_t> costs;
};
Before before_in(Entries& queue, std::string_view limit, std::optional<Ticket> ticket, const Asker& asker,
                 bool count_all) {
  Before before;
  const std::string prefix = queue_of(limit);
  std::string from = prefix;
  for (auto place = queue.first(prefix, from); place; place = queue.first(prefix, from)) {
    if (ticket && is_place(*place, prefix) && ticket_of(*place) >= *ticket) break;
    if (const auto who = who_stands(*place, prefix, asker.is_alive)) {
      before.any = true;
      before.costs.push_back(who->cost);
      if (!count_all) break;
    } else {
      queue.erase(place->first);
    }
    from = place->first + '\0';
  }
  return before;
}

void wake_first(Entries& queue, std::string_view limit, Woken& woken) {
  const std::string prefix = queue_of(limit);
  const auto place = queue.first(prefix, prefix);
  if (const auto who = place ? decode_place(place->second) : std::nullopt) woken.insert(who->owner);
}

Ticket next_ticket(Entries& buckets) {
  const auto last = buckets.get(kLastTicket);
  const Ticket ticket = (last ? number_from(*last) : 0) + 1;
  buckets.put(kLastTicket, number_bytes(ticket));
  return ticket;
}

// A place that is gone, as somebody took its owner for dead, is taken again.
Ticket stand_in(const LimitTables& tables, const LimitRequest& request, const std::string& owner) {
  const Ticket ticket = request.ticket ? *request.ticket : next_ticket(*tables.buckets);
  for (const LimitCost& cost : request.costs) {
    const std::string place = queue_of(cost.key) + number_bytes(ticket);
    if (!tables.queue->get(place)) tables.queue->put(place, encode(QueuePlace{owner, cost.cost}));
  }
  return ticket;
}

WallTime not_before(WallTime now, const StoredLimit& limit) {
  const auto* const window = std::get_if<policy::WindowState>(&limit.state);
  return window != nullptr && window->used > 0 ? not_before(now, window->opened_at) : now;
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
  now = not_before(now, stored.state.opened_at);
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
  now = not_before(now, before.opened_at);
  auto permit = policy::acquire(rule, stored.state, now, asker.owner);
  if (!permit && stored.state.phase == policy::BreakerPhase::kHalfOpen) {
    policy::give_back_trials(stored.state, [&](std::string_view owner) { return !asker.is_alive(owner); });
    permit = policy::acquire(rule, stored.state, now, asker.owner);
  }
  if (stored.state != before) breakers.put(key, encode(stored));
  return permit;
}

std::optional<Millis> look_at_outcome(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                                      const policy::Permit& permit, policy::CallOutcome outcome, WallTime now) {
  StoredBreaker stored = breaker_at(breakers, key, rule);
  const policy::BreakerState before = stored.state;
  policy::record(rule, stored.state, permit, outcome, now);
  if (stored.state != before) return std::nullopt;
  return policy::time_to_half_open(rule, stored.state, now);
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
  Moment now = request.time();
  for (const LimitCost& cost : request.costs)
    now.wall = not_before(now.wall, limits.emplace_back(limit_at(tables, cost)));
  LimitWait wait;
  bool fails = false;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const LimitCost& cost = request.costs[i];
    follow_clock(tables, cost.key, limits[i], now);
    const Before before = before_in(*tables.queue, cost.key, request.ticket, asker, cost.fails);
    const Millis time = time_until(limits[i], now, cost.cost, before.costs);
    if (!before.any && time == Millis{0}) continue;
    if (before.any) wait.is_first = false;
    if (wait.limit.empty() || time > wait.time) wait.limit = cost.key;
    wait.time = std::max(wait.time, time);
    fails = fails || cost.fails;
  }
  if (!wait.limit.empty() && !fails) {
    wait.ticket = stand_in(tables, request, asker.owner);
    return wait;
  }
  if (request.ticket) leave_queue(*tables.queue, request.costs, *request.ticket, woken);
  if (fails) return wait;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    take(limits[i], now, request.costs[i].cost);
    put(tables, request.costs[i].key, limits[i]);
  }
  return LimitTaken{now};
}

void leave_queue(Entries& queue, const std::vector<LimitCost>& costs, Ticket ticket, Woken& woken) {
  for (const LimitCost& cost : costs) {
    queue.erase(queue_of(cost.key) + number_bytes(ticket));
    wake_first(queue, cost.key, woken);
  }
}

void give_back_limits(const LimitTables& tables, const std::vector<LimitCost>& costs, const Moment& taken,
                      Woken& woken) {
  for (const LimitCost& cost : costs) {
    StoredLimit limit = limit_at(tables, cost);
    if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
      policy::give_back(*bucket, std::get<policy::BucketState>(limit.state), taken.steady, cost.cost);
    } else {
      policy::give_back(std::get<policy::Window>(limit.rule), std::get<policy::WindowState>(limit.state), taken.wall,
                        cost.cost);
    }
    put(tables, cost.key, limit);
    wake_first(*tables.queue, cost.key, woken);
  }
}

std::vector<LimitRecord> all_limits(const LimitTables& tables, const IsAlive& is_alive) {
  std::vector<LimitRecord> records;
  const auto add = [&](const Entries::Entry& entry) {
    if (entry.first == kLastTicket) return;
    const auto stored = decode_limit(entry.second);
    if (!stored) return;
    LimitRecord record{entry.first, stored->rule, stored->state};
    const std::string prefix = queue_of(entry.first);
    if (tables.queue == nullptr) return records.push_back(std::move(record));
    for_each(*tables.queue, prefix, [&](const Entries::Entry& place) {
      if (who_stands(place, prefix, is_alive)) ++record.waiting;
    });
    records.push_back(std::move(record));
  };
  if (tables.buckets != nullptr) for_each(*tables.buckets, {}, add);
  for_each(*tables.windows, {}, add);
  std::ranges::sort(records, {}, &LimitRecord::key);
  return records;
}

void erase_own(Entries& table, std::string_view run) {
  const std::string prefix = own_name(run, {});
  while (const auto entry = table.first(prefix, prefix)) table.erase(entry->first);
}

}  // namespace canorun::store
