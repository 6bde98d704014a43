#include "engine/run/health.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "engine/base/ids.h"
#include "engine/model/task.h"
#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// What a probe sees of a run, though there is none. `defaults` of the flow may ask for more than its inputs.
RunState nobodys_run(Runtime& runtime, const model::Flow& flow, Json inputs) {
  RunState run;
  run.started_at = runtime.clock.now();
  run.id = make_run_id(flow.name, run.started_at, runtime.random);
  run.start = {.flow = flow.name,
               .version = flow.version,
               .digest = flow.digest,
               .file = flow.file,
               .folder = flow.folder,
               .nonce = make_nonce(runtime.random),
               .inputs = std::move(inputs)};
  return run;
}

// The environment and the variables; the error: what of them could not be evaluated.
std::optional<Error> prepare(RunContext& context) {
  auto prepared = context.prepare(false);
  if (std::holds_alternative<model::Success>(prepared)) prepared = evaluate_vars(context.flow(), context.scope());
  context.mask(prepared);
  if (const auto* failure = std::get_if<model::Failure>(&prepared)) return Error{failure->error.message};
  context.run().start.vars = context.run().vars = std::get<model::Success>(std::move(prepared)).output;
  return std::nullopt;
}

asio::awaitable<Health> ask(RunContext& context, const model::Service& service) {
  if (!service.health) co_return Health{service.name};
  const model::State& state = *service.health;
  const SteadyTime begin = context.runtime().clock.steady();
  context.tell(model::StateBegan{state.name});
  const model::Action& action = std::get<model::ActionShape>(state.shape).action;
  auto work = perform(context, {state, action, context.interrupt()});
  Worked worked = co_await std::move(work);
  Health health{service.name, Health::Status::kHealthy};
  health.duration = std::chrono::duration_cast<Millis>(context.runtime().clock.steady() - begin);
  if (auto* failure = std::get_if<model::Failure>(&worked.outcome)) {
    health.status = Health::Status::kUnhealthy;
    health.error = std::move(failure->error);
    context.tell(model::StateFailed{state.name, 1, &*health.error, health.duration, {}});
  } else {
    context.tell(model::StateSucceeded{state.name, 1, worked.attempts, health.duration});
  }
  co_return health;
}

}  // namespace

asio::awaitable<Probed> probe(Runtime& runtime, std::shared_ptr<const model::Flow> flow, Json inputs,
                              Interrupt& interrupt) {
  Probed probed;
  Secrets secrets = Secrets::take_from(inputs, *flow, kNobody);
  RunState run = nobodys_run(runtime, *flow, std::move(inputs));
  RunContext context(runtime, flow, run, interrupt, kNobody, std::move(secrets));
  probed.refused = prepare(context);
  if (probed.refused) co_return probed;
  try {
    for (const model::Service& service : flow->services) {
      if (interrupt.reason() != Reason::kNone) model::cut_off();  // raised when a probe did not hear it any more
      auto health = co_await ask(context, service);
      probed.services.push_back(std::move(health));
    }
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
    probed.cut_off = true;
  }
  co_return probed;
}

}  // namespace canorun::run
