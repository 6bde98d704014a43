// Running: from a flow or from what is recorded of a run, to an end.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>

#include "engine/model/flow.h"
#include "engine/run/interrupt.h"
#include "engine/run/run_state.h"
#include "engine/run/runtime.h"

namespace canorun::run {

class Leftovers;
class RunContext;

/// What a run is part of, as a child. A person began it: null.
struct Under {
  RunContext* parent = nullptr;
  std::string work = {};    ///< the key of the parent's work that it does
  std::string around = {};  ///< see model::Event
  bool of_part = false;
  bool suspends = false;  ///< when there is nothing to do but wait
};

inline const Under kNobody;

/// What a process made of a run. All coroutines here are spawned with the slot of their `interrupt`
/// bound, on the runtime's executor.
struct Finished {
  RunState run;
  /// The store failed, or refused the run. With `run.rows` 0 nothing was begun; otherwise the run is
  /// left as it was last durable, and can be resumed.
  std::optional<store::StoreError> store_error;
  /// Nothing was run: an expression that comes before the first state failed, or a secret input is missing.
  std::optional<Error> refused;
  /// Nothing was run, as another run has its group and its flow skips then; which one.
  std::optional<std::string> skipped;
};

/// Where the values of secret inputs can be read again, by name: see store::RunStarted::secrets.
using Sources = std::map<std::string, std::string>;

/// Starts a run with bound inputs, the secret ones among them, and works on it until it ends, or is stopped. A secret
/// input that `sources` does not have has none.
boost::asio::awaitable<Finished> start(Runtime& runtime, std::shared_ptr<const model::Flow> flow, std::string id,
                                       Json inputs, Interrupt& interrupt, Sources sources = {});

/// Works on a claimed run that is not over. `from`: enters that state instead of the one that is due.
/// A flow whose digest is not the run's is recorded as its new definition. `given` has the values of the run's secret
/// inputs by name: without one of them the run is refused, and let go of as it was.
boost::asio::awaitable<Finished> resume(Runtime& runtime, std::shared_ptr<const model::Flow> flow,
                                        store::RunRecord claimed, std::optional<model::StateId> from,
                                        Interrupt& interrupt, Json given = Json::object());

inline const Sources kNoSources;

/// The same for a child. What is lent lives until the work has ended: thousands may run at once, and each has these
/// once.
boost::asio::awaitable<void> start_under(const Under& under, Finished& finished, Runtime& runtime,
                                         std::shared_ptr<const model::Flow> flow, std::string id, Json inputs,
                                         Interrupt& interrupt, const Sources& sources = kNoSources);
boost::asio::awaitable<void> resume_under(const Under& under, Finished& finished, Runtime& runtime,
                                          std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                          std::optional<model::StateId> from, Interrupt& interrupt, const Json& given);
/// How a run that no process works on is ended.
enum class Ending : std::uint8_t {
  kCancel,    ///< of one that has not ended
  kRollBack,  ///< also of one that has failed
};

/// Of a child the flow may be null, and what is given be too little: then it ends without what it has to do at its end,
/// and what it owes stays owed.
boost::asio::awaitable<void> end_under(Ending how, Leftovers& leftovers, Finished& finished, Runtime& runtime,
                                       std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                       Interrupt& interrupt, const Json& given);

/// Ends a claimed run, with its children, and what its last attempt left running; undoes what it owes, then does what
/// its flow does at the end. An outcome that was reached stands, and a rollback that has begun goes on. The interrupt
/// was raised, and says why. The flow is null only where there is nothing of that to do. `given`: as for `resume`.
boost::asio::awaitable<Finished> end(Ending how, Runtime& runtime, std::shared_ptr<const model::Flow> flow,
                                     store::RunRecord claimed, Interrupt& interrupt, Json given = Json::object());

}  // namespace canorun::run
