#include "engine/run/children.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/base/ids.h"
#include "engine/model/inputs.h"
#include "engine/model/task.h"
#include "engine/run/arrival.h"
#include "engine/run/due.h"
#include "engine/run/end_orphans.h"
#include "engine/run/perform.h"
#include "engine/run/run.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;
using store::Status;

// What a child is told of its parent's interrupt: it goes on with its parent or not at all.
void pass_on(const Interrupt& parent, Interrupt& child) {
  switch (parent.reason()) {
    case Reason::kNone: return;
    case Reason::kTimeout: return child.raise(Reason::kCancel, "not over within the timeout of its parent's action");
    case Reason::kLost: return child.raise(Reason::kCancel, "its parent goes on without it");
    case Reason::kDeadline: return child.raise(Reason::kCancel, "not over within the timeout of its parent's state");
    case Reason::kRunTimeout: return child.raise(Reason::kCancel, "the budget of its parent is spent");
    case Reason::kSuspend: return child.raise(Reason::kSuspend, parent.detail());
    case Reason::kCancel: return child.raise(Reason::kCancel, parent.detail());
  }
}

asio::awaitable<store::StoreResult<store::RunRecord>> claim(Runtime& runtime, std::string id,
                                                            const Interrupt& interrupt) {
  const auto arrival = std::make_shared<Arrival<store::RunRecord>>(runtime.executor);
  runtime.store.claim(std::move(id),
                      [arrival](store::StoreResult<store::RunRecord> record) { arrival->arrive(std::move(record)); });
  if (!arrival->arrived()) co_await arrival->wait();
  if (interrupt.reason() != Reason::kNone) co_await calm();
  auto record = arrival->take();
  co_return record;
}

// Works on a child under an interrupt of its own. What interrupts its parent is passed on, and cuts nothing short here.
asio::awaitable<void> work_below(RunContext& parent, const Interrupt& around, asio::awaitable<void> work,
                                 Interrupt& interrupt) {
  auto begin = [&](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([&around, &interrupt](asio::cancellation_type) { pass_on(around, interrupt); });
    }
    auto done = [handler = std::move(handler), slot](std::exception_ptr fault) mutable {
      if (slot.is_connected()) slot.clear();
      std::move(handler)(std::move(fault));
    };
    asio::co_spawn(parent.runtime().executor, std::move(work),
                   asio::bind_cancellation_slot(interrupt.slot(), std::move(done)));
  };
  co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::exception_ptr)>(begin, asio::use_awaitable);
}

// Why the definition of now cannot go on with a child that was begun with another; empty: it can.
std::string misfit(const model::Flow& flow, const RunState& child) {
  if (flow.name != child.start.flow || flow.version != child.start.version) {
    return fmt::format("it was begun with version {} of flow '{}', and this is version {} of '{}'", child.start.version,
                       child.start.flow, flow.version, flow.name);
  }
  if (!child.current || flow.find(child.states[child.current->record].name)) return {};
  return fmt::format("its state '{}' is due, and the flow has none of that name now",
                     child.states[child.current->record].name);
}

model::Failure child_failure(const std::string& id, std::string_view message) {
  return model::failure(model::kind::kTask, fmt::format("run {}: {}", id, message));
}

// A child's failure is its action's. What ended the child alone, and would end its parent, is a failure like any other.
model::Failure failure_of(const RunState& child) {
  if (child.exited) {
    return child_failure(child.id, fmt::format("it ended in '{}', which is a failure", child.state));
  }
  model::RunError error = model::RunError::from_json(child.error);
  if (const StateRecord* failed = child.find(error.state)) error.stderr_tail = failed->stderr_tail;
  if (model::is_final(error.kind)) {
    error.kind = error.kind == model::kind::kRunTimeout ? model::kind::kTimeout : model::kind::kTask;
  }
  // That of a run further below says where it comes from.
  if (!error.message.starts_with(fmt::format("run {}.", child.id))) {
    error.message =
        fmt::format("run {}: {}{}{}", child.id, error.state, error.state.empty() ? "" : ": ", error.message);
  }
  return model::Failure{std::move(error)};
}

// So many at once share a commit.
constexpr std::size_t kMostCancelled = 512;

// Also one of an ended parent's that nobody works on. `error`: the first one.
asio::awaitable<void> cancel_child(Runtime& runtime, std::string id, std::string reason, Leftovers& leftovers,
                                   std::optional<store::StoreError>& error) {
  Interrupt interrupt;
  interrupt.raise(Reason::kCancel, std::move(reason));
  auto claimed = co_await claim(runtime, id, interrupt);
  if (claimed) {
    Finished finished;
    co_await cancel_under(leftovers, finished, runtime, std::move(*claimed), interrupt);
    if (finished.store_error && !error) error = std::move(finished.store_error);
  } else if (claimed.error().kind != store::StoreErrorKind::kOwned && !error) {
    error = std::move(claimed.error());
  }
}

