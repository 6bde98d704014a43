// What runs share inside one process that keeps nothing.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "engine/store/shared_desk.h"

namespace canorun::store {

/// Everything completes before the call returns.
class MemoryShared final : public SharedState {
 public:
  void ask_breaker(BreakerCall call, Completion<Admission> done) override;
  void tell_breaker(BreakerCall call, policy::Permit permit, policy::CallOutcome outcome,
                    Completion<Millis> done) override;
  StoreResult<std::vector<BreakerRecord>> breakers() const override;
  StoreResult<bool> reset_breaker(std::string_view key) override;
  void take_limits(const LimitRequest& request, Completion<LimitAnswer> done) override;
  StoreResult<void> leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) override;
  void give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) override;
  StoreResult<std::vector<LimitRecord>> limits() const override;
  /// A run's own breakers and limits go with it.
  void erase_own(std::string_view run);

 private:
  class Table final : public Entries {
   public:
    std::optional<std::string> get(std::string_view key) override;
    void put(std::string_view key, std::string_view value) override;
    void erase(std::string_view key) override;
    std::optional<Entry> first(std::string_view prefix, std::string_view from) override;

   private:
    std::map<std::string, std::string, std::less<>> entries_;
  };

  LimitTables tables() const { return {&windows_, &buckets_, &queue_}; }

  mutable std::mutex mutex_;
  mutable Table breakers_;
  mutable Table windows_;
  mutable Table buckets_;
  mutable Table queue_;
};

}  // namespace canorun::store
