#include "cli/event_line.h"

#include <fmt/format.h>

#include "cli/view_run.h"
#include "engine/base/duration.h"
#include "engine/base/ids.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kMessage = 300;
constexpr std::size_t kGroup = 80;

// One overload per event; each gives the event's line or nothing.
struct Line {
  using Text = std::optional<std::string>;

  std::string_view run;
  std::string_view around;
  Detail detail;
  bool marks;
  const Style& style;

  Text operator()(const model::RunBegan& event) const {
    const std::string at = event.state.empty() ? std::string() : fmt::format(" at {}", event.state);
    if (around.empty()) {
      return normal(style.bold("▶"), run, event.resumed ? "resumed" + at : fmt::format("started flow {}", event.flow));
    }
    return normal(
        style.bold("▶"), around,
        event.resumed ? fmt::format("{} resumed{}", run, at) : fmt::format("started flow {} as {}", event.flow, run));
  }
  Text operator()(const model::StateBegan& event) const {
    if (marks) return std::nullopt;  // the live line shows it
    return normal("", event.state, "started" + visit_note(event.visit));
  }
  Text operator()(const model::AttemptBegan& event) const {
    if (detail != Detail::kVerbose) return std::nullopt;
    return normal(style.dim("·"), work_name(event.state, event.part),
                  fmt::format("attempt {} of {}", event.attempt, event.of));
  }
  Text operator()(const model::AttemptFailed& event) const {
    if (!event.retry_in && detail != Detail::kVerbose) return std::nullopt;  // the state's failure follows
    std::string what = fmt::format("attempt {} of {} failed: {}", event.attempt, event.of, message(*event.error));
    if (event.retry_in) what += fmt::format("; again in {}", human_duration(*event.retry_in));
    return normal(style.pending("!"), work_name(event.state, event.part), what);
  }
  Text operator()(const model::StateSucceeded& event) const {
    std::string what = marks ? human_duration(event.duration) : "ok in " + human_duration(event.duration);
    if (event.attempts > 1) what += fmt::format(", attempt {}", event.attempts);
    if (marks) what += visit_note(event.visit);
    return normal(style.good("✓"), event.state, what);
  }
  Text operator()(const model::StateFailed& event) const {
    std::string what = fmt::format("failed in {}: {}", human_duration(event.duration), message(*event.error));
    if (!event.goes_to.empty()) what += fmt::format("; goes to {}", event.goes_to);
    return normal(event.goes_to.empty() ? style.bad("✗") : style.pending("✗"), event.state, what);
  }
  Text operator()(const model::PartsBegan& event) const {
    if (event.ended == 0 && detail != Detail::kVerbose) return std::nullopt;
    const char* noun = event.branches ? "branches" : "items";
    const std::string before = event.ended > 0 ? fmt::format(", {} of them ended before", event.ended) : std::string();
    return normal(style.dim("·"), event.state, fmt::format("{} {}{}", event.total, noun, before));
  }
  Text operator()(const model::PartEnded& event) const {
    const std::string name = work_name(event.state, event.part);
    if (event.error != nullptr) {
      return normal(style.bad("✗"), name,
                    fmt::format("failed in {}: {}", human_duration(event.duration), message(*event.error)));
    }
    if (!event.branch && detail != Detail::kVerbose) return std::nullopt;  // counted
    std::string what = marks ? human_duration(event.duration) : "ok in " + human_duration(event.duration);
    if (event.attempts > 1) what += fmt::format(", attempt {}", event.attempts);
    return normal(style.good("✓"), name, what);
  }
  Text operator()(const model::Advanced&) const { return std::nullopt; }  // counted
  Text operator()(const model::Waiting& event) const {
    if (marks && detail != Detail::kVerbose) return std::nullopt;  // the live line shows it
    return normal(style.dim("·"), event.state, waits_text({event.until, std::string(event.signal)}));
  }
  Text operator()(const model::Held& event) const {
    if (!event.part.empty() && detail != Detail::kVerbose) return std::nullopt;  // there may be thousands
    if (marks && detail != Detail::kVerbose) return std::nullopt;                // the live line shows it
    return normal(style.dim("·"), work_name(event.state, event.part), held_text(event));
  }
  Text operator()(const model::Queued& event) const {
    std::string what = fmt::format("waits for {}, which has the group {}", event.before, one_line(event.group, kGroup));
    if (event.ahead > 1) what += fmt::format("; {} runs come first", event.ahead);
    return normal(style.dim("·"), "queued", what);
  }
  Text operator()(const model::Said& event) const {
    const std::string name = work_name(event.state, event.part);
    switch (event.level) {
      case model::LogLevel::kDebug:
        if (detail != Detail::kVerbose) return std::nullopt;
        return normal(style.dim("·"), name, event.message);
      case model::LogLevel::kInfo: return normal(style.dim("·"), name, event.message);
      case model::LogLevel::kWarn: return normal(style.pending("!"), name, fmt::format("warning: {}", event.message));
      case model::LogLevel::kError: return line(style.bad("!"), name, fmt::format("error: {}", event.message));
    }
    return std::nullopt;
  }
  Text operator()(const model::Wrote&) const { return std::nullopt; }  // told line by line
  Text operator()(const model::OrphansFound& event) const {
    const char* noun = event.count == 1 ? "process" : "processes";
    return normal(style.pending("!"), event.state,
                  fmt::format("ending {} {} that an earlier attempt left behind", event.count, noun));
  }
  Text operator()(const model::RollbackBegan& event) const {
    const std::string cause = event.error != nullptr ? ": " + message(*event.error) : std::string();
    return normal(style.pending("↩"), run, fmt::format("rolling back {}{}", counted(event.count, "step"), cause));
  }
  Text operator()(const model::CompensationBegan&) const { return std::nullopt; }
  Text operator()(const model::CompensationEnded& event) const {
    const std::string name = work_name(event.state, event.undoes) + visit_note(event.visit);
    if (event.error != nullptr) {
      return line(style.bad("✗"), name,
                  fmt::format("not undone in {}: {}", human_duration(event.duration), message(*event.error)));
    }
    std::string what = "undone in " + human_duration(event.duration);
    if (event.attempts > 1) what += fmt::format(", attempt {}", event.attempts);
    return normal(style.good("↩"), name, what);
  }
  Text operator()(const model::Stopping& event) const {
    return normal(style.pending("!"), run,
                  fmt::format("{}: {}", event.cancel ? "cancelling" : "suspending", event.reason));
  }

