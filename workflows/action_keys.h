// The keys of an action: where it is a state of its own, and inside another shape.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "workflows/shaped_map.h"

namespace canorun::workflows {

inline constexpr std::array<ShapedKey<ActionDef>, 2> kActionShapes{{
    {kRun,
     key<ActionDef>("run", "Runs a POSIX shell script. Values put into it with ${{ }} stay values, whatever they hold.",
                    accept::Script{}, [](ActionDef& a, ActionDef action) { a = std::move(action); })},
    {kTask, key<ActionDef>("task", "Runs a task of a kind. `canorun kinds` explains them.", accept::TaskName{},
                           [](ActionDef& a, ActionDef action) { a = std::move(action); })},
}};

// Read after the shape.
inline constexpr std::array<ShapedKey<ActionDef>, 5> kActionKeys{{
    {kActions, key<ActionDef>("timeout", "How long one attempt may take.", accept::Duration{kShortest},
                              [](ActionDef& a, Millis timeout) { a.timeout = timeout; })},
    {kActions, key<ActionDef>("retry", "Attempts after one that failed: how many, `none`, or a map that says more.",
                              accept::Retry{}, [](ActionDef& a, RetryDef retry) { a.retry = retry; })},
    {kActions, key<ActionDef>("breaker", "The breaker that every attempt asks: an open one lets none begin.",
                              accept::ResourceName{}, [](ActionDef& a, const Node& name) { a.breaker = &name; })},
    {kActions,
     key<ActionDef>("rate_limit",
                    "The limits that every attempt takes from: a name, or a list of names or {name, cost}.",
                    accept::Tiers{}, [](ActionDef& a, std::vector<TierDef> tiers) { a.tiers = std::move(tiers); })},
    {kTask, key<ActionDef>("with", "The task's parameters.", accept::Parameters{},
                           [](ActionDef& a, std::vector<Entry> params) { a.params = std::move(params); })},
}};

/// With one more key.
constexpr auto and_key(const ShapedKey<ActionDef>& more) {
  std::array<ShapedKey<ActionDef>, kActionKeys.size() + 1> keys{};
  std::ranges::copy(kActionKeys, keys.begin());
  keys.back() = more;
  return keys;
}

inline constexpr auto kUndoableActionKeys =
    and_key({kActions, key<ActionDef>(kCompensate, "What undoes this action when the run is rolled back.",
                                      accept::Compensation{}, [](ActionDef& a, ActionDef compensation) {
                                        a.compensation = std::make_shared<const ActionDef>(std::move(compensation));
                                      })});

}  // namespace canorun::workflows
