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

// What a child is told of its parent's interrupt.
std::string detail_below(const Interrupt& parent) {
  switch (parent.reason()) {
    case Reason::kTimeout: return "not over within the timeout of its parent's action";
    case Reason::kLost: return "its parent goes on without it";
    case Reason::kDeadline: return "not over within the timeout of its parent's state";
    case Reason::kRunTimeout: return "the budget of its parent is spent";
    case Reason::kNone:
    case Reason::kSuspend:
    case Reason::kCancel: break;
  }
  return parent.detail();
}

// A child goes on with its parent or not at all.
void pass_on(const Interrupt& parent, Interrupt& child) {
  if (parent.reason() == Reason::kNone) return;
  child.raise(parent.reason() == Reason::kSuspend ? Reason::kSuspend : Reason::kCancel, detail_below(parent));
}

asio::awaitable<store::StoreResult<store::RunRecord>> claim(Runtime& runtime, std::string id,
                                                            const Interrupt& interrupt) {
  const auto ask = [&](auto done) { runtime.store.claim(std::move(id), std::move(done)); };
  auto record = co_await answer_of<store::RunRecord>(runtime.executor, interrupt, ask);
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

// A child's failure is its action's. What ended the child alone, and would end its parent, is a failure like any other.
model::Failure failure_of(const RunState& child) {
  model::RunError error = model::RunError::from_json(child.error);
  if (child.exited) {
    error = {.kind = std::string(model::kind::kTask),
             .message = fmt::format("it ended in '{}', which is a failure", child.state)};
  }
  const StateRecord* const failed = child.find(error.state);
  error.stderr_tail = failed != nullptr ? failed->stderr_tail : child.stderr_tail;
  if (child.status == Status::kRollbackIncomplete) {
    error.kind = model::kind::kCompensation;
  } else if (model::is_final(error.kind)) {
    error.kind = error.kind == model::kind::kRunTimeout ? model::kind::kTimeout : model::kind::kTask;
  }
  // That of a run further below says where it comes from.
  if (error.run.empty()) {
    error.run = child.id;
    const char* const colon = error.state.empty() ? "" : ": ";
    error.message = fmt::format("run {}: {}{}{}", child.id, error.state, colon, error.message);
  }
  return model::Failure{std::move(error)};
}

// So many at once share a commit.
constexpr std::size_t kMostCancelled = 512;

// Also one of an ended parent's that nobody works on. `error`: the first one.
const Json kNothing = Json::object();

asio::awaitable<void> cancel_child(Runtime& runtime, std::string id, std::shared_ptr<const model::Flow> flow,
                                   std::string reason, Leftovers& leftovers, std::optional<store::StoreError>& error) {
  Interrupt interrupt;
  interrupt.raise(Reason::kCancel, std::move(reason));
  auto claimed = co_await claim(runtime, id, interrupt);
  if (claimed) {
    Finished finished;
    auto own = flow_below(flow, std::get<store::RunStarted>(claimed->rows.front().body));
    co_await end_under(Ending::kCancel, leftovers, finished, runtime, std::move(own), std::move(*claimed), interrupt,
                       kNothing);
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
    std::string id;  // of the child to go on with; empty: a new one
    if (view_.attempt == 1) id = known(parent_.children().take(view_.idempotency_key()));
    bool began_here = false;
    RunState& child = finished_.run;
    for (;;) {
      if (!id.empty()) {
        child = see(id);
        const bool fits = misfit(*flow_, child).empty();
        if (!fits && !child.ended_at) {
          co_await drop(id, "its parent goes on with another flow");
        } else if (fits && child.status == Status::kWaiting && under_.suspends) {
          co_await rest(id, *child.waits_for);
          child = see(id);
        }
        const bool counts = began_here || ends_the_work(child);
        if (counts && child.status == Status::kSucceeded) co_return model::Success{std::move(child.output)};
        if (counts && child.is_over()) co_return failure_of(child);
        const bool was_told = piece_.asks && !began_here && child.ended_at;
        if (child.is_over() || was_told || !fits) id.clear();
      }
      if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
      const std::uint64_t rows = child.rows;
      finished_ = {};
      if (id.empty()) {
        co_await begin();
      } else {
        co_await go_on(id, rows);
      }
      if (finished_.refused) co_return model::task_failure(*finished_.refused);
      if (finished_.skipped) co_return model::Success{nullptr};
      if (finished_.store_error && finished_.store_error->kind == store::StoreErrorKind::kGroupTaken) {
        co_return model::task_failure({finished_.store_error->message, finished_.store_error->hint});
      }
      if (finished_.store_error) give_up(*finished_.store_error);
      began_here = true;
      if (child.rows == 0) continue;  // it was not gone on with: it is looked at again
      id = child.id;
      if (child.status == Status::kSucceeded) co_return model::Success{std::move(child.output)};
      if (!child.ended_at) parent_.children().leave_open();
      if (child.status == Status::kRollbackIncomplete) parent_.children().leave_incomplete(id);
      if (child.status != Status::kWaiting) {
        if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
        co_return failure_of(child);
      }
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

  RunState see(const std::string& id) { return replay(id, known(runtime_.store.load(id)).rows); }

  // Whether a child that an earlier process began, and that has ended, is what became of the work: not if the state has
  // failed since, and is tried again, nor where each attempt is to ask anew.
  bool ends_the_work(const RunState& child) const {
    if (piece_.asks) return false;
    const auto& failed = parent_.run().current->failed_at;
    return child.status == Status::kSucceeded || !failed || !child.ended_at || *child.ended_at > *failed;
  }

  // Until the child is due, or somebody else has ended it.
  asio::awaitable<void> rest(std::string id, store::WaitsFor waits) {
    const Clock& clock = runtime_.clock;
    const auto until = waits.until;
    if (!waits.signal.empty() && waits.run.empty()) waits.run = id;
    if (const auto limit = deadline_of(parent_, piece_.state)) waits.until = std::min(*limit, until.value_or(*limit));
    Rest::Wait wait(parent_.rest(), std::move(waits));
    for (;;) {
      const store::Summary now = known(runtime_.store.find(id));
      if (now.status != Status::kWaiting || is_due(runtime_.store, now, clock.now())) co_return;
      if (piece_.interrupt.reason() != Reason::kNone) {
        if (piece_.interrupt.reason() != Reason::kSuspend) co_await drop(id, detail_below(piece_.interrupt));
        model::cut_off();
      }
      std::optional<Ringer> ringer;
      if (until) ringer.emplace(runtime_.executor, wait.bell(), std::min(kLongestSleep, *until - clock.now()));
      co_await wait.bell().wait(piece_.interrupt);
    }
  }

  // It waits without a process, and for nothing any more.
  asio::awaitable<void> drop(std::string id, std::string reason) {
    std::optional<store::StoreError> error;
    co_await cancel_child(runtime_, std::move(id), parent_.shared_flow(), std::move(reason), parent_.leftovers(),
                          error);
    if (error) give_up(std::move(*error));
  }

  // With a child that was seen with so many rows: one that changed before it could be claimed is looked at again.
  asio::awaitable<void> go_on(const std::string& id, std::uint64_t rows) {
    auto claimed = co_await claim(runtime_, id, piece_.interrupt);
    if (!claimed && claimed.error().kind == store::StoreErrorKind::kOwned) {
      co_return refuse(claimed.error().message, claimed.error().hint);
    }
    store::RunRecord record = known(std::move(claimed));
    if (piece_.interrupt.reason() != Reason::kNone || record.summary.rows != rows) {
      if (auto released = runtime_.store.release(record.number); !released) give_up(std::move(released.error()));
      co_return;
    }
    parent_.children().go_on_with(id);
    Interrupt interrupt;
    auto work = resume_under(under_, finished_, runtime_, flow_, std::move(record), std::nullopt, interrupt, inputs_);
    co_await work_below(parent_, piece_.interrupt, std::move(work), interrupt);
  }

  asio::awaitable<void> begin() {
    if (parent_.depth() == model::kMostNestedRuns) {
      co_return refuse(fmt::format("runs nest {} levels deep already", model::kMostNestedRuns),
                       "does a flow run itself without an end?");
    }
    auto inputs = model::bind_inputs(*flow_, inputs_, {});
    if (!inputs) co_return refuse(wrong_inputs(inputs.error()), {});
    warn_of_hidden(*inputs);
    Interrupt interrupt;
    do {
      std::string id = known(parent_.children().next_id());
      if (!is_run_id(id)) {
        co_return refuse(fmt::format("'{}' is too long for the id of a child run", id),
                         "give the run a shorter one with --id");
      }
      finished_ = {};
      auto work = start_under(under_, finished_, runtime_, flow_, std::move(id), *inputs, interrupt);
      co_await work_below(parent_, piece_.interrupt, std::move(work), interrupt);
    } while (finished_.store_error && finished_.store_error->kind == store::StoreErrorKind::kRunExists);
  }

  // What an input holds is kept, unless it is secret: so it can hold no secret.
  void warn_of_hidden(const Json& inputs) {
    if (parent_.masker().empty()) return;
    for (const model::Input& input : flow_->inputs) {
      Json kept = inputs.at(input.name);
      parent_.masker().mask(kept);
      if (input.secret || kept == inputs.at(input.name)) continue;
      parent_.tell(model::Said{piece_.state.name, model::LogLevel::kWarn,
                               fmt::format("input '{}' of flow '{}' is given a secret, and sees ***: declare it with "
                                           "'secret: true' there",
                                           input.name, flow_->name),
                               piece_.part});
    }
  }

  std::string wrong_inputs(const std::vector<Error>& problems) const {
    std::string text = fmt::format("inputs of flow '{}'", flow_->name);
    for (std::size_t i = 0; i < problems.size(); ++i) text += (i == 0 ? ": " : "; ") + problems[i].message;
    return text;
  }

  void refuse(std::string message, std::string hint) { finished_.refused = Error{std::move(message), std::move(hint)}; }

  static std::string around(const RunContext& parent, const Piece& piece) {
    const std::string& above = parent.under().around;
    return fmt::format("{}{}{}", above, above.empty() ? "" : " > ", work_name(piece.state.name, piece.part));
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

std::shared_ptr<const model::Flow> flow_below(const std::shared_ptr<const model::Flow>& flow,
                                              const store::RunStarted& child) {
  if (!flow) return nullptr;
  for (const model::Flow* below : flow->descendants) {
    if (below->file == child.file && below->name == child.flow) return {flow, below};
  }
  return nullptr;
}

std::string misfit(const model::Flow& flow, const RunState& child) {
  if (flow.name != child.start.flow || flow.version != child.start.version) {
    return fmt::format("it was begun with version {} of flow '{}', and this is version {} of '{}'", child.start.version,
                       child.start.flow, flow.version, flow.name);
  }
  if (!child.current || child.rollback) return {};
  const std::string& due = child.current_state();
  const auto state = flow.find(due);
  if (state && model::is_work(flow.states[*state])) return {};
  return fmt::format("its state '{}' is due, and {}", due,
                     state ? "does no work in the flow of now" : "the flow has none of that name now");
}

store::StoreResult<void> Children::look() {
  if (!earlier_ || std::exchange(known_, true)) return {};
  auto children = store_.list({.parent = run_.id});
  if (!children) return std::unexpected(std::move(children.error()));
  for (store::Summary& child : *children) {
    const std::uint64_t number = child_number(run_.id, child.id).value_or(0);
    last_ = std::max(last_, number);
    open_ = open_ || !child.ended_at;
    if (child.status == Status::kRollbackIncomplete) incomplete_before_.push_back(child.id);
    left_.try_emplace(std::move(child.work), std::move(child.id));  // the newest comes first
  }
  return {};
}

store::StoreResult<std::string> Children::take(const std::string& work) {
  if (auto looked = look(); !looked) return std::unexpected(std::move(looked.error()));
  auto found = left_.extract(work);
  return found.empty() ? std::string() : std::move(found.mapped());
}

bool Children::may_be_open() const { return open_ || (earlier_ && !known_); }

store::StoreResult<bool> Children::any_open() {
  if (auto looked = look(); !looked) return std::unexpected(std::move(looked.error()));
  return open_;
}

store::StoreResult<std::vector<std::string>> Children::incomplete() const {
  std::vector<std::string> ids;
  if (!earlier_ && last_ == 0) return ids;
  const auto children = store_.list({.parent = run_.id});
  if (!children) return std::unexpected(children.error());
  for (const store::Summary& child : *children) {
    if (!child.ended_at || child.status == Status::kRollbackIncomplete) ids.push_back(child.id);
  }
  return ids;
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

asio::awaitable<store::StoreResult<void>> end_open_children(RunContext& parent) {
  const auto open = parent.children().any_open();
  if (!open) co_return std::unexpected(open.error());
  if (!*open) co_return store::StoreResult<void>{};
  auto ended = co_await cancel_children(parent.runtime(), parent.run().id, parent.shared_flow(),
                                        "its parent goes on without it", parent.leftovers());
  if (!ended) co_return ended;
  parent.children().left_none_open();
  const auto incomplete = parent.children().incomplete();
  if (!incomplete) co_return std::unexpected(incomplete.error());
  if (!incomplete->empty()) parent.children().leave_incomplete(incomplete->front());
  co_return ended;
}

asio::awaitable<store::StoreResult<void>> cancel_children(Runtime& runtime, std::string parent,
                                                          std::shared_ptr<const model::Flow> flow, std::string reason,
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
    asio::co_spawn(runtime.executor, cancel_child(runtime, child.id, flow, reason, leftovers, error),
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
