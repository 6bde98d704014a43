#include "cli/view_torture.h"

#include <fmt/format.h>

#include "cli/view_run.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kShownDifferences = 10;
constexpr std::size_t kShownKills = 4;

std::string headline(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kStart: return "what comes before the first state is not safe to run twice";
    case Step::Kind::kWork:
      return fmt::format("step '{}' is not safe to run twice{}", step.name,
                         step.services ? ", or the setup of a service is not" : "");
    case Step::Kind::kUndoing: return fmt::format("what undoes '{}' is not safe to run twice", step.name);
    case Step::Kind::kAfterwards: return "what comes after the outcome (on_end, services) is not safe to run twice";
    case Step::Kind::kNone: break;
  }
  return "another end although nothing was run twice: it depends on more than the inputs and the folder";
}

std::string_view place(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::kStart: return "start";
    case Step::Kind::kWork: return "work";
    case Step::Kind::kUndoing: return "rollback";
    case Step::Kind::kAfterwards: return "afterwards";
    case Step::Kind::kNone: break;
  }
  return "none";
}

std::string finding_text(const Finding& finding, const Style& style) {
  std::string out = style.bad(headline(finding.step)) + ":\n";
  const std::size_t shown = std::min(finding.differences.size(), kShownDifferences);
  for (std::size_t i = 0; i < shown; ++i) out += "  " + printable(finding.differences[i].text) + "\n";
  if (finding.differences.size() > shown) {
    out += fmt::format("  and {} more\n", counted(finding.differences.size() - shown, "difference"));
  }
  std::vector<std::string> kills;
  for (const Kill& kill : finding.kills) kills.push_back(kill_text(kill));
  return out + "  when it is killed " + listed({kills.begin(), kills.end()}, kShownKills) + "\n";
}

// By what a step can be made safe.
std::string next_text(const TortureReport& report) {
  if (report.findings.empty()) return {};
  return "next:\n"
         "  let such a step find out what it has done already: by what it leaves, or by CANORUN_IDEMPOTENCY_KEY,\n"
         "  which is the same whenever it is run again\n";
}

}  // namespace

std::string kill_text(const Kill& kill) {
  return fmt::format("{} row {}{}{}", kill.after ? "after" : "before", kill.row,
                     kill.run.empty() ? "" : " of " + kill.run, kill.what.empty() ? "" : " (" + kill.what + ")");
}

std::string torture_text(const std::string& name, const TortureReport& report, const Style& style) {
  std::string out;
  for (const Finding& finding : report.findings) out += finding_text(finding, style);
  for (const std::string& what : report.left_out) {
    out += fmt::format("not compared, as it differs from run to run: {}\n", what);
  }
  const std::string end = fmt::format("{}{}", painted(report.whole.status, style),
                                      report.whole.state.empty() ? "" : " at " + report.whole.state);
  if (report.findings.empty()) {
    out += fmt::format("{}: all {} came to the same end: {}\n", name, counted(report.kills, "kill"), end);
  } else {
    out += fmt::format("{}: {} of {} came to another end than when it is left alone: {}\n", name,
                       report.kills - report.same, counted(report.kills, "kill"), end);
  }
  if (report.unkilled > 0) out += fmt::format("{} of them ended before that row came\n", report.unkilled);
  return out + next_text(report);
}

Json torture_json(const std::string& name, std::uint64_t version, const TortureReport& report) {
  const End& whole = report.whole;
  Json out{{"flow", name},
           {"version", version},
           {"whole",
            {{"status", store::status_name(whole.status)},
             {"state", whole.state.empty() ? Json() : Json(whole.state)},
             {"output", whole.output},
             {"error", whole.error.empty() ? Json() : Json(whole.error)},
             {"duration_ms", report.took.count()}}},
           {"kills", report.kills},
           {"same", report.same},
           {"unkilled", report.unkilled},
           {"left_out", report.left_out},
           {"findings", Json::array()}};
  for (const Finding& finding : report.findings) {
    Json one{{"at", place(finding.step.kind)},
             {"step", finding.step.name.empty() ? Json() : Json(finding.step.name)},
             {"services", finding.step.services},
             {"differences", Json::array()},
             {"kills", Json::array()}};
    for (const Difference& difference : finding.differences) {
      one["differences"].push_back({{"what", difference.what}, {"name", difference.name}, {"text", difference.text}});
    }
    for (const Kill& kill : finding.kills) {
      one["kills"].push_back({{"point", kill.after ? "after" : "before"},
                              {"run", kill.run.empty() ? Json() : Json(kill.run)},
                              {"row", kill.row},
                              {"what", kill.what.empty() ? Json() : Json(kill.what)}});
    }
    out["findings"].push_back(std::move(one));
  }
  return out;
}

}  // namespace canorun::cli
