#include "engine/run/saga.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/run/arrival.h"
#include "engine/run/aside.h"
#include "engine/run/beside.h"
#include "engine/run/children.h"
#include "engine/run/loop.h"
#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;
using store::Status;

constexpr Millis kLongestAfterBudget{30'000};

// `compensate`, or of a part `compensate:PART`: unlike any part that a shape has.
std::string part_of(const Owed& owed) { return owed.part.empty() ? "compensate" : "compensate:" + owed.part; }

model::Failure missing(const std::string& state) {
  return model::failure(model::kind::kCompensation,
                        fmt::format("the flow has nothing that undoes '{}' any more", state));
}

// What the action's shape brought, and what it gave.
model::Scope scope_around(const Owed& owed) {
  model::Scope scope;
  slot(scope, model::Slot::kOutput) = expr::Value::view(owed.output);
  slot(scope, model::Slot::kItem) = expr::Value::view(owed.item);
  std::int64_t index = 0;
  const char* const end = owed.part.data() + owed.part.size();
  if (std::from_chars(owed.part.data(), end, index).ptr == end) {
    slot(scope, model::Slot::kIndex) = expr::Value::integer(index);
  }
  return scope;
}

class Rollback {
 public:
  Rollback(RunContext& context, Journal& journal)
      : context_(context), journal_(journal), run_(context.run()), clock_(context.runtime().clock) {
    const auto budget = rollback_budget(context.flow(), run_.rollback->error);
    if (budget) until_ = clock_.steady() + *budget;
  }

  // Until there is nothing left, or no time, or the run is suspended.
  asio::awaitable<store::StoreResult<void>> work() {
    tell_begin();
    auto below = co_await finish_below();
    if (!below) co_return below;
    for (std::size_t left = run_.owed.size(); left > 0; --left) {
      Owed& owed = run_.owed[left - 1];
      if (owed.undone) continue;
      if (is_stopped()) break;
      auto tried = co_await undo(owed);
      if (!tried) co_return tried;
    }
    co_return store::StoreResult<void>{};
  }

  bool is_suspended() const { return context_.interrupt().reason() == Reason::kSuspend; }

  bool is_clean() const { return run_.still_owed() == 0 && !incomplete_below_; }

 private:
  bool is_late() const { return until_ && clock_.steady() >= *until_; }
  bool is_stopped() {
    calm_down();
    return is_suspended() || context_.lost() || is_late();
  }

  // It is being undone already: to be cancelled once more changes nothing.
  void calm_down() {
    context_.interrupt().forget(Reason::kCancel);
    context_.interrupt().forget(Reason::kRunTimeout);
  }

  void tell_begin() {
    std::optional<model::RunError> cause;
    if (!run_.rollback->error.is_null()) cause = model::RunError::from_json(run_.rollback->error);
    context_.tell(model::RollbackBegan{run_.still_owed(), cause ? &*cause : nullptr});
  }

  // Does work that only a suspension and the budget end. None: they did.
  template <class T>
  asio::awaitable<std::optional<T>> work_beside(Beside<T>& beside, asio::awaitable<T> task, Reason when_late) {
    Alarm alarm(context_.runtime().executor, beside.interrupt());
    if (until_) {
      const auto left = std::chrono::duration_cast<Millis>(*until_ - clock_.steady());
      alarm.arm(std::max(Millis{0}, left), when_late);
    }
    const auto heed = [&] {
      calm_down();
      if (is_suspended()) beside.interrupt().raise(Reason::kSuspend, context_.interrupt().detail());
    };
    auto done = co_await beside.work(std::move(task), context_.interrupt(), heed);
    alarm.disarm();
    co_return done;
  }

  asio::awaitable<store::StoreResult<void>> undo(Owed& owed) {
    const std::string state = run_.states[owed.record].name;
    const std::string part = part_of(owed);
    if (std::exchange(looked_for_, {state, owed.visit}) != std::pair(state, owed.visit)) {
      co_await end_left(context_, state, owed.visit);
    }
    const SteadyTime begin = clock_.steady();
    context_.tell(model::CompensationBegan{state, owed.visit, part, owed.part});
    const model::Action* const action = compensation_of(context_.flow(), state, owed.part);
    std::optional<Worked> worked;
    if (action == nullptr) {
      worked = Worked{missing(state), 0};
    } else if (context_.unprepared()) {
      worked = Worked{model::Failure{*context_.unprepared()}, 0};
    } else {
      Beside<Worked> beside(context_.runtime().executor);
      const model::Scope around = scope_around(owed);
      const model::State& place = context_.flow().states[*context_.flow().find(state)];
      const Piece piece{place, *action, beside.interrupt(), part, &around, false, &owed};
      auto task = perform(context_, piece);
      auto done = co_await work_beside(beside, std::move(task), Reason::kRunTimeout);
      worked = std::move(done);
    }
    const auto took = std::chrono::duration_cast<Millis>(clock_.steady() - begin);
    if (!worked) {
      const model::RunError cut{.kind = std::string(model::kind::kTimeout), .message = "it was cut short"};
      context_.tell(model::CompensationEnded{state, owed.visit, part, owed.part, &cut, 0, took});
      co_return store::StoreResult<void>{};  // it is still to be done
    }
    auto kept = co_await keep(owed, state, std::move(*worked), took);
    co_return kept;
  }

  asio::awaitable<store::StoreResult<void>> keep(const Owed& owed, std::string state, Worked worked, Millis took) {
    store::CompensationEnded ended{store::PartEnded{
        .state = state, .visit = owed.visit, .part = owed.part, .attempts = worked.attempts, .duration = took}};
    auto* const failure = std::get_if<model::Failure>(&worked.outcome);
    if (failure != nullptr) {
      context_.mask(failure->error);
      failure->error.state = state;
      failure->error.attempts = worked.attempts;
      ended.error = failure->error.to_json();
      ended.stderr_tail = failure->error.stderr_tail;
    } else {
      ended.output = std::move(std::get<model::Success>(worked.outcome).output);
    }
    journal_.add(std::move(ended));
    auto committed = co_await journal_.commit();
    if (!committed) co_return committed;
    context_.drop_kept();
    context_.tell(model::CompensationEnded{state, owed.visit, part_of(owed), owed.part,
                                           failure != nullptr ? &failure->error : nullptr, worked.attempts, took});
    co_return committed;
  }

  // The runs below that were left in the middle of a rollback.
  asio::awaitable<store::StoreResult<void>> finish_below() {
    const auto children = context_.children().incomplete();
    if (!children) co_return std::unexpected(children.error());
    for (const std::string& id : *children) {
      if (is_stopped()) break;
      auto done = co_await resume_child(id);
      if (!done) co_return done;
    }
    const auto left = context_.children().incomplete();
    if (!left) co_return std::unexpected(left.error());
    incomplete_below_ = !left->empty();
    co_return store::StoreResult<void>{};
  }

  asio::awaitable<store::StoreResult<void>> resume_child(std::string id) {
    const auto ask = [&](auto done) { context_.runtime().store.claim(id, std::move(done)); };
    auto claimed = co_await answer_of<store::RunRecord>(context_.runtime().executor, context_.interrupt(), ask);
    if (!claimed && claimed.error().kind == store::StoreErrorKind::kOwned) co_return store::StoreResult<void>{};
    if (!claimed) co_return std::unexpected(std::move(claimed.error()));
    const RunState child = replay(id, claimed->rows);
    auto flow = flow_below(context_.shared_flow(), child.start);
    if (!flow) {
      auto released = context_.runtime().store.release(claimed->number);
      co_return released;
    }
    const Under under{
        .parent = &context_, .work = child.start.work, .around = around(id), .of_part = false, .suspends = false};
    Finished finished;
    Beside<bool> beside(context_.runtime().executor);
    auto task = child.rollback ? resume_it(under, finished, std::move(flow), std::move(*claimed), beside.interrupt())
                               : cancel_it(finished, std::move(flow), std::move(*claimed), beside.interrupt());
    auto done = co_await work_beside(beside, std::move(task), Reason::kSuspend);
    if (finished.refused) {
      const std::string why = fmt::format("run {} could not be rolled back: {}", id, finished.refused->message);
      context_.tell(model::Said{run_.state, model::LogLevel::kWarn, why});
    }
    if (!done || !finished.store_error) co_return store::StoreResult<void>{};
    if (finished.store_error->kind == store::StoreErrorKind::kGroupTaken) co_return store::StoreResult<void>{};
    co_return std::unexpected(std::move(*finished.store_error));
  }

  // One that was left in the middle of its work goes no further.
  asio::awaitable<bool> cancel_it(Finished& finished, std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                  Interrupt& interrupt) {
    static const Json kNothing = Json::object();
    interrupt.raise(Reason::kCancel, "its parent is rolled back");
    co_await calm();
    co_await end_under(Ending::kCancel, context_.leftovers(), finished, context_.runtime(), std::move(flow),
                       std::move(claimed), interrupt, kNothing);
    co_return true;
  }

  asio::awaitable<bool> resume_it(const Under& under, Finished& finished, std::shared_ptr<const model::Flow> flow,
                                  store::RunRecord claimed, Interrupt& interrupt) {
    static const Json kNothing = Json::object();
    co_await resume_under(under, finished, context_.runtime(), std::move(flow), std::move(claimed), std::nullopt,
                          interrupt, kNothing);
    co_return true;
  }

  std::string around(const std::string& id) const {
    const std::string& above = context_.under().around;
    return fmt::format("{}{}{}", above, above.empty() ? "" : " > ", id);
  }

  RunContext& context_;
  Journal& journal_;
  RunState& run_;
  const Clock& clock_;
  std::optional<SteadyTime> until_;
  bool incomplete_below_ = false;
  std::pair<std::string, std::uint64_t> looked_for_;  ///< the visit of which nothing is left
};

}  // namespace

