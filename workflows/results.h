// Uses of other states' results: whether what is read can be there.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "engine/expr/expression.h"
#include "workflows/result_flow.h"

namespace canorun::workflows {

class Names;

/// A place that reads a result.
struct ResultRead {
  Moment moment;
  StateResult result;
  std::string field = {};  ///< that is read of it; empty: all of it
  const Node* node = nullptr;
  Span span;  ///< in the node's text
};

/// A place that reads a field of the run's error, at the run's end.
struct ErrorRead {
  model::StateId reader = 0;
  std::string field = {};
  const Node* node = nullptr;
  Span span;  ///< in the node's text
};

/// Notes what all expressions of a flow read, then checks it against the flow's graph.
class ResultReads {
 public:
  explicit ResultReads(const Names& names) : names_(names) {}

  /// Notes what an expression reads at `moment`; its text is that of `node` from `offset` on. Not noted
  /// is what it asks about: the results of a state of which it also reads `visits`, compares the output
  /// or the error as a whole, or reads with `.?` or `has()`. Likewise of the run's error, and of its `status`.
  void note(const Node& node, std::uint32_t offset, const expr::Expression& expression, Moment moment);

  /// Until this is called again, results of these states are not noted: where they are missing was thought of.
  void pass_over(const std::vector<model::StateId>& states) { thought_of_ = {states.begin(), states.end()}; }

  /// Drops what was noted last of that node: something else was found to be wrong with it.
  void forget(const Node& node);

  /// Reports reads of what cannot be there (errors) and of what is not there on some way (warnings),
  /// once for a reader and what it reads, and once for a place that many states read at: a default. An
  /// error as a whole may be null. A run that succeeded has none.
  void check(Reader& reader, const Definition& flow, const Graph& graph);

 private:
  void note_run_error(const Node& node, std::uint32_t offset, const expr::Expression& expression, Moment moment);

  const Names& names_;
  std::vector<ResultRead> reads_;
  std::vector<ErrorRead> error_reads_;
  std::unordered_set<model::StateId> thought_of_;
};

/// The states whose results an expression reads or asks about.
std::vector<model::StateId> states_in(const expr::Expression& expression, const Names& names);

}  // namespace canorun::workflows
