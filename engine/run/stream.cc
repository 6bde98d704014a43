// `stream`: a source without an end, window by window.
#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <memory>

#include "engine/base/duration.h"
#include "engine/model/task.h"
#include "engine/run/bell.h"
#include "engine/run/loop.h"
#include "engine/run/stream_source.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// A window is full with so many bytes of lines, whatever else makes it full: it is held in memory.
constexpr std::size_t kMostBytes = std::size_t{64} << 20;
// What a flush may take once the run has to end.
constexpr Millis kSuspendGrace{10'000};
constexpr Millis kEndGrace{30'000};

// Of so many windows the logs are kept, and of twice as many at most: looking for old ones takes its time.
constexpr std::uint64_t kWindowsLogged = 64;

// The window that a part belongs to; none: it is the source's.
std::optional<std::uint64_t> window_of(std::string_view part) {
  std::uint64_t window = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), window);
  return error == std::errc{} ? std::optional(window) : std::nullopt;
}

// The flush of a window while it runs. What ends the run does not end it at once, so it has an interrupt of its own.
struct Flushing {
  Interrupt interrupt;
  std::optional<Worked> worked;
  std::exception_ptr thrown;
  bool ended = false;
};

class Stream {
 public:
  Stream(RunContext& context, Journal& journal, const model::State& state)
      : context_(context),
        journal_(journal),
        state_(state),
        stream_(std::get<model::StreamShape>(state.shape)),
        bell_(std::make_shared<Bell>(context.runtime().executor)),
        timer_(context.runtime().executor),
        source_(context, state, stream_, [bell = bell_] { bell->ring(); }),
        around_(context.scope()) {}

  asio::awaitable<Worked> work() {
    cursor_ = current().cursor;
    if (current().end != store::StreamEnd::kNone) co_return output(current().end);
    if (auto failed = begin()) co_return std::move(*failed);
    std::optional<Worked> worked;
    std::exception_ptr thrown;
    try {
      auto done = co_await read_on();
      worked = std::move(done);
    } catch (...) {
      thrown = std::current_exception();
    }
    timer_.cancel();
    if (is_interrupted()) co_await calm();
    co_await source_.end();
    if (thrown && !model::is_cut_off(thrown)) std::rethrow_exception(thrown);
    if (worked) co_return std::move(*worked);
    // What was read is not lost because the run ends here.
    if (!gave_up_flush_) {
      auto failed = co_await flush();
      if (failed && failed->store_error) co_return std::move(*failed);
      if (failed) tell_lost(std::get<model::Failure>(failed->outcome).error.message);
    }
    model::cut_off();
  }

 private:
  Current& current() { return *context_.run().current; }
  bool is_interrupted() const { return context_.interrupt().reason() != Reason::kNone; }

  std::optional<Worked> begin() {
    if (current().windows > 0) return std::nullopt;
    auto initial = stream_.initial.evaluate(around_);
    if (!initial) return failed("stream.initial", initial.error());
    cursor_ = committed_ = std::move(*initial);
    return std::nullopt;
  }

  static Worked failed(std::string_view where, const expr::Problem& problem) {
    return {model::Failure{expression_error(where, problem.message, problem.hint)}, 1};
  }

  // Ends with the stream, or with what failed; is cut off when the run has to end.
  asio::awaitable<Worked> read_on() {
    for (;;) {
      if (is_interrupted()) model::cut_off();
      std::optional<Worked> over;
      if (is_full()) {
        over = co_await flush();
      } else if (!source_.is_open()) {
        auto failure = co_await source_.open(committed());
        if (failure) over = co_await try_again(*failure);
      } else {
        model::NextLine next = source_.next();
        if (auto* line = std::get_if<model::Line>(&next)) {
          over = co_await take(*line);
        } else if (auto* outcome = std::get_if<model::Outcome>(&next)) {
          over = co_await source_ended(*outcome);
        } else {
          co_await bell_->wait(context_.interrupt());
        }
      }
      if (over) co_return std::move(*over);
    }
  }

  bool is_full() {
    if (items_.empty()) return false;
    return (stream_.count && items_.size() >= *stream_.count) || bytes_ >= kMostBytes ||
           (stream_.every && context_.runtime().clock.steady() >= due_);
  }

  const Json& committed() { return current().windows > 0 ? current().cursor : committed_; }

  asio::awaitable<std::optional<Worked>> source_ended(model::Outcome& outcome) {
    co_await source_.end(outcome);
    if (auto* failure = std::get_if<model::Failure>(&outcome)) {
      auto over = co_await try_again(*failure);
      co_return over;
    }
    auto over = co_await end(store::StreamEnd::kExhausted);
    co_return over;
  }

