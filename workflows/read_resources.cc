#include <fmt/format.h>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr accept::Integer kCalls{1, policy::kMostCalls};
constexpr std::array<std::string_view, 2> kScopes{"shared", "run"};
constexpr std::array<std::string_view, 2> kOnLimit{"wait", "fail"};
constexpr auto kScopeDoc =
    "shared, the default: one for all runs that name it and use the same store. run: each run has its own.";

constexpr std::array kBreakerKeys{
    key<model::Breaker>("failure_threshold", "So many failures in a row open it. 5 is the default.", kCalls,
                        [](model::Breaker& d, std::int64_t count) { d.rule.failure_threshold = count32(count); }),
    key<model::Breaker>("reset_timeout", "How long an open one lets nothing through. 30s is the default.",
                        accept::Duration{kShortest},
                        [](model::Breaker& d, Millis timeout) { d.rule.reset_timeout = timeout; }),
    key<model::Breaker>("half_open_max_calls",
                        "So many trials at once it lets through then; so many must succeed in a row. 1 is the default.",
                        kCalls,
                        [](model::Breaker& d, std::int64_t count) { d.rule.half_open_max_calls = count32(count); }),
    key<model::Breaker>("scope", kScopeDoc, accept::Choice{kScopes},
                        [](model::Breaker& d, std::size_t word) { d.of_run = word == 1; }),
};

/// A rate limit as it is read, before it is known which of the two it is.
struct LimitDef {
  std::optional<std::int64_t> tokens, burst, limit;
  Millis per{0};
  Millis window{0};
  bool fails = false;
  bool of_run = false;
};

constexpr std::array kRateLimitKeys{
    key<LimitDef>("tokens", "A token bucket: so many calls come back in the time `per`.", kCalls,
                  [](LimitDef& d, std::int64_t count) { d.tokens = count; }),
    key<LimitDef>("per", "Of a token bucket: the time in which `tokens` come back.", accept::Duration{kShortest},
                  [](LimitDef& d, Millis per) { d.per = per; }),
    key<LimitDef>("burst", "Of a token bucket: so many calls more it holds when it is full. 0 is the default.",
                  accept::Integer{0, policy::kMostCalls}, [](LimitDef& d, std::int64_t count) { d.burst = count; }),
    key<LimitDef>("limit", "A window: so many calls in the time `window`.", kCalls,
                  [](LimitDef& d, std::int64_t count) { d.limit = count; }),
    key<LimitDef>("window", "Of a window: how long it is, from its first call on.", accept::Duration{kShortest},
                  [](LimitDef& d, Millis window) { d.window = window; }),
    key<LimitDef>("on_limit", "What a call does that is one too many: wait, the default, or fail.",
                  accept::Choice{kOnLimit}, [](LimitDef& d, std::size_t word) { d.fails = word == 1; }),
    key<LimitDef>("scope", kScopeDoc, accept::Choice{kScopes},
                  [](LimitDef& d, std::size_t word) { d.of_run = word == 1; }),
};

constexpr std::array kTierKeys{
    key<TierDef>(
        "name", "The rate limit.", accept::ResourceName{}, [](TierDef& d, const Node& name) { d.limit = &name; },
        kRequired),
    key<TierDef>("cost", "How much one attempt takes of it. 1 is the default.",
                 accept::Integer{.least = 1, .code = Code::kImpossibleCost},
                 [](TierDef& d, std::int64_t cost) { d.cost = cost; }),
};

constexpr std::array kServiceKeys{
    key<ServiceDef>("setup",
                    "Is done before the first state, and again before a run goes on: it must be safe to repeat.",
                    accept::Action{}, [](ServiceDef& d, ActionDef action) { d.setup = std::move(action); }),
    key<ServiceDef>("teardown", "Is done when the run ends, however it does, or is let go of.", accept::Action{},
                    [](ServiceDef& d, ActionDef action) { d.teardown = std::move(action); }),
    key<ServiceDef>("health", "Tells whether it is there: what `canorun health` runs.", accept::Action{},
                    [](ServiceDef& d, ActionDef action) { d.health = std::move(action); }),
};

constexpr std::array kResourcesKeys{
    key<ResourcesDef>("breakers", "Circuit breakers, by name: what keeps failing is left alone for a while.",
                      accept::Breakers{},
                      [](ResourcesDef& d, std::vector<model::Breaker> breakers) { d.breakers = std::move(breakers); }),
    key<ResourcesDef>("rate_limits", "Rate limits, by name: how many calls may be made in which time.",
                      accept::RateLimits{},
                      [](ResourcesDef& d, std::vector<RateLimitDef> limits) { d.rate_limits = std::move(limits); }),
    key<ResourcesDef>("services", "What must be there while the flow runs, by name: it is set up and torn down.",
                      accept::Services{},
                      [](ResourcesDef& d, std::vector<ServiceDef> services) { d.services = std::move(services); }),
};

// A key without which the kind of limit is not complete.
std::string_view missing(const MapRead& read, bool is_bucket) {
  for (const std::string_view key : is_bucket ? std::array{"tokens", "per"} : std::array{"limit", "window"}) {
    if (!read.has(key)) return key;
  }
  return {};
}

