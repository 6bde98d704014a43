#include "workflows/result_flow.h"

#include <algorithm>
#include <array>
#include <ranges>

namespace canorun::workflows {
namespace {

// So many places are passed over in the time that one edge takes.
constexpr std::size_t kPlacesPerLook = 64;

}  // namespace

ResultFlow::ResultFlow(const Definition& flow, const Graph& graph, std::int64_t work)
    : flow_(flow),
      graph_(graph),
      before_(flow.states.size()),
      own_at_(flow.states.size(), 0),
      place_(flow.states.size()),
      changed_(flow.states.size()),
      work_left_(work) {
  const Targets to = targets(graph);
  const Groups groups(to);
  order_.reserve(to.size());
  for (const auto& group : std::views::reverse(groups.all())) {
    const std::size_t begin = order_.size();
    for (const model::StateId id : group) {
      place_[id] = order_.size();
      order_.push_back(id);
    }
    stretches_.push_back({begin, order_.size(), goes_round(group, to)});
  }
}

bool ResultFlow::works(model::StateId id) const {
  const ShapeDef& shape = flow_.states[id].shape;
  return !std::holds_alternative<RouteDef>(shape) && !std::holds_alternative<ExitDef>(shape);
}

bool ResultFlow::is_taken(model::StateId from, const Edge& edge) const {
  return !edge.never && (edge.after_error || !graph_.never_succeeds[from]);
}

ResultFlow::Masks ResultFlow::after(model::StateId id, bool failed) const {
  if (!failed && graph_.never_succeeds[id]) return {};
  Masks out = before_[id];
  const Own* const mine = own(id);
  if (mine == nullptr || !works(id) || !is_reached(id)) return out;
  const Bits left = mine->ends | (failed ? mine->errors : mine->outputs);
  out.there = (out.there & ~mine->all) | left;
  out.missing = (out.missing & ~mine->all) | (mine->all & ~left);
  return out;
}

bool ResultFlow::is_reached(model::StateId id) const { return (before_[id].there | before_[id].missing).any(); }

void ResultFlow::pass_on(model::StateId id) {
  if (!is_reached(id)) return;
  pass_on(id, false);
  pass_on(id, true);
}

void ResultFlow::pass_on(model::StateId id, bool failed) {
  Masks out = after(id, failed);
  for (const Edge& edge : graph_.edges[id]) {
    if (edge.after_error != failed || !is_taken(id, edge)) continue;
    work_left_ -= 1 + static_cast<std::int64_t>(edge.asks_for.size());
    // Who asks for a result, and goes another way without it, has thought of it: also in the rules behind.
    for (const model::StateId id_asked : edge.asks_for) {
      if (const Own* const asked = own(id_asked)) {
        out.there |= asked->all;
        out.missing &= ~asked->all;
      }
    }
    Masks& to = before_[edge.to];
    const Bits there = to.there | (edge.certain ? out.there : all_);
    const Bits missing = edge.certain ? to.missing | out.missing : to.missing;
    if (there == to.there && missing == to.missing) continue;
    to = {there, missing};
    changed_.add(place_[edge.to]);
  }
}

void ResultFlow::add(StateResult result, std::size_t bit) {
  if (own_at_[result.of] == 0) {
    own_.emplace_back();
    own_at_[result.of] = static_cast<std::uint16_t>(own_.size());
  }
  Own& of = own_[own_at_[result.of] - 1];
  of.all.set(bit);
  (result.part == Part::kOutput ? of.outputs : result.part == Part::kError ? of.errors : of.ends).set(bit);
  all_.set(bit);
}

void ResultFlow::follow(std::span<const StateResult> results) {
  for (const StateResult& result : followed_) own_at_[result.of] = 0;
  followed_.assign(results.begin(), results.end());
  own_.clear();
  all_.reset();
  for (std::size_t i = 0; i < results.size(); ++i) add(results[i], i);
  std::ranges::fill(before_, Masks{});
  before_[graph_.start].missing = all_;
  changed_.add(place_[graph_.start]);
  // What has left a group of states that go round never comes back to it.
  for (const Stretch& stretch : stretches_) {
    if (!stretch.goes_round) {
      pass_on(order_[stretch.begin]);
    } else if (!settle(stretch)) {
      guess(stretch);
    }
  }
}

// Goes through what changed, forwards and backwards in turn: many changes that go the same way go together.
bool ResultFlow::settle(const Stretch& stretch) {
  const auto visit = [this](std::size_t place) {
    changed_.remove(place);
    pass_on(order_[place]);
    return place;
  };
  while (changed_.first(stretch.begin, stretch.end)) {
    work_left_ -= static_cast<std::int64_t>((stretch.end - stretch.begin) / kPlacesPerLook);
    if (work_left_ < 0) return false;
    std::size_t at = stretch.begin;
    while (const auto place = changed_.first(at, stretch.end)) at = visit(*place) + 1;
    at = stretch.end;
    while (const auto place = changed_.last(stretch.begin, at)) at = visit(*place);
  }
  return true;
}

// What comes into the group or is made in it may be there everywhere in it; the rest is missing.
void ResultFlow::guess(const Stretch& stretch) {
  Bits there;
  const std::span<const model::StateId> states(order_.begin() + static_cast<std::ptrdiff_t>(stretch.begin),
                                               stretch.end - stretch.begin);
  for (const model::StateId id : states) {
    there |= before_[id].there;
    if (const Own* const mine = own(id); mine != nullptr && works(id)) there |= mine->all;
  }
  for (const model::StateId id : states) before_[id] = {there, before_[id].missing | (all_ & ~there)};
  for (const model::StateId id : states) pass_on(id);
  for (std::size_t place = stretch.begin; place < stretch.end; ++place) changed_.remove(place);
}

Presence ResultFlow::at(Moment moment, std::size_t result) const {
  const auto& [of, part] = followed_[result];
  const bool can_be = works(of) && is_reached(of) && (part != Part::kOutput || !graph_.never_succeeds[of]);
  if (moment.phase == Phase::kAside) return {can_be, true};
  const Masks masks = moment.phase == Phase::kBefore ? before_[moment.state]
                                                     : after(moment.state, moment.phase == Phase::kAfterFailure);
  return {masks.there[result] || (moment.later && can_be), masks.missing[result]};
}

bool ResultFlow::can_have_ended(model::StateId state, Moment moment) const {
  if (!works(state) || !is_reached(state)) return false;
  if (moment.phase == Phase::kAside || moment.later || (state == moment.state && moment.phase != Phase::kBefore))
    return true;
  std::vector<char> seen(graph_.edges.size(), 0);
  std::vector<model::StateId> open{state};
  while (!open.empty()) {
    const model::StateId id = open.back();
    open.pop_back();
    for (const Edge& edge : graph_.edges[id]) {
      if (seen[edge.to] != 0 || !is_taken(id, edge)) continue;
      seen[edge.to] = 1;
      open.push_back(edge.to);
    }
  }
  return seen[moment.state] != 0;
}

std::vector<model::StateId> ResultFlow::way_without(StateResult result, Moment moment) const {
  // Each state twice: entered without the result, or with it.
  struct Entered {
    model::StateId state;
    bool missing;
  };
  std::vector<std::array<bool, 2>> seen(graph_.edges.size());
  std::vector<Entered> queue{{graph_.start, true}};
  std::vector<std::size_t> came{0};  // index into `queue`
  seen[graph_.start][1] = true;
  const auto after = [&](const Entered& node, bool failed) {
    if (node.state != result.of || !works(node.state)) return node.missing;
    return result.part == Part::kOutput ? failed : result.part == Part::kError && !failed;
  };
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const Entered node = queue[i];
    const bool before = moment.phase == Phase::kBefore;
    if (node.state == moment.state && (before ? node.missing : after(node, moment.phase == Phase::kAfterFailure))) {
      std::vector<model::StateId> way{node.state};
      for (std::size_t at = i; at != 0; way.push_back(queue[at].state)) at = came[at];
      std::ranges::reverse(way);
      return way;
    }
    std::array<bool, 2> asked{};
    for (const Edge& edge : graph_.edges[node.state]) {
      if (!is_taken(node.state, edge)) continue;
      bool& thought_of = asked[edge.after_error ? 1 : 0];
      thought_of = thought_of || std::ranges::find(edge.asks_for, result.of) != edge.asks_for.end();
      const Entered to{edge.to, edge.certain && !thought_of && after(node, edge.after_error)};
      bool& known = seen[to.state][to.missing ? 1 : 0];
      if (known) continue;
      known = true;
      queue.push_back(to);
      came.push_back(i);
    }
  }
  return {};
}

}  // namespace canorun::workflows
