#include "support/saga_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "support/counting_random.h"

namespace canorun::test {
namespace {

constexpr std::uint64_t kMostVisits = 3;

bool is_in(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

class Maker {
 public:
  Maker(std::uint64_t seed, const SagaWords& words) : random_(seed * 2 + 1), words_(words) {}

  SagaFlow make() {
    const std::size_t count = 1 + upto(5);
    std::string states;
    for (std::size_t at = 0; at < count; ++at) states += state(at, count);
    flow_.yaml = fmt::format("name: {}\nvars: {{n: 0}}\n", words_.name) + words_.head + "states:\n" + states;
    for (const auto& [name, kind] : {std::pair{"good", "success"}, {"bad", "failure"}, {"undone", "rollback"}}) {
      if (!is_in(exits_, name)) continue;
      flow_.yaml += fmt::format("  {}: {{exit: {}, output: \"${{{{ vars.n }}}}\"}}\n", name, kind);
    }
    return std::move(flow_);
  }

 private:
  // In [0, most].
  std::uint64_t upto(std::uint64_t most) { return random_.bits() % (most + 1); }
  bool chance(double share) { return random_.unit() < share; }

  std::string state(std::size_t at, std::size_t count) {
    const std::string name = fmt::format("s{}", at);
    std::string text = fmt::format("  {}:\n", name);
    const auto shape = upto(9);
    if (!words_.runs_flow.empty() && chance(0.3)) {
      text += fmt::format("    {}\n", inside(flow_action(name), "\n    "));
    } else if (shape < 5) {
      text += fmt::format("    {}\n", inside(action(name, {""}, true), "\n    "));
    } else if (shape < 7) {
      text += branches(name);
    } else {
      text += items(name, shape == 7);
    }
    text += "    set: {n: \"${{ vars.n + 1 }}\"}\n";
    const std::string next = at + 1 < count ? fmt::format("s{}", at + 1) : exit(chance(0.7) ? 0 : upto(2));
    if (chance(0.3)) {
      text += fmt::format("    next: [{{when: states.{}.visits < {}, to: s{}}}, {{to: {}}}]\n", name, 1 + upto(2),
                          upto(at), next);
    } else {
      text += fmt::format("    next: {}\n", next);
    }
    if (chance(0.35)) text += fmt::format("    on_error: {}\n", chance(0.6) ? next : exit(upto(2)));
    return text;
  }

  std::string exit(std::uint64_t which) {
    constexpr std::array kNames{"good", "bad", "undone"};
    exits_.emplace_back(kNames[which]);
    return kNames[which];
  }

  // `alone`: it is all that the state does, and is owed or not whatever happens beside it.
  SagaAction& action(const std::string& state, const std::vector<std::string>& parts, bool alone,
                     const std::string& branch = {}) {
    SagaAction& made = flow_.actions.emplace_back(SagaAction{.state = state, .branch = branch});
    for (const std::string& part : parts) {
      for (std::uint64_t visit = 1; visit <= kMostVisits; ++visit) {
        const std::string which = fmt::format("{}/{}", part, visit);
        if (chance(0.08)) {
          made.fails.push_back(which);
        } else if (chance(0.1)) {
          made.stumbles.push_back(which);
        }
      }
    }
    made.compensated = chance(0.75);
    made.from_start = made.compensated && chance(0.35);
    if (made.compensated && chance(0.1)) made.undo = SagaAction::Undo::kStumbles;
    if (made.compensated && alone && chance(0.06)) made.undo = SagaAction::Undo::kFails;
    flow_.fails_to_undo = flow_.fails_to_undo || made.undo == SagaAction::Undo::kFails;
    return made;
  }

  SagaAction& flow_action(const std::string& state) {
    const bool compensated = chance(0.75);
    return flow_.actions.emplace_back(SagaAction{.state = state, .compensated = compensated, .runs_flow = true});
  }

  std::string retry() const { return fmt::format("retry: {{max: 1, delay: {}, jitter: 0}}", words_.delay); }

  std::string inside(const SagaAction& action, const std::string& between) {
    std::string text = action.runs_flow ? words_.runs_flow : words_.does(action);
    if (!action.stumbles.empty()) text += between + retry();
    if (!action.compensated) return text;
    text += between + "compensate: {";
    if (action.from_start) text += "after: start, ";
    text += words_.undoes(action);
    if (action.undo == SagaAction::Undo::kStumbles) text += ", " + retry();
    return text + "}";
  }

  std::string branches(const std::string& name) {
    const std::uint64_t count = 1 + upto(2);
    std::string text = "    split:\n      branches:\n";
    for (std::uint64_t at = 0; at < count; ++at) {
      const std::string branch(1, static_cast<char>('x' + at));
      text += fmt::format("        {}: {{{}}}\n", branch, inside(action(name, {branch}, false, branch), ", "));
    }
    return text + join(count);
  }

  std::string items(const std::string& name, bool splits) {
    const std::uint64_t count = 1 + upto(2);
    std::vector<std::string> parts;
    for (std::uint64_t at = 0; at < count; ++at) parts.push_back(std::to_string(at));
    const std::string list = fmt::format("\"[{}]\"", fmt::join(parts, ", "));
    const std::string each = fmt::format("      do: {{{}}}\n", inside(action(name, parts, false), ", "));
    if (splits) return fmt::format("    split:\n      for_each: {}\n{}{}", list, each, join(count));
    const std::uint64_t at_once = 1 + upto(count - 1);
    flow_.races = flow_.races || at_once > 1;
    return fmt::format("    batch:\n      items: {}\n{}      concurrency: {}\n      min_success: {}\n", list, each,
                       at_once, upto(count));
  }

  std::string join(std::uint64_t count) {
    const std::uint64_t at_once = 1 + upto(count - 1);
    flow_.races = flow_.races || at_once > 1;
    const std::array joins{std::string("all"), std::string("any"), fmt::format("{{partial_results: {}}}", count),
                           fmt::format("{{quorum: {}}}", 1 + upto(count - 1))};
    return fmt::format("      join: {}\n      bulkhead: {}\n", joins[upto(3)], at_once);
  }

  CountingRandom random_;
  const SagaWords& words_;
  SagaFlow flow_;
  std::vector<std::string> exits_;
};

}  // namespace

bool SagaAction::does_fail(const std::string& part, std::uint64_t visit, std::uint32_t attempt) const {
  const std::string which = fmt::format("{}/{}", part, visit);
  return is_in(fails, which) || (attempt == 1 && is_in(stumbles, which));
}

const SagaAction& SagaFlow::action(const std::string& state, const std::string& part) const {
  for (const SagaAction& one : actions) {
    if (one.state == state && (one.branch.empty() || one.branch == part)) return one;
  }
  throw std::logic_error("no action " + state + " " + part);
}

SagaFlow make_saga(std::uint64_t seed, const SagaWords& words) { return Maker(seed, words).make(); }

}  // namespace canorun::test
