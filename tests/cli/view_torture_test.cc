#include "cli/view_torture.h"

#include <doctest/doctest.h>

using namespace canorun;

namespace {

cli::TortureReport report() {
  cli::TortureReport out;
  out.whole = {.status = store::Status::kFailed, .state = "ship", .error = "exit"};
  out.took = Millis{12};
  out.kills = 8;
  out.same = 8;
  return out;
}

std::string found(cli::Step step, std::vector<cli::Difference> differences = {{"status", {}, "x"}}) {
  cli::TortureReport out = report();
  out.same = 7;
  out.findings = {{std::move(step), std::move(differences), {{true, 3, "state_ended pay"}}}};
  const std::string text = cli::torture_text("pay", out, {});
  return text.substr(0, text.find("pay: 1 of 8 kills"));
}

}  // namespace

TEST_CASE("when all is the same, the end is named, and what was left out") {
  cli::TortureReport all = report();
  CHECK(cli::torture_text("pay", all, {}) == "pay: all 8 kills came to the same end: failed at ship\n");
  all.left_out = {"output.at"};
  all.unkilled = 2;
  CHECK(cli::torture_text("pay", all, {}) ==
        "not compared, as it differs from run to run: output.at\n"
        "pay: all 8 kills came to the same end: failed at ship\n"
        "2 of them ended before that row came\n");
}

TEST_CASE("what was cut off is named by what it is") {
  using enum cli::Step::Kind;
  const std::string rest = ":\n  x\n  when it is killed after row 3 (state_ended pay)\n";
  CHECK(found({kWork, "pay"}) == "step 'pay' is not safe to run twice" + rest);
  CHECK(found({kWork, "pay", true}) == "step 'pay' is not safe to run twice, or the setup of a service is not" + rest);
  CHECK(found({kUndoing, "pay"}) == "what undoes 'pay' is not safe to run twice" + rest);
  CHECK(found({kStart}) == "what comes before the first state is not safe to run twice" + rest);
  CHECK(found({kAfterwards}) == "what comes after the outcome (on_end, services) is not safe to run twice" + rest);
  CHECK(found({kNone}) ==
        "another end although nothing was run twice: it depends on more than the inputs and the folder" + rest);
}

TEST_CASE("many differences and many kills are cut short") {
  std::vector<cli::Difference> many;
  std::string lines;
  for (int i = 0; i < 12; ++i) many.push_back({"file", {}, "file " + std::to_string(i) + "\x1b"});
  for (int i = 0; i < 10; ++i) lines += "  file " + std::to_string(i) + "\xEF\xBF\xBD\n";
  CHECK(found({cli::Step::Kind::kWork, "pay"}, many) ==
        "step 'pay' is not safe to run twice:\n" + lines +
            "  and 2 differences more\n  when it is killed after row 3 (state_ended pay)\n");
  cli::TortureReport out = report();
  out.findings = {{{cli::Step::Kind::kWork, "pay"}, {{"file", {}, "x"}}, {}}};
  for (std::uint64_t row = 0; row < 6; ++row) out.findings[0].kills.push_back({false, row});
  CHECK(cli::torture_text("pay", out, {})
            .find("  when it is killed before row 0, before row 1, before row 2, before row 3 and 2 more\n") !=
        std::string::npos);
}

TEST_CASE("a report as JSON has null for what is not there") {
  cli::TortureReport out = report();
  out.findings = {{{cli::Step::Kind::kNone}, {{"output", "output.n", "x"}}, {{true, 3}}}};
  const Json json = cli::torture_json("pay", 2, out);
  CHECK(json["version"] == 2);
  CHECK(json["whole"] ==
        Json{{"status", "failed"}, {"state", "ship"}, {"output", nullptr}, {"error", "exit"}, {"duration_ms", 12}});
  CHECK(json["findings"][0]["at"] == "none");
  CHECK(json["findings"][0]["step"].is_null());
  CHECK(json["findings"][0]["kills"][0] == Json{{"point", "after"}, {"row", 3}, {"run", nullptr}, {"what", nullptr}});
}