 private:
  Text normal(const std::string& mark, std::string_view subject, std::string_view what) const {
    return detail == Detail::kQuiet ? Text() : line(mark, subject, what);
  }
  // Text of several lines has the subject before each.
  std::string line(const std::string& mark, std::string_view subject, std::string_view what) const {
    std::string out;
    for (bool more = true; more;) {
      const auto end = what.find('\n');
      more = end != std::string_view::npos && end + 1 < what.size();
      const std::string shown = printable(what.substr(0, end));
      if (!out.empty()) out += '\n';
      out += marks ? fmt::format("{} {} {}", mark, style.bold(subject), shown) : fmt::format("{}: {}", subject, shown);
      if (more) what.remove_prefix(end + 1);
    }
    return out;
  }
  static std::string message(const model::RunError& error) { return one_line(error.message, kMessage); }
};

}  // namespace

std::string held_text(const model::Held& event) {
  const std::string time = event.time > Millis{0} ? ", about " + human_duration(event.time) : std::string();
  return fmt::format("waits for the rate limit {}{}", event.limit, time);
}

std::optional<std::string> event_line(const model::Event& event, Detail detail, bool marks, const Style& style) {
  return std::visit(Line{event.run, event.around, detail, marks, style}, event.what);
}

}  // namespace canorun::cli