// One attempt's child, from what an earlier process left of it to its end.
class ChildRun {
 public:
  ChildRun(RunContext& parent, const Piece& piece, const ActionView& view, const model::Flow& flow, Json inputs)
      : parent_(parent),
        runtime_(parent.runtime()),
        piece_(piece),
        view_(view),
        flow_(parent.shared_flow(), &flow),  // whoever has the parent's has it too
        inputs_(std::move(inputs)),
        under_{.parent = &parent,
               .work = view.idempotency_key(),
               .around = around(parent, piece),
               .of_part = parent.under().of_part || !piece.part.empty(),
               .suspends = parent.suspends() && !piece.action.timeout} {}

  asio::awaitable<model::Outcome> run() {
    std::optional<store::Summary> left;
    if (view_.attempt == 1) left = known(parent_.children().take(view_.idempotency_key()));
    const bool anew = left && parent_.run().current->anew;
    for (;;) {
      std::string id;  // none: a new one
      if (left) {
        if (left->status == Status::kWaiting && under_.suspends) co_await rest(*left);
        RunState child = replay(left->id, known(runtime_.store.load(left->id)).rows);
        if (child.status == Status::kSucceeded) co_return model::Success{std::move(child.output)};
        if (child.is_over() && !anew) co_return failure_of(child);
        if (!child.is_over()) {
          if (const std::string why = misfit(*flow_, child); !why.empty()) co_return child_failure(child.id, why);
          id = child.id;
        }
      }
      finished_ = {};
      co_await work(std::move(id));
      if (finished_.refused) co_return model::task_failure(*finished_.refused);
      if (finished_.store_error) give_up(*finished_.store_error);
      RunState& child = finished_.run;
      if (child.status == Status::kSucceeded) co_return model::Success{std::move(child.output)};
      if (child.status != Status::kWaiting) {
        if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
        co_return failure_of(child);
      }
      left.emplace();
      left->id = child.id;
      left->status = child.status;
      left->waits_for = child.waits_for;
    }
  }

 private:
  [[noreturn]] void give_up(store::StoreError error) {
    parent_.lose(std::move(error));
    model::cut_off();
  }
  template <class T>
  T known(store::StoreResult<T> result) {
    if (!result) give_up(std::move(result.error()));
    return std::move(*result);
  }

  // Until the child is due, or somebody else has ended it.
  asio::awaitable<void> rest(const store::Summary& child) {
    const Clock& clock = runtime_.clock;
    store::WaitsFor waits = *child.waits_for;
    if (!waits.signal.empty() && waits.run.empty()) waits.run = child.id;
    if (const auto limit = deadline_of(parent_, piece_.state))
      waits.until = std::min(*limit, waits.until.value_or(*limit));
    std::optional<Ringer> ringer;
    if (child.waits_for->until) {
      ringer.emplace(runtime_.executor, parent_.signals(), *child.waits_for->until - clock.now());
    }
    const Rest::Wait wait(parent_.rest(), std::move(waits));
    for (;;) {
      const store::Summary now = known(runtime_.store.find(child.id));
      if (now.status != Status::kWaiting || is_due(runtime_.store, now, clock.now())) co_return;
      if (piece_.interrupt.reason() != Reason::kNone) {
        if (piece_.interrupt.reason() != Reason::kSuspend) co_await drop(child.id);
        model::cut_off();
      }
      co_await parent_.signals().wait(piece_.interrupt);
    }
  }

  // It waits without a process, and for nothing any more.
  asio::awaitable<void> drop(const std::string& id) {
    Interrupt interrupt;
    pass_on(piece_.interrupt, interrupt);
    std::optional<store::StoreError> error;
    co_await cancel_child(runtime_, id, interrupt.detail(), parent_.leftovers(), error);
    if (error) give_up(std::move(*error));
  }

