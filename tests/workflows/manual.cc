#include "workflows/manual.h"

#include <doctest/doctest.h>

#include <sstream>

#include "support/program.h"

namespace canorun::workflows::testing {
namespace {

std::vector<Example> examples(const std::string& document) {
  std::vector<Example> found;
  std::istringstream lines(document);
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
  const std::string name =
      example.text.find("name:") == std::string::npos || example.form == "states" ? "name: example\n" : "";
  if (example.form == "top") return name + example.text + "states: {done: {exit: success}}\n";
  REQUIRE_MESSAGE(example.form == "states", "the example in line " << example.line << " does not say what it is");
  return name +
         "inputs: {order_id: string, amount: double, url: string, query: any, title: string, date: string, file: "
         "string, who: string, "
         "text: string, target: string, folder: string, count: int, urls: list, files: list}\n"
         "vars: {page: 1, last: null}\n"
         "states:\n" +
         indented(example.text) + "  done: {exit: success}\n";
}

}  // namespace

std::string manual() { return test::read_file(CANORUN_SOURCE_DIR "/workflows/FORMAT.md"); }

std::vector<Example> manual_examples() {
  std::vector<Example> found = examples(manual());
  for (Example& example : found) example.text = whole(example);
  return found;
}

std::vector<Example> readme_examples() { return examples(test::read_file(CANORUN_SOURCE_DIR "/README.md")); }

}  // namespace canorun::workflows::testing
