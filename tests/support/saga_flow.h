// Flows that a seed makes up: states in a row and in loops, side by side and over lists, some of which fail, and most
// of which can be undone. What their actions do is the test's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace canorun::test {

/// One action of a flow. All its failures are the same each time the flow runs.
struct SagaAction {
  std::string state;
  std::string branch = {};                 ///< empty: of the state, or of each item
  std::vector<std::string> fails = {};     ///< `PART/VISIT`, all attempts; PART is empty where it is all of the state
  std::vector<std::string> stumbles = {};  ///< likewise, the first attempt only; there is a second
  bool compensated = false;
  bool from_start = false;
  bool runs_flow = false;  ///< another flow, in place of what the test's actions do
  enum class Undo : std::uint8_t { kWorks, kStumbles, kFails } undo = Undo::kWorks;

  bool does_fail(const std::string& part, std::uint64_t visit, std::uint32_t attempt) const;
};

struct SagaFlow {
  std::string yaml;
  std::vector<SagaAction> actions;
  /// Parts that may or may not have begun when their state fails: then so it is with what is owed.
  bool races = false;
  bool fails_to_undo = false;  ///< some compensation fails each time

  const SagaAction& action(const std::string& state, const std::string& part) const;
};

/// The inside of an action's map in one line, like `run: 'true'`, and that of what undoes it.
struct SagaWords {
  std::function<std::string(const SagaAction&)> does;
  std::function<std::string(const SagaAction&)> undoes;
  std::string head = {};  ///< lines at the top of the flow
  std::string delay = "1ms";
  std::string name = "saga";
  std::string runs_flow = {};  ///< the inside of an action that runs another flow; empty: there is none
};

/// The same for the same seed, whatever the words.
SagaFlow make_saga(std::uint64_t seed, const SagaWords& words);

}  // namespace canorun::test
