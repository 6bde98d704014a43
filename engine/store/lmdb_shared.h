// What runs share in every process that has the store open: in its own environment, and in one that is lost when the
// machine goes down.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "engine/store/lmdb_env.h"
#include "engine/store/lmdb_writer.h"
#include "engine/store/owners.h"
#include "engine/store/shared_desk.h"

namespace canorun::store {

/// Part of an LmdbStore, which lends it what it is given. What is written is written by the store's thread, but for
/// what only buckets and queues need: that is done at once.
class LmdbShared final : public SharedState {
 public:
  LmdbShared(const std::string& folder, LmdbEnv& env, LmdbWriter& writer, Owners& owners)
      : folder_(folder + "/limits"), env_(env), writer_(writer), owners_(owners) {}

  void ask_breaker(BreakerCall call, Completion<Admission> done) override;
  void tell_breaker(BreakerCall call, policy::Permit permit, policy::CallOutcome outcome,
                    Completion<Millis> done) override;
  StoreResult<std::vector<BreakerRecord>> breakers() const override;
  StoreResult<bool> reset_breaker(std::string_view key) override;
  void take_limits(const LimitRequest& request, Completion<LimitAnswer> done) override;
  StoreResult<void> leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) override;
  void give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) override;
  StoreResult<std::vector<LimitRecord>> limits() const override;
  /// How many folders of earlier boots are there. `removes`: and no longer are.
  std::uint64_t earlier_boots(bool removes) const;
  /// A run's own breakers and limits go with it.
  void erase_own(Txn& txn, std::string_view run) const;

 private:
  /// The environment of this boot, made when it is first needed. What earlier boots left is removed, never opened:
  /// without sync, a power cut may have left it corrupt.
  StoreResult<LmdbEnv*> passing() const;
  StoreResult<std::string> passing_folder() const;
  /// Somebody has made it since the machine was started.
  bool has_passing() const;
  StoreResult<Asker> asker() const;
  /// Who only looks waits for nobody.
  enum class Access : std::uint8_t { kLook, kChange };
  /// Does `work` in a transaction of the passing environment; `windows` is the kept one's, or null. Of damage it says
  /// that nothing else has any.
  StoreResult<void> in_passing(Access access, Entries* windows,
                               const std::function<void(const LimitTables&)>& work) const;
  StoreResult<LimitAnswer> take(Entries* windows, const LimitRequest& request) const;
  StoreResult<void> give_back(Entries* windows, const std::vector<LimitCost>& costs, Moment taken) const;
  /// What a request left in passing with this answer is undone, or used when it is made again.
  void take_back(LimitRequest& request, const LimitAnswer& answer) const;
  void wake(const Woken& woken) const;
  void wake_others(const Woken& woken) const;

  std::string folder_;
  LmdbEnv& env_;
  LmdbWriter& writer_;
  Owners& owners_;
  mutable std::mutex mutex_;  ///< the making of:
  mutable std::unique_ptr<LmdbEnv> passing_;
};

}  // namespace canorun::store