asio::awaitable<store::StoreResult<void>> roll_back(RunContext& context, Journal& journal, Services& services) {
  Rollback rollback(context, journal);
  auto worked = co_await rollback.work();
  if (!worked) co_return worked;
  if (context.lost()) co_return std::unexpected(*context.lost());
  if (rollback.is_suspended() && !rollback.is_clean()) {
    co_await services.tear_down();
    journal.add(stop(context, services));
  } else {
    store::RunEnded ended = *context.run().rollback;
    ended.via.clear();
    ended.entered = false;
    if (!rollback.is_clean()) ended.status = Status::kRollbackIncomplete;
    journal.add(std::move(ended));
  }
  auto committed = co_await journal.commit();
  co_return committed;
}

const model::Action* compensation_of(const model::Flow& flow, std::string_view state, std::string_view part) {
  const auto id = flow.find(state);
  if (!id) return nullptr;
  const model::Shape& shape = flow.states[*id].shape;
  const model::Action* undone = nullptr;
  if (const auto* own = std::get_if<model::ActionShape>(&shape); own != nullptr && part.empty()) undone = &own->action;
  if (const auto* batch = std::get_if<model::BatchShape>(&shape); batch != nullptr && !part.empty()) {
    undone = &batch->each;
  }
  if (const auto* split = std::get_if<model::SplitShape>(&shape); split != nullptr && !part.empty()) {
    const auto branch = std::ranges::find(split->branches, part, &model::SplitShape::Branch::name);
    if (branch != split->branches.end()) undone = &branch->action;
    if (split->each) undone = &*split->each;
  }
  return undone != nullptr && undone->compensation ? &undone->compensation->action : nullptr;
}

std::optional<Millis> rollback_budget(const model::Flow& flow, const Json& cause) {
  if (flow.compensation_timeout) return flow.compensation_timeout;
  if (!flow.timeout || model::RunError::from_json(cause).kind != model::kind::kRunTimeout) return std::nullopt;
  return std::min(*flow.timeout / 2, kLongestAfterBudget);
}

}  // namespace canorun::run