  // The open window will be read again.
  asio::awaitable<std::optional<Worked>> try_again(model::Failure& failure) {
    if (is_interrupted()) model::cut_off();  // while it was ended
    const auto delay = source_.failed(failure);
    if (!delay) co_return Worked{std::move(failure), source_.attempts()};
    forget_window();
    cursor_ = committed();
    Timer timer(context_.runtime().executor);
    timer.expires_after(*delay);
    co_await timer.async_wait(asio::use_awaitable);
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Worked>> end(store::StreamEnd why) {
    end_ = why;
    co_await source_.end();
    auto failed = co_await flush();
    if (failed) co_return failed;
    co_return output(why);
  }

  Worked output(store::StreamEnd why) {
    Json output{{"items", current().items}, {"windows", current().windows}};
    normalize(output);
    output["cursor"] = std::move(cursor_);
    output["reason"] = stream_end_name(why);
    return {model::Success{std::move(output)}, 1};
  }

  // One line: an item of the open window, or an error of one.
  asio::awaitable<std::optional<Worked>> take(model::Line& line) {
    const std::uint64_t number = read_++;
    if (number % kRowsWithoutPause == kRowsWithoutPause - 1) co_await let_others_run(context_.interrupt());
    if (is_interrupted()) model::cut_off();
    bool last = false;
    Json next = cursor_;
    if (!stream_.cursor && line.behind) next = static_cast<std::int64_t>(*line.behind);
    auto item = read_item(line, next, last);
    std::optional<model::RunError> error;
    if (!item) {
      error = std::move(item.error());
    } else if (stream_.each) {
      around(&*item, cursor_);
      const Piece piece{state_, *stream_.each, context_.interrupt(), fmt::format("{}:{}", current().windows, number),
                        &around_};
      auto worked = co_await perform(context_, piece);
      if (auto* failure = std::get_if<model::Failure>(&worked.outcome)) error = std::move(failure->error);
    }
    if (error) {
      if (auto over = item_failed(std::move(*error))) co_return over;
    } else {
      add(std::move(*item), line.bytes.size());
    }
    cursor_ = std::move(next);
    if (!last) co_return std::nullopt;
    auto over = co_await end(store::StreamEnd::kStopped);
    co_return over;
  }

  // The item of a line, the cursor behind it and whether it is the last.
  Result<Json, model::RunError> read_item(const model::Line& line, Json& next, bool& last) {
    Json item;
    if (stream_.json) {
      auto parsed = parse_json(line.bytes);
      if (!parsed) {
        return std::unexpected(
            model::RunError{.kind = std::string(model::kind::kTask), .message = std::move(parsed.error().message)});
      }
      item = std::move(*parsed);
    } else {
      item = to_utf8(line.bytes);
    }
    around(&item, cursor_);
    if (stream_.cursor) {
      auto cursor = json_of("stream.cursor", stream_.cursor->evaluate(around_));
      if (!cursor) return std::unexpected(std::move(cursor.error()));
      context_.masker().mask(*cursor);  // as it is kept
      next = std::move(*cursor);
    }
    if (stream_.stop_when) {
      const auto stops = truth("stream.stop_when", stream_.stop_when->evaluate(around_));
      if (!stops) return std::unexpected(stops.error());
      last = *stops;
    }
    return item;
  }

  // What expressions see; no item: of a flush.
  void around(const Json* item, const Json& cursor) {
    slot(around_, model::Slot::kItem) = item != nullptr ? expr::Value::view(*item) : expr::Value();
    slot(around_, model::Slot::kIndex) =
        item != nullptr ? expr::Value::integer(static_cast<std::int64_t>(items_.size())) : expr::Value();
    slot(around_, model::Slot::kItems) = item != nullptr ? expr::Value() : expr::Value::view(items_);
    slot(around_, model::Slot::kCursor) = expr::Value::view(cursor);
  }

  std::optional<Worked> item_failed(model::RunError error) {
    const std::uint64_t place = current().items + current().skipped + items_.size() + skipped_ + 1;
    error.message = fmt::format("item {}: {}", place, error.message);
    const auto& rule = stream_.on_item_error;
    const std::uint64_t skipped = current().skipped + skipped_ + 1;
    if (!rule.skip) return Worked{model::Failure{std::move(error)}, 1};
    if (rule.max && skipped > *rule.max) {
      error.message = fmt::format("more than {} items failed, the last one: {}", *rule.max, error.message);
      return Worked{model::Failure{std::move(error)}, 1};
    }
    ++skipped_;
    context_.tell(model::Said{state_.name, model::LogLevel::kWarn, "skipped " + error.message});
    return std::nullopt;
  }

  void add(Json item, std::size_t bytes) {
    if (items_.empty() && stream_.every) {
      due_ = context_.runtime().clock.steady() + *stream_.every;
      timer_.expires_at(due_);
      timer_.async_wait([bell = bell_](const boost::system::error_code& error) {
        if (!error) bell->ring();
      });
    }
    bytes_ += bytes;
    items_.push_back(std::move(item));
  }

  void forget_window() {
    timer_.cancel();
    items_ = Json::array();
    bytes_ = 0;
    skipped_ = 0;
    read_ = 0;
  }

  // Flushes the open window, if there is one, and commits its cursor. What ends the run does not end this at once.
  asio::awaitable<std::optional<Worked>> flush() {
    if (items_.empty()) co_return std::nullopt;
    const Clock& clock = context_.runtime().clock;
    const SteadyTime begin = clock.steady();
    around(nullptr, cursor_);
    // A window that is read again may hold other items: then it is other work, with a key of its own.
    const Piece piece{state_, stream_.flush, flushing_.interrupt, fmt::format("{}:flush:{}", current().windows, read_),
                      &around_};
    auto worked = co_await flush_through(piece);
    if (std::holds_alternative<model::Failure>(worked.outcome)) {
      gave_up_flush_ = true;
      co_return std::move(worked);
    }
    const auto took = std::chrono::duration_cast<Millis>(clock.steady() - begin);
    journal_.add(store::WindowEnded{.state = state_.name,
                                    .visit = current().visit,
                                    .window = current().windows,
                                    .attempts = worked.attempts,
                                    .duration = took,
                                    .items = current().items + items_.size(),
                                    .skipped = current().skipped + skipped_,
                                    .cursor = cursor_,
                                    .end = end_,
                                    .replaces = context_.run().replaceable});
    forget_window();
    source_.forget_failures();
    auto committed = co_await journal_.commit();
    if (!committed) {
      gave_up_flush_ = true;
      co_return store_failed(std::move(committed.error()));
    }
    context_.drop_kept();
    if (current().windows % kWindowsLogged == 0) remove_old_logs();
    context_.tell(
        model::Advanced{.state = state_.name, .unit = "window", .count = current().windows, .items = current().items});
    co_await source_.kept();
    co_return std::nullopt;
  }

  void remove_old_logs() {
    remove_logs(context_.log_folder(), state_.name, [this](const AttemptName& name) {
      const auto window = window_of(name.part);
      return name.row == current().row && window && *window + kWindowsLogged < current().windows;
    });
  }

  // Waits for the flush, whatever is raised meanwhile; but once the run has to end, not for ever.
  asio::awaitable<Worked> flush_through(const Piece& piece) {
    Interrupt& own = flushing_.interrupt;
    flushing_.ended = false;
    asio::co_spawn(context_.runtime().executor, perform(context_, piece),
                   asio::bind_cancellation_slot(own.slot(), [this](std::exception_ptr thrown, Worked worked) {
                     flushing_.thrown = std::move(thrown);
                     flushing_.worked = std::move(worked);
                     flushing_.ended = true;
                     bell_->ring();
                   }));
    Alarm grace(context_.runtime().executor, own);
    Reason heard = Reason::kNone;
    while (!flushing_.ended) {
      const Reason reason = context_.interrupt().reason();
      if (heard >= Reason::kSuspend && reason > heard) own.raise(reason);  // who asks twice means it
      if (reason > heard) grace.arm(reason == Reason::kSuspend ? kSuspendGrace : kEndGrace, reason);
      heard = std::max(heard, reason);
      co_await bell_->wait(context_.interrupt());
    }
    if (flushing_.thrown) {
      gave_up_flush_ = true;
      if (model::is_cut_off(flushing_.thrown)) tell_lost("it took too long");
      std::rethrow_exception(flushing_.thrown);
    }
    co_return std::move(*flushing_.worked);
  }

  void tell_lost(std::string_view why) {
    context_.tell(model::Said{state_.name, model::LogLevel::kWarn,
                              fmt::format("the open window was not flushed, and will be read again: {}", why)});
  }

  RunContext& context_;
  Journal& journal_;
  const model::State& state_;
  const model::StreamShape& stream_;
  std::shared_ptr<Bell> bell_;  ///< rung for lines, for a window's time and for the end of its flush
  Timer timer_;                 ///< of the open window
  StreamSource source_;
  model::Scope around_;
  Flushing flushing_;
  Json committed_;  ///< the first cursor: afterwards it is the run's
  Json cursor_;     ///< behind the last line
  Json items_ = Json::array();
  std::size_t bytes_ = 0;
  std::uint64_t read_ = 0;     ///< lines since the last commit
  std::uint64_t skipped_ = 0;  ///< of them
  SteadyTime due_{};
  store::StreamEnd end_ = store::StreamEnd::kNone;  ///< known before the last window is flushed
  bool gave_up_flush_ = false;
};

}  // namespace

asio::awaitable<Worked> work_stream(RunContext& context, Journal& journal, const model::State& state) {
  context.rest().set_at_work(Rest::kBusy);  // it reads, whatever its actions do
  Stream stream(context, journal, state);
  auto worked = co_await stream.work();
  co_return worked;
}

}  // namespace canorun::run
