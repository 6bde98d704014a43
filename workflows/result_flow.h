// Which results of states are there when a run comes to a place of its flow, whatever way it took.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workflows/graph.h"
#include "workflows/place_set.h"

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
  static constexpr std::size_t kAtOnce = 256;

  /// What a flow is worth.
  static constexpr std::int64_t kWork = 20'000'000;

  /// `work`: looks at edges.
  ResultFlow(const Definition& flow, const Graph& graph, std::int64_t work = kWork);

  /// Follows at most `kAtOnce` results through the graph: about one look at every edge, more where loops
  /// nest. Once all calls together took more than the work, it is only known of the states of a loop
  /// which results cannot be there.
  void follow(std::span<const StateResult> results);

  /// Of a result by its place in what was followed last.
  Presence at(Moment moment, std::size_t result) const;

  /// Whether the state does something that can have a result.
  bool works(model::StateId id) const;
  /// Whether some way leads to the state; known once something was followed.
  bool is_reached(model::StateId id) const;

  /// Whether some way leads over the end of a state's work to a moment.
  bool can_have_ended(model::StateId state, Moment moment) const;

  /// Not aside: the shortest way from the start on which the result is missing at the end, where it is on some.
  std::vector<model::StateId> way_without(StateResult result, Moment moment) const;

 private:
  using Bits = std::bitset<kAtOnce>;
  struct Masks {
    Bits there;
    Bits missing;
  };
  /// The followed results that are of one state.
  struct Own {
    Bits all;
    Bits outputs;
    Bits errors;
    Bits ends;
  };

  /// A group of states that go round together, or one that does not, in `order_`.
  struct Stretch {
    std::size_t begin;
    std::size_t end;
    bool goes_round;
  };

  void add(StateResult result, std::size_t bit);
  const Own* own(model::StateId id) const { return own_at_[id] == 0 ? nullptr : &own_[own_at_[id] - 1]; }
  bool is_taken(model::StateId from, const Edge& edge) const;
  Masks after(model::StateId id, bool failed) const;
  void pass_on(model::StateId id);
  void pass_on(model::StateId id, bool failed);
  /// False, and not all is known, when there is no work left.
  bool settle(const Stretch& stretch);
  void guess(const Stretch& stretch);

  const Definition& flow_;
  const Graph& graph_;
  std::vector<model::StateId> order_;  ///< each behind what leads to it, loops aside
  std::vector<Stretch> stretches_;     ///< of it, one after the other
  std::vector<Masks> before_;          ///< of each state
  std::vector<std::uint16_t> own_at_;  ///< of each state, in `own_`, from 1; 0: nothing of it is followed
  std::vector<Own> own_;
  std::vector<StateResult> followed_;
  std::vector<std::size_t> place_;  ///< of each state, in `order_`
  PlaceSet changed_;                ///< places
  Bits all_;
  std::int64_t work_left_;
};

}  // namespace canorun::workflows
