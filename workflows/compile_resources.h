// What actions take of a flow's breakers and rate limits.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/flow.h"
#include "workflows/definition.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// Borrows what it is made with.
class ResourceCompiler {
 public:
  ResourceCompiler(Reader& reader, const ResourcesDef& resources);

  /// Puts them into the flow, in the order of the file.
  void compile(model::Flow& flow) const;
  /// Resolves what the action names; what cannot be is reported.
  void compile(const ActionDef& def, model::Action& action);

 private:
  struct Names {
    std::string_view key;  ///< that they stand under
    std::vector<std::string_view> all = {};
    std::unordered_map<std::string_view, std::uint32_t> index = {};

    void add(std::string_view name);
  };

  /// Null where there is none, which is reported.
  const std::uint32_t* find(const Names& names, const Node& name, Code code, std::string_view what);
  void check_cost(const TierDef& tier, const RateLimitDef& limit);

  Reader& reader_;
  const ResourcesDef& resources_;
  Names breakers_{"breakers"}, limits_{"rate_limits"};
};

}  // namespace canorun::workflows
