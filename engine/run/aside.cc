#include "engine/run/aside.h"

#include "engine/run/beside.h"
#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

const model::Action& action_of(const model::State& state) { return std::get<model::ActionShape>(state.shape).action; }

// One action that belongs to no state of the run, and is done although the run was interrupted before.
class Aside {
 public:
  /// `heeds`: the weakest reason that ends it, when it is raised meanwhile.
  Aside(RunContext& context, const model::State& state, Reason heeds = Reason::kSuspend)
      : context_(context), state_(state), heeds_(heeds) {}

  // None: it was cut off, by what was raised meanwhile. With a grace a suspension, from before or meanwhile, ends it
  // only when that is over.
  asio::awaitable<std::optional<model::Outcome>> work(Grace* grace = nullptr) {
    if (const auto& why = context_.unprepared()) {
      context_.tell(model::StateFailed{state_.name, 1, &*why, Millis{0}, {}});
      co_return model::Failure{*why};
    }
    const SteadyTime begin = context_.runtime().clock.steady();
    context_.tell(model::StateBegan{state_.name});
    const Reason before = context_.interrupt().reason();
    Beside<Worked> beside(context_.runtime().executor);
    Alarm patience(context_.runtime().executor, beside.interrupt());
    bool runs_out = false;
    const auto heed = [&] {
      const Reason reason = context_.interrupt().reason();
      if (reason == Reason::kSuspend && grace != nullptr) {
        if (!std::exchange(runs_out, true)) patience.arm(grace->left(), Reason::kSuspend);
      } else if (reason > before && reason >= heeds_) {
        beside.interrupt().raise(reason);
      }
    };
    const Piece piece{state_, action_of(state_), beside.interrupt()};
    auto task = perform(context_, piece);
    auto worked = co_await beside.work(std::move(task), context_.interrupt(), heed);
    const Millis took = std::chrono::duration_cast<Millis>(context_.runtime().clock.steady() - begin);
    if (!worked) {
      const model::RunError error{.kind = std::string(model::kind::kTimeout), .message = "it was cut short"};
      context_.tell(model::StateFailed{state_.name, 1, &error, took, {}});
      co_return std::nullopt;
    }
    if (const auto* failure = std::get_if<model::Failure>(&worked->outcome)) {
      context_.tell(model::StateFailed{state_.name, 1, &failure->error, took, {}});
    } else {
      context_.tell(model::StateSucceeded{state_.name, 1, worked->attempts, took});
    }
    co_return std::move(worked->outcome);
  }

 private:
  RunContext& context_;
  const model::State& state_;
  Reason heeds_;
};

// Whether an action of `on_end` is to be done.
Result<bool, model::RunError> is_wanted(RunContext& context, const model::EndAction& action) {
  if (!action.when) return true;
  return truth(action.state.name, action.when->evaluate(context.scope()));
}

}  // namespace

asio::awaitable<std::optional<model::RunError>> Services::set_up() {
  co_await end_leftovers();
  for (std::size_t at = 0; at < context_.flow().services.size(); ++at) {
    const model::Service& service = context_.flow().services[at];
    if (context_.interrupt().reason() != Reason::kNone) co_return std::nullopt;
    if (service.setup) {
      Aside aside(context_, *service.setup, Reason::kRunTimeout);
      auto outcome = co_await aside.work();
      auto* const failure = outcome ? std::get_if<model::Failure>(&*outcome) : nullptr;
      if (failure != nullptr && context_.interrupt().reason() == Reason::kNone) co_return std::move(failure->error);
    }
    up_ = std::max(up_, at + 1);  // also of one that was cut off: what it began may be there
  }
  co_return std::nullopt;
}

// What carries the token of a setup or of a teardown was begun by an earlier process of the run, as long as this one
// has begun none.
asio::awaitable<void> Services::end_leftovers() {
  if (std::exchange(looked_, true)) co_return;
  for (const model::Service& service : context_.flow().services) {
    if (service.setup) co_await end_left(context_, service.setup->name, ActionView::kAsideVisit);
    if (!service.teardown) continue;
    co_await end_left(context_, service.teardown->name, ActionView::kAsideVisit);
    if (context_.run().outcome) co_await end_left(context_, service.teardown->name, context_.run().outcome_row);
  }
}

void Services::assume_up() { up_ = context_.flow().services.size(); }

asio::awaitable<void> Services::tear_down() {
  if (up_ > 0) co_await end_leftovers();
  for (; up_ > 0; --up_) {
    const model::Service& service = context_.flow().services[up_ - 1];
    if (!service.teardown) continue;
    Aside aside(context_, *service.teardown);
    auto outcome = co_await aside.work(&grace_);
    if (!outcome && context_.interrupt().reason() == Reason::kSuspend) co_return;
  }
}

bool does_more(const model::Flow& flow) { return !flow.on_end.empty() || !flow.services.empty(); }

asio::awaitable<bool> do_on_end(RunContext& context) {
  context.show_outcome();
  for (const model::EndAction& action : context.flow().on_end) {
    const Reason reason = context.interrupt().reason();
    if (reason >= Reason::kSuspend) co_return reason != Reason::kSuspend;
    co_await end_left(context, action.state.name, context.run().outcome_row);
    const auto wanted = is_wanted(context, action);
    if (!wanted) {
      context.tell(model::StateFailed{action.state.name, 1, &wanted.error(), Millis{0}, {}});
    } else if (*wanted) {
      Aside aside(context, action.state);
      auto outcome = co_await aside.work();
      if (!outcome) co_return context.interrupt().reason() != Reason::kSuspend;
    }
  }
  co_return true;
}

}  // namespace canorun::run
