#include "cli/view_events.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/view_run.h"
#include "engine/base/duration.h"
#include "engine/base/ids.h"
#include "engine/model/error.h"
#include "engine/run/run_state.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kText = 100;

std::string via_note(const std::vector<std::string>& via) {
  return via.empty() ? std::string() : fmt::format(", by way of {}", fmt::join(via, ", "));
}

// One overload per kind of row.
class What {
 public:
  explicit What(const Style& with) : style(with) {}

  std::string operator()(const store::RunStarted& row) const {
    return fmt::format("flow {} version {}", row.flow, row.version);
  }
  std::string operator()(const store::StateEntered& row) const {
    const std::string until = row.deadline ? fmt::format(", until {}", format_time(*row.deadline)) : std::string();
    return row.state + visit_note(row.visit) + via_note(row.via) + until;
  }
  std::string operator()(const store::StateEnded& row) const {
    std::string out = row.state + visit_note(row.visit) + ": " + ended(row);
    if (row.attempts > 1) out += fmt::format(" ({} attempts)", row.attempts);
    if (!row.set.empty()) out += "; set " + brief(row.set, kText);
    return out;
  }
  std::string operator()(const store::PartEnded& row) const {
    std::string out = work_name(row.state, row.part) + visit_note(row.visit) + ": " + ended(row);
    if (row.attempts > 1) out += fmt::format(" ({} attempts)", row.attempts);
    return out;
  }
  std::string operator()(const store::PartBegan& row) const {
    return work_name(row.state, row.part) + visit_note(row.visit);
  }
  std::string operator()(const store::RollbackStarted& row) const {
    std::string out = row.state + via_note(row.via);
    if (row.error.is_null()) return out;
    return out + (out.empty() ? "" : ": ") + one_line(model::RunError::from_json(row.error).message, kText);
  }
  std::string operator()(const store::StepEnded& row) const {
    std::string out = fmt::format("{}{}: {} in {}", work_name(row.state, std::to_string(row.step)),
                                  visit_note(row.visit), style.good("ok"), human_duration(row.duration));
    out += row.cursor.is_null() ? ", the last" : ", next at " + brief(row.cursor, kText);
    if (row.attempts > 1) out += fmt::format(" ({} attempts)", row.attempts);
    return out;
  }
  std::string operator()(const store::SignalReceived& row) const {
    std::string out = fmt::format("{}{}: {}", row.state, visit_note(row.visit), one_line(row.signal, kText));
    if (!row.data.is_null()) out += ": " + brief(row.data, kText);
    return out;
  }
  std::string operator()(const store::RunSuspended& row) const {
    return row.waits_for ? waits_text(*row.waits_for) : one_line(row.reason, kText);
  }
  std::string operator()(const store::WindowEnded& row) const {
    std::string out = fmt::format("{}{}: {} in {}, {} items so far", work_name(row.state, std::to_string(row.window)),
                                  visit_note(row.visit), style.good("ok"), human_duration(row.duration), row.items);
    if (row.skipped > 0) out += fmt::format(", {} skipped", row.skipped);
    if (row.end != store::StreamEnd::kNone) out += fmt::format(", {}", run::stream_end_name(row.end));
    out += ", cursor " + brief(row.cursor, kText);
    if (row.attempts > 1) out += fmt::format(" ({} attempts)", row.attempts);
    return out;
  }
  std::string operator()(const store::RunResumed& row) const {
    std::string out = row.state.empty() ? "before its first state" : "at " + row.state;
    if (row.by_hand) out += ", by hand";
    if (row.file) out += ", with " + one_line(*row.file, kText);
    if (row.version) out += fmt::format(", which is version {}", *row.version);
    return out;
  }
  std::string operator()(const store::RunQueued& row) const {
    return "waits for its group " + one_line(row.group, kText);
  }
  std::string operator()(const store::RunEnded& row) const {
    std::string out = painted(row.status, style);
    if (!row.state.empty()) out += " at " + row.state;
    out += via_note(row.via);
    if (!row.error.is_null()) out += ": " + one_line(model::RunError::from_json(row.error).message, kText);
    if (!row.output.is_null()) out += ": " + brief(row.output, kText);
    return out;
  }

 private:
  // How a state or a part of its work ended.
  std::string ended(const auto& row) const {
    const std::string took = human_duration(row.duration);
    if (!row.error.is_null()) {
      const auto error = model::RunError::from_json(row.error);
      return fmt::format("{} in {}: {}", style.bad("failed"), took, one_line(error.message, kText));
    }
    const std::string shown = output_summary(row.output, kText);
    return fmt::format("{} in {}{}{}", style.good("ok"), took, shown.empty() ? "" : ": ", shown);
  }

  const Style& style;
};

}  // namespace

std::string event_text(const store::Row& row, std::uint64_t sequence, const Style& style) {
  return fmt::format("{:>4}  {}  {:<18}  {}\n", sequence, style.dim(format_time(row.at)), store::type_name(row),
                     std::visit(What(style), row.body));
}

}  // namespace canorun::cli
