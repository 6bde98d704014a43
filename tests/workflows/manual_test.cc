// The manual's examples are flows: each is loaded, and none may have a problem.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;

namespace {

struct Example {
  std::string form;  ///< what follows ```yaml
  std::string text;
  int line = 0;
};

std::string manual() {
  std::ifstream file(CANORUN_SOURCE_DIR "/workflows/FORMAT.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Example> examples() {
  std::vector<Example> found;
  std::istringstream lines(manual());
  std::string line;
  bool inside = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!inside && line.starts_with("```yaml")) {
      inside = true;
      found.push_back({line.size() > 8 ? line.substr(8) : "", "", number});
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      found.back().text += line + "\n";
    }
  }
  return found;
}

std::string indented(const std::string& text) {
  std::istringstream lines(text);
  std::string out, line;
  while (std::getline(lines, line)) out += "  " + line + "\n";
  return out;
}

/// `flow` is a whole file, `top` what stands above the states, `states` some of those. The parts get
/// what they take for granted.
std::string whole(const Example& example) {
  if (example.form == "flow") return example.text;
  const std::string name = example.text.find("name:") == std::string::npos || example.form == "states" ? "name: example\n" : "";
  if (example.form == "top") return name + example.text + "states: {done: {exit: success}}\n";
  REQUIRE_MESSAGE(example.form == "states", "the example in line " << example.line << " does not say what it is");
  return name +
         "inputs: {order_id: string, amount: double, url: string, query: any, title: string, date: string, file: string, who: string, "
         "text: string, target: string, folder: string, count: int}\n"
         "vars: {page: 1, last: null}\n"
         "states:\n" +
         indented(example.text) + "  done: {exit: success}\n";
}

}  // namespace

TEST_CASE("every example of the manual is valid, without a warning") {
  REQUIRE(examples().size() > 20);
  for (const Example& example : examples()) {
    const auto loaded = testing::load(whole(example));
    CHECK_MESSAGE(testing::problems(loaded).empty(), "FORMAT.md:" << example.line);
    CHECK_MESSAGE(loaded.flow, "FORMAT.md:" << example.line);
  }
}

TEST_CASE("every task kind, parameter and diagnostic code is in the manual") {
  const std::string text = manual();
  const auto has = [&](std::string_view what) { return text.find(what) != std::string::npos; };
  for (const model::TaskKind& kind : tasks::catalog()) {
    CHECK_MESSAGE(has("### `" + std::string(kind.name) + "`"), kind.name);
    for (const model::Param& param : kind.params) CHECK_MESSAGE(has("`" + std::string(param.name) + "`"), kind.name << " " << param.name);
    for (const model::Field& field : kind.outputs) CHECK_MESSAGE(has("`" + std::string(field.name) + "`"), kind.name << " " << field.name);
  }
  for (int code = 0; code <= static_cast<int>(Code::kShadowedTransition); ++code) {
    const auto name = code_name(static_cast<Code>(code));
    CHECK_MESSAGE(has("`" + std::string(name) + "`"), name);
  }
}
