#include "engine/run/parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <memory>
#include <unordered_set>

#include "engine/model/task.h"
#include "engine/run/bell.h"
#include "engine/run/loop.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// Ends that may wait for a commit, before those who work wait for it, too: parts that take no time must
// neither pile up nor keep the loop.
constexpr std::size_t kMostUncommitted = 512;

// Works on one part after the other.
struct Worker {
  Interrupt interrupt;
  model::Scope around;
  bool ends_by_itself = false;  ///< what it works on now
};

// Cut between characters.
std::string_view shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Crew {
 public:
  Crew(RunContext& context, Journal& journal, const model::State& state, const Parts& parts)
      : context_(context),
        journal_(journal),
        state_(state),
        parts_(parts),
        ended_(context.runtime().executor),
        room_(context.runtime().executor) {}

  asio::awaitable<store::StoreResult<void>> work() {
    context_.rest().set_at_work(Rest::kBusy);
    forget_strangers();
    for (const EndedPart& part : current().parts) {
      enough_ = parts_.enough(part.error.is_null()) || enough_;
      names_before_.insert(part.name);
    }
    if (enough_ || names_before_.size() >= parts_.total) co_return store::StoreResult<void>{};
    find_begun();
    context_.tell(model::PartsBegan{state_.name, parts_.total, names_before_.size(), parts_.branches});
    store::StoreResult<void> result;
    for (;;) {
      if (is_stopped()) {
        stop();
      } else if (start_some()) {
        co_await let_others_run(context_.interrupt());
      }
      if (running_ == 0) undecide();
      if (!rows_.empty() && !waits_to_decide()) {
        result = co_await commit();
        if (!result) break;
      } else if (running_ > 0 && !may_start()) {
        if (!is_stopped()) context_.rest().set_at_work(running_);
        co_await ended_.wait(context_.interrupt());
        context_.rest().set_at_work(Rest::kBusy);
      } else if (running_ == 0) {
        break;
      }
    }
    if (!result) {
      failed_ = true;
      while (running_ > 0) {
        stop();
        co_await ended_.wait(context_.interrupt());
      }
    }
    if (fault_) std::rethrow_exception(fault_);
    co_return result;
  }

 private:
  Current& current() { return *context_.run().current; }
  bool is_stopped() const {
    return (enough_ && begun_.empty()) || failed_ || fault_ || context_.interrupt().reason() != Reason::kNone;
  }

  // What ended under another definition, and is no part of this one, counts for nothing here.
  void forget_strangers() {
    std::vector<EndedPart>& ended = current().parts;
    if (ended.empty()) return;
    std::unordered_set<std::string> known;
    for (std::uint64_t i = 0; i < parts_.total; ++i) known.insert(parts_.part(i).name);
    std::erase_if(ended, [&](const EndedPart& part) { return !known.contains(part.name); });
  }

  // What may have to be undone, and may have been worked on when an earlier process ended: there is not enough before
  // it has ended, or what it did then would be forgotten.
  void find_begun() {
    if (!context_.visit_taken_up() || current().failed_at) return;
    std::uint64_t most = parts_.at_once;  // they are begun in order
    for (std::uint64_t i = 0; i < parts_.total && most > 0; ++i) {
      const Part part = parts_.part(i);
      if (names_before_.contains(part.name)) continue;
      --most;
      if (ends_by_itself(*part.action)) begun_.insert(part.name);
    }
  }

  // So that no more than so many parts may have been begun beyond those whose end is durable: see find_begun.
  bool must_wait_for_ends() const {
    const bool all_durable = rows_.empty() && !commits_now_;
    if (all_durable || enough_ || !parts_.branches || next_ >= parts_.total || is_stopped()) return false;
    return ends_by_itself(*parts_.part(next_).action);
  }

  bool may_start() const { return !is_stopped() && workers_.size() < parts_.at_once && next_ < parts_.total; }

  // So many at a time that what ends at once is kept before more is begun. True if any was.
  bool start_some() {
    if (!may_start()) return false;
    for (std::size_t i = 0; i < kMostUncommitted && may_start(); ++i) {
      Worker& worker = *workers_.emplace_back(std::make_unique<Worker>());
      ++running_;
      asio::co_spawn(
          context_.runtime().executor, work_through(worker),
          asio::bind_cancellation_slot(worker.interrupt.slot(), [this, &worker](const std::exception_ptr& error) {
            --running_;
            cut_off_ = cut_off_ || worker.ends_by_itself;
            set_ends_by_itself(worker, false);
            if (error && !fault_ && !model::is_cut_off(error)) fault_ = error;
            ended_.ring();
          }));
    }
    return true;
  }

  // An interrupt that grows stronger is passed on anew; what it says to the workers, they look at.
  void stop() {
    const Reason reason = std::max(context_.interrupt().reason(), Reason::kLost);
    if (reason <= told_) return;
    told_ = reason;
    for (const auto& worker : workers_) worker->interrupt.raise(reason, context_.interrupt().detail());
    room_.ring();
  }

  std::optional<Part> next() {
    while (next_ < parts_.total && !is_stopped()) {
      index_ = next_++;
      Part part = parts_.part(index_);
      if (names_before_.contains(part.name) || (enough_ && !begun_.contains(part.name))) continue;
      return part;
    }
    return std::nullopt;
  }

  asio::awaitable<void> work_through(Worker& worker) {
    const Clock& clock = context_.runtime().clock;
    for (;;) {
      while (rows_.size() >= kMostUncommitted && !is_stopped()) co_await room_.wait(worker.interrupt);
      while (must_wait_for_ends()) co_await room_.wait(worker.interrupt);
      const auto part = next();
      if (!part) co_return;
      slot(worker.around, model::Slot::kIndex) = expr::Value::integer(static_cast<std::int64_t>(index_));
      if (part->item != nullptr) slot(worker.around, model::Slot::kItem) = expr::Value::view(*part->item);
      if (part->action->compensation && part->action->compensation->from_start) {
        auto kept = co_await keep_begin(worker, *part);
        if (!kept) co_return;
      }
      const SteadyTime begin = clock.steady();
      const Piece piece{state_, *part->action, worker.interrupt, part->name, &worker.around};
      set_ends_by_itself(worker, ends_by_itself(*part->action));
      auto worked = co_await perform(context_, piece);
      set_ends_by_itself(worker, false);
      take(*part, std::move(worked), std::chrono::duration_cast<Millis>(clock.steady() - begin));
    }
  }

  // Until it is durable that the part begins. False: it is not to begin any more.
  asio::awaitable<bool> keep_begin(Worker& worker, const Part& part) {
    store::PartBegan began{.state = state_.name, .visit = current().visit, .part = part.name, .item = item_of(part)};
    rows_.push_back({context_.runtime().clock.now(), std::move(began)});
    const std::uint64_t commit = commits_ + (commits_now_ ? 2 : 1);  // that it will be in
    ended_.ring();
    while (commits_ < commit && !is_stopped()) co_await room_.wait(worker.interrupt);
    co_return commits_ >= commit;
  }

  static Json item_of(const Part& part) { return part.item != nullptr ? *part.item : Json(); }

  void take(const Part& part, Worked worked, Millis took) {
    store::PartEnded ended{.state = state_.name,
                           .visit = current().visit,
                           .part = part.name,
                           .attempts = worked.attempts,
                           .duration = took};
    if (auto* success = std::get_if<model::Success>(&worked.outcome)) {
      ended.output = std::move(success->output);
      ended.owed = part.action->compensation != nullptr;
      if (ended.owed) ended.item = item_of(part);
    } else {
      const model::RunError& error = std::get<model::Failure>(worked.outcome).error;
      ended.error = error.to_json();
      ended.stderr_tail = error.stderr_tail;
    }
    context_.rest().set_at_work(Rest::kBusy);  // until its end has been judged
    begun_.erase(ended.part);
    if (parts_.enough(ended.error.is_null()) && !std::exchange(enough_, true)) decides_ = rows_.size();
    if (enough_) room_.ring();
    const WallTime now = context_.runtime().clock.now();
    rows_.push_back({now, parts_.branches ? store::Body(store::BranchEnded{std::move(ended)})
                                          : store::Body(store::ItemEnded{std::move(ended)})});
    ended_.ring();
  }

  asio::awaitable<store::StoreResult<void>> commit() {
    const std::size_t first = current().parts.size();
    journal_.add(std::exchange(rows_, {}));
    decides_.reset();
    room_.ring();
    commits_now_ = true;
    auto result = co_await journal_.commit();
    commits_now_ = false;
    if (!result) co_return result;
    ++commits_;
    room_.ring();
    for (std::size_t i = first; i < current().parts.size(); ++i) tell(current().parts[i]);
    co_return result;
  }

  void set_ends_by_itself(Worker& worker, bool ends) {
    if (std::exchange(worker.ends_by_itself, ends) != ends) ends ? ++finishing_ : --finishing_;
  }

  // Once it is durable that there is enough, no part is begun again. So what is let finish, as it may have to be
  // undone, ends first: it would be forgotten if the process died before.
  bool waits_to_decide() const { return decides_ && running_ > 0 && (finishing_ > 0 || !begun_.empty()); }

  // One of those was cut off, and is to be begun again by who takes the run up.
  void undecide() {
    if (!decides_ || !(cut_off_ || !begun_.empty()) || context_.interrupt().reason() != Reason::kSuspend) return;
    rows_.resize(*std::exchange(decides_, std::nullopt));
  }

  void tell(const EndedPart& part) {
    std::optional<model::RunError> error;
    if (!part.error.is_null()) error = model::RunError::from_json(part.error);
    context_.tell(model::PartEnded{.state = state_.name,
                                   .part = part.name,
                                   .error = error ? &*error : nullptr,
                                   .attempts = part.attempts,
                                   .duration = part.duration,
                                   .branch = parts_.branches});
  }

  RunContext& context_;
  Journal& journal_;
  const model::State& state_;
  const Parts& parts_;
  std::unordered_set<std::string> names_before_;
  std::unordered_set<std::string> begun_;  ///< by an earlier process, maybe, and not ended yet
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t running_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t index_ = 0;             ///< of the part that `next` gave last
  std::vector<store::Row> rows_;        ///< ended, and not in the journal yet
  std::optional<std::size_t> decides_;  ///< the row of those with which there was enough
  std::size_t finishing_ = 0;           ///< parts that end by themselves, and are worked on
  bool cut_off_ = false;                ///< one of them
  std::uint64_t commits_ = 0;           ///< that are durable
  Bell ended_;
  Bell room_;
  bool commits_now_ = false;
  bool enough_ = false;
  bool failed_ = false;  ///< the store
  Reason told_ = Reason::kNone;
  std::exception_ptr fault_;
};

}  // namespace

