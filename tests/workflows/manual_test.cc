// The manual's examples are flows: each is loaded, and none may have a problem.
#include "workflows/manual.h"

#include <doctest/doctest.h>

#include "engine/model/error.h"
#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;

TEST_CASE("every example of the manual is valid, without a warning") {
  const auto examples = testing::manual_examples();
  REQUIRE(examples.size() > 20);
  for (const testing::Example& example : examples) {
    const auto loaded = testing::load(example.text);
    CHECK_MESSAGE(testing::problems(loaded).empty(), "FORMAT.md:" << example.line);
    CHECK_MESSAGE(loaded.flow, "FORMAT.md:" << example.line);
  }
}

TEST_CASE("every task kind, parameter, kind of error and diagnostic code is in the manual") {
  const std::string text = testing::manual();
  const auto has = [&](std::string_view what) { return text.find(what) != std::string::npos; };
  for (const model::TaskKind& kind : tasks::catalog()) {
    CHECK_MESSAGE(has("### `" + std::string(kind.name) + "`"), kind.name);
    for (const model::Param& param : kind.params)
      CHECK_MESSAGE(has("`" + std::string(param.name) + "`"), kind.name << " " << param.name);
    for (const model::Field& field : kind.outputs)
      CHECK_MESSAGE(has("`" + std::string(field.name) + "`"), kind.name << " " << field.name);
  }
  for (const std::string_view kind : model::kind::kAll) {
    if (!model::is_final(kind)) CHECK_MESSAGE(has("| `" + std::string(kind) + "` |"), kind);
  }
  for (int code = 0; code <= static_cast<int>(Code::kShadowedTransition); ++code) {
    const auto name = code_name(static_cast<Code>(code));
    CHECK_MESSAGE(has("`" + std::string(name) + "`"), name);
  }
}
