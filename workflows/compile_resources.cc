#include "workflows/compile_resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace canorun::workflows {

void ResourceCompiler::Names::add(std::string_view name) {
  index.emplace(name, static_cast<std::uint32_t>(all.size()));
  all.push_back(name);
}

ResourceCompiler::ResourceCompiler(Reader& reader, const ResourcesDef& resources)
    : reader_(reader), resources_(resources) {
  for (const model::Breaker& breaker : resources.breakers) breakers_.add(breaker.name);
  for (const RateLimitDef& limit : resources.rate_limits) limits_.add(limit.name->text);
}

void ResourceCompiler::compile(model::Flow& flow) const {
  flow.breakers = resources_.breakers;
  for (const RateLimitDef& def : resources_.rate_limits) {
    flow.rate_limits.push_back({.name = def.name->text,
                                .rule = def.rule.value_or(policy::Bucket{}),
                                .fails = def.fails,
                                .of_run = def.of_run});
  }
}

const std::uint32_t* ResourceCompiler::find(const Names& names, const Node& name, Code code, std::string_view what) {
  const auto found = names.index.find(name.text);
  if (found != names.index.end()) return &found->second;
  reader_.error(code, name, fmt::format("unknown {} '{}'", what, name.text.substr(0, 80)),
                names.all.empty() ? fmt::format("declare it under 'resources', in '{}'", names.key)
                                  : reader_.report.guess(name.text, names.all).hint);
  return nullptr;
}

void ResourceCompiler::check_cost(const TierDef& tier, const RateLimitDef& limit) {
  if (!limit.rule) return;
  const std::int64_t capacity = std::visit([](const auto& rule) { return rule.capacity(); }, *limit.rule);
  if (tier.cost <= capacity) return;
  const bool is_bucket = std::holds_alternative<policy::Bucket>(*limit.rule);
  reader_.error(Code::kImpossibleCost, *tier.cost_node,
                fmt::format("rate limit '{}' never has {} at once: {} is its most", limit.name->text.substr(0, 80),
                            tier.cost, capacity),
                fmt::format("take less, or raise its '{}'", is_bucket ? "burst" : "limit"));
}

void ResourceCompiler::compile(const ActionDef& def, model::Action& action) {
  if (def.breaker != nullptr) {
    if (const auto* const found = find(breakers_, *def.breaker, Code::kUnknownBreaker, "breaker")) {
      action.breaker = *found;
    }
  }
  std::map<std::string_view, std::int64_t> taken;
  for (const TierDef& tier : def.tiers) {
    if (tier.limit == nullptr) continue;
    const auto [at, first] = taken.try_emplace(tier.limit->text, 0);
    at->second += tier.cost;
    if (!first) {
      reader_.error(
          Code::kBadValue, *tier.limit,
          fmt::format("rate limit '{}' stands here twice", tier.limit->text.substr(0, 80)),
          fmt::format("once with what both cost: {{name: {}, cost: {}}}", tier.limit->text.substr(0, 80), at->second));
      continue;
    }
    const auto* const found = find(limits_, *tier.limit, Code::kUnknownRateLimit, "rate limit");
    if (found == nullptr) continue;
    check_cost(tier, resources_.rate_limits[*found]);
    action.tiers.push_back({.limit = *found, .cost = tier.cost});
  }
}

}  // namespace canorun::workflows
