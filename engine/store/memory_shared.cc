#include "engine/store/memory_shared.h"

namespace canorun::store {
namespace {

// All that ask are this process, which lives.
const Asker kSelf{{}, [](std::string_view) { return true; }};

}  // namespace

std::optional<std::string> MemoryShared::Table::get(std::string_view key) {
  const auto found = entries_.find(key);
  return found != entries_.end() ? std::optional(found->second) : std::nullopt;
}

void MemoryShared::Table::put(std::string_view key, std::string_view value) {
  entries_.insert_or_assign(std::string(key), std::string(value));
}

void MemoryShared::Table::erase(std::string_view key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) entries_.erase(found);
}

std::optional<Entries::Entry> MemoryShared::Table::first(std::string_view prefix, std::string_view from) {
  const auto found = entries_.lower_bound(from);
  if (found == entries_.end() || !found->first.starts_with(prefix)) return std::nullopt;
  return *found;
}

void MemoryShared::ask_breaker(BreakerCall call, Completion<Admission> done) {
  std::unique_lock lock(mutex_);
  auto answer = store::ask_breaker(breakers_, call.key, call.rule, call.time(), kSelf);
  lock.unlock();
  done(std::move(answer));
}

void MemoryShared::tell_breaker(BreakerCall call, policy::Permit permit, policy::CallOutcome outcome,
                                Completion<Millis> done) {
  std::unique_lock lock(mutex_);
  const Millis closed_for = store::tell_breaker(breakers_, call.key, call.rule, permit, outcome, call.time());
  lock.unlock();
  done(closed_for);
}

StoreResult<std::vector<BreakerRecord>> MemoryShared::breakers() const {
  const std::lock_guard lock(mutex_);
  return all_breakers(breakers_);
}

StoreResult<bool> MemoryShared::reset_breaker(std::string_view key) {
  const std::lock_guard lock(mutex_);
  return store::reset_breaker(breakers_, key);
}

void MemoryShared::take_limits(const LimitRequest& request, Completion<LimitAnswer> done) {
  Woken nobody_else;
  std::unique_lock lock(mutex_);
  auto answer = store::take_limits(tables(), request, kSelf, nobody_else);
  lock.unlock();
  done(std::move(answer));
}

StoreResult<void> MemoryShared::leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) {
  Woken nobody_else;
  const std::lock_guard lock(mutex_);
  store::leave_queue(queue_, costs, ticket, nobody_else);
  return {};
}

void MemoryShared::give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) {
  std::unique_lock lock(mutex_);
  Woken nobody_else;
  store::give_back_limits(tables(), costs, taken, nobody_else);
  lock.unlock();
  done({});
}

StoreResult<std::vector<LimitRecord>> MemoryShared::limits() const {
  const std::lock_guard lock(mutex_);
  return all_limits(tables(), kSelf.is_alive);
}

void MemoryShared::erase_own(std::string_view run) {
  const std::lock_guard lock(mutex_);
  for (Table* table : {&breakers_, &windows_, &buckets_}) store::erase_own(*table, run);
}

}  // namespace canorun::store
