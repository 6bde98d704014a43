// Loading flows in tests of workflows.
#pragma once

#include <doctest/doctest.h>

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/scope.h"
#include "tasks/catalog.h"
#include "workflows/load.h"

namespace canorun::workflows::testing {

/// Beside the flow stands `shipping.yaml`.
inline Loaded load(std::string text) {
  const auto text_of = [](const std::string& path) -> Result<std::string> {
    if (path == "/flows/shipping.yaml")
      return "name: shipping\ninputs: {order: string}\nstates: {done: {exit: success}}\n";
    return fail("there is no such file", "give the path of a flow file");
  };
  return load_text("flow.yaml", std::move(text), "/flows/flow.yaml", "/flows", tasks::catalog(), text_of);
}

/// The diagnostics as a person sees them.
inline std::string problems(const Loaded& loaded) {
  std::string text;
  for (const Diagnostic& diagnostic : loaded.diagnostics) text += render(diagnostic, false);
  return text;
}

/// A flow with one action, whose state is `state`, and an exit.
inline Loaded load_state(const std::string& state, const std::string& top = "") {
  return load("name: x\n" + top + "states:\n  a: " + state + "\n  done: {exit: success}\n");
}

inline const model::Action& action_of(const Loaded& loaded, std::size_t state = 0) {
  return std::get<model::ActionShape>(loaded.flow->states.at(state).shape).action;
}

/// Evaluated with the given slots; the others are null.
Json evaluated(const auto& expression, const std::vector<std::pair<model::Slot, Json>>& slots) {
  model::Scope scope;
  for (const auto& [name, value] : slots) model::slot(scope, name) = expr::Value::view(value);
  const auto value = expression.evaluate(scope);
  REQUIRE(value.has_value());
  if constexpr (std::same_as<std::decay_t<decltype(*value)>, Json>) {
    return *value;
  } else {
    return *expr::to_json(*value);
  }
}

/// A folder that is removed at the end.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace canorun::workflows::testing