RateLimitDef read_rate_limit(Reader& reader, const Entry& entry) {
  LimitDef def;
  const std::string what = fmt::format("rate limit '{}'", entry.key->text.substr(0, 80));
  const MapRead read = read_map(reader, *entry.value, *entry.key, what, kRateLimitKeys, def);
  RateLimitDef limit{.name = entry.key, .rule = {}, .fails = def.fails, .of_run = def.of_run};
  if (!read) return limit;
  const bool is_bucket = read.has("tokens") || read.has("per") || read.has("burst");
  const bool is_window = read.has("limit") || read.has("window");
  if (is_bucket && is_window) {
    reader.error(Code::kBadValue, *entry.value, fmt::format("{} is both a token bucket and a window", what),
                 "leave out 'tokens', 'per' and 'burst', or 'limit' and 'window'");
  } else if (!is_bucket && !is_window) {
    if (read.guessed) return limit;
    reader.error(Code::kMissingKey, *entry.key, fmt::format("{} says no limit", what),
                 "for example {tokens: 20, per: 1s}, or {limit: 500, window: 5h}");
  } else if (const std::string_view key = missing(read, is_bucket); !key.empty()) {
    reader.error(Code::kMissingKey, *entry.key, fmt::format("{} needs '{}'", what, key));
  } else if (is_bucket && def.tokens && (def.burst || !read.has("burst"))) {
    limit.rule = policy::Bucket{.tokens = *def.tokens, .per = def.per, .burst = def.burst.value_or(0)};
  } else if (is_window && def.limit) {
    limit.rule = policy::Window{.limit = *def.limit, .window = def.window};
  }
  return limit;
}

TierDef read_tier(Reader& reader, const Node& node) {
  TierDef tier;
  if (node.kind == NodeKind::kMap) {
    read_map(reader, node, node, "a limit of 'rate_limit'", kTierKeys, tier);
    tier.cost_node = node.find("cost");
  } else if (node.is_scalar() && node.kind != NodeKind::kNull) {
    tier.limit = reader.read(accept::ResourceName{}, node, "'rate_limit'");
  } else {
    reader.wrong_type(node, "a limit of 'rate_limit'", "a name or a map with one", "for example {name: api, cost: 2}");
  }
  return tier;
}

}  // namespace

std::optional<ResourcesDef> read_value(Reader& reader, const Entry& entry, accept::Resources) {
  ResourcesDef resources;
  read_map(reader, *entry.value, *entry.key, quoted(entry), kResourcesKeys, resources);
  return resources;
}

// What has a wrong name or a wrong value is still something that actions may name.
std::optional<std::vector<model::Breaker>> read_value(Reader& reader, const Entry& entry, accept::Breakers) {
  std::vector<model::Breaker> breakers;
  for (const Entry& one : reader.entries(*entry.value, quoted(entry), "a map of name to breaker")) {
    reader.name(*one.key, "a breaker");
    model::Breaker& breaker = breakers.emplace_back(model::Breaker{.name = one.key->text, .rule = {}});
    read_map(reader, *one.value, *one.key, fmt::format("breaker '{}'", one.key->text.substr(0, 80)), kBreakerKeys,
             breaker);
  }
  return breakers;
}

std::optional<std::vector<RateLimitDef>> read_value(Reader& reader, const Entry& entry, accept::RateLimits) {
  std::vector<RateLimitDef> limits;
  for (const Entry& one : reader.entries(*entry.value, quoted(entry), "a map of name to rate limit")) {
    reader.name(*one.key, "a rate limit");
    limits.push_back(read_rate_limit(reader, one));
  }
  return limits;
}

std::optional<std::vector<ServiceDef>> read_value(Reader& reader, const Entry& entry, accept::Services) {
  std::vector<ServiceDef> services;
  for (const Entry& one : reader.entries(*entry.value, quoted(entry), "a map of name to service")) {
    reader.name(*one.key, "a service");
    const std::string what = fmt::format("service '{}'", one.key->text.substr(0, 80));
    ServiceDef& service = services.emplace_back(ServiceDef{.name = one.key});
    const MapRead read = read_map(reader, *one.value, *one.key, what, kServiceKeys, service);
    if (!read || read.guessed || !read.map->map.empty()) continue;
    reader.error(Code::kMissingKey, *one.key, fmt::format("{} does nothing", what),
                 "it needs one of setup, teardown, health");
  }
  return services;
}

std::optional<std::vector<TierDef>> read_value(Reader& reader, const Entry& entry, accept::Tiers) {
  std::vector<TierDef> tiers;
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kList) {
    for (const Node* element : node.list) tiers.push_back(read_tier(reader, *element));
    if (tiers.empty()) reader.error(Code::kBadValue, node, "'rate_limit' has no limits", "name one, or leave it out");
  } else if (node.kind == NodeKind::kNull) {
    reader.wrong_type(node, quoted(entry), "a name, or a list of names or {name, cost}");
  } else {
    tiers.push_back(read_tier(reader, node));
  }
  return tiers;
}

std::vector<KeyInfo> resources_keys() { return infos(kResourcesKeys); }
std::vector<KeyInfo> breaker_keys() { return infos(kBreakerKeys); }
std::vector<KeyInfo> rate_limit_keys() { return infos(kRateLimitKeys); }
std::vector<KeyInfo> service_keys() { return infos(kServiceKeys); }
std::vector<KeyInfo> tier_keys() { return infos(kTierKeys); }

}  // namespace canorun::workflows
