// Which results of states are there when a run comes to a place of its flow, whatever way it took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workflows/graph.h"

namespace canorun::workflows {

/// What a state's work leaves. It is there, or gone again, from the end of the work on.
enum class Part : std::uint8_t {
  kOutput,  ///< after a success
  kError,   ///< an error with fields: after a failure
  kEnd,     ///< any end, after which the error is a value or null
};

struct StateResult {
  model::StateId of = 0;
  Part part = Part::kOutput;
  bool operator==(const StateResult&) const = default;
};

/// On some way to a moment. Neither: no way leads there.
struct Presence {
  bool there = false;
  bool missing = false;
};

/// Borrows what it is made with.
class ResultFlow {
 public:
  /// Results that are followed at once: a bit each.
  static constexpr std::size_t kAtOnce = 64;

  ResultFlow(const Definition& flow, const Graph& graph);

  /// Follows at most `kAtOnce` results through the graph: about one look at every edge, more where loops
  /// nest. False, and nothing is known, once all calls together took more than a flow is worth.
  bool follow(std::span<const StateResult> results);

  /// Of a result by its place in what was followed last.
  Presence at(Moment moment, std::size_t result) const;

  /// The shortest way from the start on which the result is missing at the end, where it is on some.
  std::vector<model::StateId> way_without(StateResult result, Moment moment) const;

 private:
  using Bits = std::uint64_t;
  struct Masks {
    Bits there = 0;
    Bits missing = 0;
  };
  /// The followed results that are of one state.
  struct Own {
    Bits outputs = 0;
    Bits errors = 0;
    Bits ends = 0;
    Bits all() const { return outputs | errors | ends; }
  };

  bool works(model::StateId id) const;
  Masks after(model::StateId id, bool failed) const;
  void pass_on(model::StateId id, bool failed);
  void order_from(model::StateId start);

  const Definition& flow_;
  const Graph& graph_;
  std::vector<model::StateId> order_;     ///< what can be reached, each as late as its way in, loops aside
  std::vector<Masks> before_;             ///< of each state
  std::vector<Own> own_;
  std::vector<char> changed_;
  std::vector<model::StateId> followed_;  ///< states whose `own_` is not empty
  Bits all_ = 0;
  std::int64_t work_left_ = 300'000'000;
};

}  // namespace canorun::workflows
