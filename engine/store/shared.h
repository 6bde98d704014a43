// What runs share, in every process that uses the store: breakers and rate limits.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/policy/breaker.h"
#include "engine/policy/limiter.h"
#include "engine/store/result.h"

namespace canorun::store {

/// The name of what is a run's own (`scope: run`) in the store; it goes with the run.
std::string own_name(std::string_view run, std::string_view name);
/// The run of such a name; empty: it is everybody's.
std::string_view owner_run(std::string_view key);
/// The name as the flow has it.
std::string_view plain_name(std::string_view key);

/// A breaker asks for a trial, or refuses for so long (0: until a trial that is under way has ended).
using Admission = std::expected<policy::Permit, Millis>;

/// A question to a breaker, or what one is told.
struct BreakerCall {
  std::string key;
  policy::BreakerRule rule;
  WallTime now{};
  const Clock* clock = nullptr;  ///< read anew when it is this call's turn, which may take long; outlives it

  WallTime time() const { return clock != nullptr ? clock->now() : now; }
};

struct BreakerRecord {
  std::string key;
  policy::BreakerRule rule;  ///< of who changed it last
  policy::BreakerState state;
};

/// What one call takes of one limit.
struct LimitCost {
  std::string key;
  policy::LimitRule rule;
  std::int64_t cost = 1;  ///< 1 to the capacity
  bool fails = false;     ///< who would have to wait for it does not
};

using Ticket = std::uint64_t;

/// Time comes from outside, and is read for each request.
struct Moment {
  WallTime wall{};
  SteadyTime steady{};
};

struct LimitRequest {
  std::vector<LimitCost> costs;  ///< each key once; all are taken, or none
  Moment now;
  const Clock* clock = nullptr;       ///< read anew when it is this request's turn, which may take long; outlives it
  std::optional<Ticket> ticket = {};  ///< from an earlier request for the same
  Moment time() const { return clock != nullptr ? Moment{clock->now(), clock->steady()} : now; }
};

/// The call may be made: what it takes is taken, and its ticket is gone.
struct LimitTaken {
  Moment at;  ///< what is given back was taken then
};
/// Not yet.
struct LimitWait {
  std::optional<Ticket> ticket;  ///< of who waits
  Millis time{0};                ///< until it would pass, as far as can be told
  bool is_first = true;          ///< nobody stands before it: it passes after that time
  std::string limit = {};        ///< the one that takes longest
};
using LimitAnswer = std::variant<LimitTaken, LimitWait>;

struct LimitRecord {
  std::string key;
  policy::LimitRule rule;  ///< of who changed it last
  std::variant<policy::BucketState, policy::WindowState> state;
  std::uint64_t waiting = 0;  ///< so many stand in its queue
};

/// Buckets and queues are advice, lost when the machine goes down, and cost no synced commit; windows and breakers are
/// kept. Threads and completions: as of a CheckpointStore, which it is part of. What a process that died held or
/// waited for is given back when somebody meets it. The process of who stands first in a queue is woken when one before
/// it has gone, or something was given back; who stands there in this one is for its caller to know.
/// Wall-clock time up to 10 s before what others said counts as theirs: it was read before one waited for them. What is
/// longer ago is a clock that was set back.
class SharedState {
 public:
  virtual ~SharedState() = default;

  /// While the breaker is closed this only reads, and completes before it returns.
  virtual void ask_breaker(BreakerCall call, Completion<Admission> done) = 0;
  /// Says what became of a call. A success while the breaker is closed without failures only reads. Gives how long
  /// nothing is let through from now on; 0: something may be.
  virtual void tell_breaker(BreakerCall call, policy::Permit permit, policy::CallOutcome outcome,
                            Completion<Millis> done) = 0;
  virtual StoreResult<std::vector<BreakerRecord>> breakers() const = 0;
  /// Closes it, without failures; outcomes of calls under way count no longer. False: there is none.
  virtual StoreResult<bool> reset_breaker(std::string_view key) = 0;

  /// Completes before it returns where there are only buckets.
  virtual void take_limits(const LimitRequest& request, Completion<LimitAnswer> done) = 0;
  /// Who waited does so no longer.
  virtual StoreResult<void> leave_queue(const std::vector<LimitCost>& costs, Ticket ticket) = 0;
  /// The call that was let through at `taken` (LimitTaken::at) was not made.
  virtual void give_back_limits(const std::vector<LimitCost>& costs, Moment taken, Completion<void> done) = 0;
  virtual StoreResult<std::vector<LimitRecord>> limits() const = 0;
};

}  // namespace canorun::store