asio::awaitable<store::StoreResult<void>> work_on_parts(RunContext& context, Journal& journal,
                                                        const model::State& state, const Parts& parts) {
  Crew crew(context, journal, state, parts);
  auto result = co_await crew.work();
  co_return result;
}

Result<Json, model::RunError> list_of(RunContext& context, std::string_view where, const expr::Expression& expression) {
  const model::Scope scope = context.scope();
  const auto value = expression.evaluate(scope);
  if (value && !value->is(expr::Kind::kList)) {
    return std::unexpected(expression_error(where, fmt::format("must be a list, not {}", expr::type_name(*value)), {}));
  }
  return json_of(where, value);
}

PartOutputs::PartOutputs(std::vector<EndedPart>& parts) {
  for (EndedPart& part : parts) by_name_.emplace(part.name, &part);
}

Json PartOutputs::take(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return {{"status", "cancelled"}, {"output", nullptr}, {"error", nullptr}};
  EndedPart& part = *found->second;
  const bool good = part.error.is_null();
  ++(good ? succeeded_ : failed_);
  Json shown{{"status", good ? "succeeded" : "failed"}, {"error", part.error}};
  shown["output"] = std::move(part.output);
  return shown;
}

model::Failure parts_failed(std::string_view kind, std::string message, const std::vector<EndedPart>& parts) {
  auto failure = model::failure(kind, std::move(message));
  const auto told = std::ranges::find_if(
      parts, [](const EndedPart& part) { return !part.error.is_null() && !part.stderr_tail.empty(); });
  if (told != parts.end()) failure.error.stderr_tail = told->stderr_tail;
  return failure;
}

std::string failed_parts(const std::vector<EndedPart>& parts) {
  constexpr std::size_t kMost = 8;
  constexpr std::size_t kMessage = 200;
  std::vector<const EndedPart*> failed;
  for (const EndedPart& part : parts) {
    if (!part.error.is_null()) failed.push_back(&part);
  }
  // In an order that is not that of their ends: the same failure is told in the same words. Numbers come by size.
  const auto before = [](const EndedPart* a, const EndedPart* b) {
    const bool numbers = is_digit(a->name.front()) && is_digit(b->name.front());
    if (numbers && a->name.size() != b->name.size()) return a->name.size() < b->name.size();
    return a->name < b->name;
  };
  const std::size_t shown = std::min(failed.size(), kMost);
  std::ranges::partial_sort(failed, failed.begin() + static_cast<std::ptrdiff_t>(shown), before);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string message = model::RunError::from_json(failed[i]->error).message;
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", failed[i]->name, shortened(message, kMessage));
  }
  if (failed.size() > shown) text += fmt::format(" and {} more", failed.size() - shown);
  return text;
}

}  // namespace canorun::run