  // Goes on with the child of that id, or with a new one.
  asio::awaitable<void> work(std::string id) {
    Interrupt interrupt;
    if (!id.empty()) {
      auto claimed = co_await claim(runtime_, id, piece_.interrupt);
      if (piece_.interrupt.reason() != Reason::kNone) {
        if (claimed) (void)runtime_.store.release(claimed->number);
        model::cut_off();
      }
      if (!claimed && claimed.error().kind == store::StoreErrorKind::kOwned) {
        co_return refuse(claimed.error().message, claimed.error().hint);
      }
      auto work = resume_under(under_, finished_, runtime_, flow_, known(std::move(claimed)), std::nullopt, interrupt);
      co_await work_below(parent_, piece_.interrupt, std::move(work), interrupt);
      co_return;
    }
    if (parent_.depth() == model::kMostNestedRuns) {
      co_return refuse(fmt::format("runs nest {} levels deep already", model::kMostNestedRuns),
                       "does a flow run itself without an end?");
    }
    auto inputs = model::bind_inputs(*flow_, inputs_, {});
    if (!inputs) co_return refuse(inputs.error().front().message, inputs.error().front().hint);
    do {
      id = known(parent_.children().next_id());
      if (!is_run_id(id)) {
        co_return refuse(fmt::format("'{}' is too long for the id of a child run", id),
                         "give the run a shorter one with --id");
      }
      finished_ = {};
      auto work = start_under(under_, finished_, runtime_, flow_, id, *inputs, interrupt);
      co_await work_below(parent_, piece_.interrupt, std::move(work), interrupt);
    } while (finished_.store_error && finished_.store_error->kind == store::StoreErrorKind::kRunExists);
  }

  void refuse(std::string message, std::string hint) { finished_.refused = Error{std::move(message), std::move(hint)}; }

  static std::string around(const RunContext& parent, const Piece& piece) {
    const std::string& above = parent.under().around;
    const char* const before = piece.part.empty() ? "" : "/";
    return fmt::format("{}{}{}{}{}", above, above.empty() ? "" : " > ", piece.state.name, before, piece.part);
  }

  RunContext& parent_;
  Runtime& runtime_;
  const Piece& piece_;
  const ActionView& view_;
  std::shared_ptr<const model::Flow> flow_;
  Json inputs_;
  const Under under_;
  Finished finished_;
};

}  // namespace

store::StoreResult<void> Children::look() {
  if (std::exchange(known_, true) || run_.resumes == 0) return {};
  auto children = store_.list({.parent = run_.id});
  if (!children) return std::unexpected(std::move(children.error()));
  for (store::Summary& child : *children) {
    const std::uint64_t number = child_number(run_.id, child.id).value_or(0);
    last_ = std::max(last_, number);
    std::string work = child.work;
    left_.try_emplace(std::move(work), std::move(child));  // the newest comes first
  }
  return {};
}

store::StoreResult<std::optional<store::Summary>> Children::take(const std::string& work) {
  if (auto looked = look(); !looked) return std::unexpected(std::move(looked.error()));
  auto found = left_.extract(work);
  return found.empty() ? std::nullopt : std::optional(std::move(found.mapped()));
}

store::StoreResult<std::string> Children::next_id() {
  if (auto looked = look(); !looked) return std::unexpected(std::move(looked.error()));
  return child_run_id(run_.id, ++last_);
}

asio::awaitable<model::Outcome> run_child(RunContext& parent, const Piece& piece, const ActionView& view,
                                          const model::Flow& flow, Json inputs) {
  ChildRun child(parent, piece, view, flow, std::move(inputs));
  auto outcome = co_await child.run();
  co_return outcome;
}

asio::awaitable<store::StoreResult<void>> cancel_children(Runtime& runtime, std::string parent, std::string reason,
                                                          Leftovers& leftovers) {
  auto children = runtime.store.list({.parent = parent});
  if (!children) co_return std::unexpected(std::move(children.error()));
  // Those that have ended are done with, and a process works on those that run.
  std::erase_if(*children,
                [](const store::Summary& child) { return child.ended_at || child.status == Status::kRunning; });
  std::size_t running = 0;
  std::optional<store::StoreError> error;
  std::exception_ptr fault;
  const Interrupt nothing;
  Bell ended(runtime.executor);
  co_await deaf();
  for (const store::Summary& child : *children) {
    ++running;
    asio::co_spawn(runtime.executor, cancel_child(runtime, child.id, reason, leftovers, error),
                   [&](const std::exception_ptr& thrown) {
                     --running;
                     if (thrown && !fault) fault = thrown;
                     ended.ring();
                   });
    while (running >= kMostCancelled) co_await ended.wait(nothing);
  }
  while (running > 0) co_await ended.wait(nothing);
  co_await calm();
  if (fault) std::rethrow_exception(fault);
  if (error) co_return std::unexpected(std::move(*error));
  co_return store::StoreResult<void>{};
}

}  // namespace canorun::run
