// Breakers and rate limits: what is compiled of them, and of the actions that name them.
#include <doctest/doctest.h>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;
using testing::action_of;
using testing::load;
using testing::load_state;
using testing::problems;

namespace {

const std::string kResources = R"(resources:
  breakers:
    payments: {failure_threshold: 3, reset_timeout: 1m, half_open_max_calls: 2, scope: run}
    mail: {scope: shared}
    search: {}
  rate_limits:
    api: {tokens: 20, per: 1s, burst: 5}
    plan: {limit: 500, window: 5h, on_limit: fail, scope: run}
    slow: {tokens: 1, per: 1d, on_limit: wait, scope: shared}
)";

std::string tiers_text(const model::Action& action) {
  std::string text;
  for (const model::Tier& tier : action.tiers)
    text += std::to_string(tier.limit) + "*" + std::to_string(tier.cost) + " ";
  return text;
}

}  // namespace

TEST_CASE("breakers and rate limits keep the order of the file, with their defaults") {
  const auto loaded = load_state("{task: pass, next: done}", kResources);
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  const auto& breakers = loaded.flow->breakers;
  REQUIRE(breakers.size() == 3);
  CHECK(breakers[0].name == "payments");
  CHECK(breakers[0].rule == policy::BreakerRule{3, Millis{60'000}, 2});
  CHECK(breakers[0].of_run);
  CHECK(breakers[1].name == "mail");
  CHECK(!breakers[1].of_run);
  CHECK(breakers[2].name == "search");
  CHECK(breakers[2].rule == policy::BreakerRule{5, Millis{30'000}, 1});
  CHECK(!breakers[2].of_run);
  const auto& limits = loaded.flow->rate_limits;
  REQUIRE(limits.size() == 3);
  CHECK(limits[0].name == "api");
  CHECK(limits[0].rule == policy::LimitRule{policy::Bucket{20, Millis{1'000}, 5}});
  CHECK(!limits[0].fails);
  CHECK(!limits[0].of_run);
  CHECK(limits[1].name == "plan");
  CHECK(limits[1].rule == policy::LimitRule{policy::Window{500, Millis{18'000'000}}});
  CHECK(limits[1].fails);
  CHECK(limits[1].of_run);
  CHECK(limits[2].rule == policy::LimitRule{policy::Bucket{1, Millis{86'400'000}, 0}});
  CHECK(!limits[2].fails);
  CHECK(!limits[2].of_run);
}

TEST_CASE("a flow without resources has none, and its actions take of none") {
  const auto loaded = load_state("{task: pass, next: done}", "resources: {breakers: {}, rate_limits: {}}\n");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(loaded.flow->breakers.empty());
  CHECK(loaded.flow->rate_limits.empty());
  CHECK(!action_of(loaded).breaker);
  CHECK(action_of(loaded).tiers.empty());
}

TEST_CASE("an action takes of limits in every form, and asks its breaker") {
  const auto taken = [](const std::string& written) {
    const auto loaded = load_state("{run: x, breaker: mail, rate_limit: " + written + ", next: done}", kResources);
    REQUIRE_MESSAGE(loaded.flow, problems(loaded));
    CHECK(action_of(loaded).breaker == 1);
    return tiers_text(action_of(loaded));
  };
  CHECK(taken("plan") == "1*1 ");
  CHECK(taken("[slow, api]") == "2*1 0*1 ");
  CHECK(taken("[{name: plan, cost: 500}, {name: api}, slow]") == "1*500 0*1 2*1 ");
  CHECK(taken("{name: api, cost: 25}") == "0*25 ");
}

TEST_CASE("every action inside a shape may have a breaker and rate limits") {
  const std::string action = "{run: x, breaker: payments, rate_limit: [{name: plan, cost: 2}]}";
  const auto of = [&](const std::string& shape) {
    const auto loaded = load_state("{" + shape + ", next: done}", "inputs: {l: list}\n" + kResources);
    REQUIRE_MESSAGE(loaded.flow, problems(loaded));
    CHECK(problems(loaded) == "");
    return loaded.flow->states[0].shape;
  };
  const auto check = [](const model::Action& made) {
    CHECK(made.breaker == 0);
    CHECK(tiers_text(made) == "1*2 ");
  };
  check(std::get<model::SplitShape>(of("split: {branches: {b: " + action + "}}")).branches[0].action);
  check(*std::get<model::SplitShape>(of("split: {for_each: inputs.l, do: " + action + "}")).each);
  check(std::get<model::BatchShape>(of("batch: {items: inputs.l, do: " + action + "}")).each);
  check(std::get<model::PollShape>(of("poll: {do: " + action + ", until: 'true', every: 1s}")).ask);
  check(std::get<model::SteppedShape>(of("stepped: {do: " + action + ", cursor: 'null'}")).step);
  const auto stream = std::get<model::StreamShape>(of("stream: {source: " + action +
                                                      ", cursor: item, window: "
                                                      "{count: 1}, each: " +
                                                      action + ", flush: " + action + "}"));
  check(std::get<model::Action>(stream.source));
  check(*stream.each);
  check(stream.flush);
}
