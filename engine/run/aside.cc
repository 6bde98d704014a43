#include "engine/run/aside.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "engine/model/task.h"
#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// How long a run that is suspended may take to tear down its services.
constexpr Millis kSuspendGrace{10'000};

const model::Action& action_of(const model::State& state) { return std::get<model::ActionShape>(state.shape).action; }

// One action that belongs to no state of the run, and is done although the run was interrupted before.
class Aside {
 public:
  /// `heeds`: the weakest reason that ends it, when it is raised meanwhile.
  Aside(RunContext& context, const model::State& state, Reason heeds = Reason::kSuspend)
      : context_(context), state_(state), heeds_(heeds), ended_(context.runtime().executor) {}

  // None: it was cut off, by what was raised meanwhile or after so long.
  asio::awaitable<std::optional<model::Outcome>> work(std::optional<Millis> at_most) {
    if (const auto& why = context_.unprepared()) {
      context_.tell(model::StateFailed{state_.name, 1, &*why, Millis{0}, {}});
      co_return model::Failure{*why};
    }
    const SteadyTime begin = context_.runtime().clock.steady();
    context_.tell(model::StateBegan{state_.name});
    const Reason before = context_.interrupt().reason();
    Alarm grace(context_.runtime().executor, own_);
    if (at_most) grace.arm(*at_most, Reason::kDeadline);
    const Piece piece{state_, action_of(state_), own_};
    asio::co_spawn(context_.runtime().executor, perform(context_, piece),
                   asio::bind_cancellation_slot(own_.slot(), [this](std::exception_ptr thrown, Worked worked) {
                     thrown_ = std::move(thrown);
                     worked_ = std::move(worked);
                     is_over_ = true;
                     ended_.ring();
                   }));
    while (!is_over_) {
      const Reason reason = context_.interrupt().reason();
      if (reason > before && reason >= heeds_) own_.raise(reason);
      co_await ended_.wait(context_.interrupt());
    }
    if (thrown_ && !model::is_cut_off(thrown_)) std::rethrow_exception(thrown_);
    const Millis took = std::chrono::duration_cast<Millis>(context_.runtime().clock.steady() - begin);
    if (thrown_) {
      const model::RunError error{.kind = std::string(model::kind::kTimeout), .message = "it was cut short"};
      context_.tell(model::StateFailed{state_.name, 1, &error, took, {}});
      co_return std::nullopt;
    }
    if (const auto* failure = std::get_if<model::Failure>(&worked_.outcome)) {
      context_.tell(model::StateFailed{state_.name, 1, &failure->error, took, {}});
    } else {
      context_.tell(model::StateSucceeded{state_.name, 1, worked_.attempts, took});
    }
    co_return std::move(worked_.outcome);
  }

 private:
  RunContext& context_;
  const model::State& state_;
  Reason heeds_;
  Interrupt own_;
  Bell ended_;
  std::exception_ptr thrown_;
  Worked worked_;
  bool is_over_ = false;
};

// Whether an action of `on_end` is to be done.
Result<bool, model::RunError> is_wanted(RunContext& context, const model::EndAction& action) {
  if (!action.when) return true;
  return truth(action.state.name, action.when->evaluate(context.scope()));
}

}  // namespace

asio::awaitable<std::optional<model::RunError>> Services::set_up() {
  co_await end_leftovers();
  for (const model::Service& service : context_.flow().services) {
    if (service.setup) {
      Aside aside(context_, *service.setup, Reason::kRunTimeout);
      auto outcome = co_await aside.work(std::nullopt);
      if (!outcome || context_.interrupt().reason() != Reason::kNone) {
        // What it began may be there.
        ++up_;
        co_return std::nullopt;
      }
      if (auto* failure = std::get_if<model::Failure>(&*outcome)) {
        co_return std::move(failure->error);
      }
    }
    ++up_;
  }
  co_return std::nullopt;
}

// What carries the token of a setup was begun by an earlier process of the run.
asio::awaitable<void> Services::end_leftovers() {
  if (context_.run().resumes == 0) co_return;
  for (const model::Service& service : context_.flow().services) {
    if (!service.setup) continue;
    const std::string token = work_key(context_.run(), service.setup->name, ActionView::kAsideVisit);
    if (!context_.leftovers().has(token)) continue;
    co_await end_orphans(context_.runtime(), context_.under(), context_.run().id, service.setup->name, token);
  }
}

void Services::assume_up() { up_ = context_.flow().services.size(); }

asio::awaitable<void> Services::tear_down() {
  const SteadyTime begin = context_.runtime().clock.steady();
  for (; up_ > 0; --up_) {
    const model::Service& service = context_.flow().services[up_ - 1];
    if (!service.teardown) continue;
    std::optional<Millis> left;
    if (context_.interrupt().reason() == Reason::kSuspend) {
      const auto used = std::chrono::duration_cast<Millis>(context_.runtime().clock.steady() - begin);
      left = std::max(Millis{0}, kSuspendGrace - used);
    }
    Aside aside(context_, *service.teardown);
    auto ignored = co_await aside.work(left);
    (void)ignored;
  }
}

bool does_more(const model::Flow& flow) { return !flow.on_end.empty() || !flow.services.empty(); }

asio::awaitable<bool> do_on_end(RunContext& context) {
  context.show_outcome();
  const Reason before = context.interrupt().reason();
  for (const model::EndAction& action : context.flow().on_end) {
    const Reason reason = context.interrupt().reason();
    if (reason > before && reason >= Reason::kSuspend) co_return reason != Reason::kSuspend;
    const std::string token = work_key(context.run(), action.state.name, visit_of(context.run(), action.state.name));
    if (context.run().resumes > 0 && context.leftovers().has(token)) {
      co_await end_orphans(context.runtime(), context.under(), context.run().id, action.state.name, token);
    }
    const auto wanted = is_wanted(context, action);
    if (!wanted) {
      context.tell(model::StateFailed{action.state.name, 1, &wanted.error(), Millis{0}, {}});
    } else if (*wanted) {
      Aside aside(context, action.state);
      auto outcome = co_await aside.work(std::nullopt);
      if (!outcome && context.interrupt().reason() == Reason::kSuspend) co_return false;
      if (!outcome) co_return true;
    }
  }
  co_return true;
}

}  // namespace canorun::run
