#include "engine/expr/macros.h"

#include <array>
#include <utility>

namespace canorun::expr {
namespace {

using Form = decltype(Step::form);
using Kind = Comprehension::Macro;

template <Kind kind>
Form comprehension(std::vector<Local> locals, std::vector<NodePtr> expressions) {
  Comprehension made{kind, std::move(locals), nullptr, std::move(expressions.back())};
  if (expressions.size() == 2) made.filter = std::move(expressions.front());
  return made;
}

template <bool value>
Form or_else(std::vector<Local>, std::vector<NodePtr> expressions) {
  return OrElse{value, std::move(expressions.front())};
}

template <bool flat>
Form optional_map(std::vector<Local> locals, std::vector<NodePtr> expressions) {
  return OptionalMap{flat, std::move(locals.front()), std::move(expressions.front())};
}

constexpr std::array<Macro, 19> kMacros{{
    {"all", 2, 1, "list.all(x, condition)", comprehension<Kind::kAll>},
    {"all", 3, 2, "list.all(index, x, condition)", comprehension<Kind::kAll>},
    {"exists", 2, 1, "list.exists(x, condition)", comprehension<Kind::kExists>},
    {"exists", 3, 2, "list.exists(index, x, condition)", comprehension<Kind::kExists>},
    {"existsOne", 2, 1, "list.existsOne(x, condition)", comprehension<Kind::kExistsOne>},
    {"existsOne", 3, 2, "list.existsOne(index, x, condition)", comprehension<Kind::kExistsOne>},
    {"exists_one", 2, 1, "list.exists_one(x, condition)", comprehension<Kind::kExistsOne>},
    {"exists_one", 3, 2, "list.exists_one(index, x, condition)", comprehension<Kind::kExistsOne>},
    {"filter", 2, 1, "list.filter(x, condition)", comprehension<Kind::kFilter>},
    {"map", 2, 1, "list.map(x, value)", comprehension<Kind::kMap>},
    {"map", 3, 1, "list.map(x, condition, value)", comprehension<Kind::kMap>},
    {"optFlatMap", 2, 1, "optional.optFlatMap(x, optional)", optional_map<true>},
    {"optMap", 2, 1, "optional.optMap(x, value)", optional_map<false>},
    {"or", 1, 0, "optional.or(optional)", or_else<false>},
    {"orValue", 1, 0, "optional.orValue(value)", or_else<true>},
    {"transformList", 3, 2, "list.transformList(index, x, value)", comprehension<Kind::kTransformList>},
    {"transformList", 4, 2, "list.transformList(index, x, condition, value)", comprehension<Kind::kTransformList>},
    {"transformMap", 3, 2, "map.transformMap(key, x, value)", comprehension<Kind::kTransformMap>},
    {"transformMap", 4, 2, "map.transformMap(key, x, condition, value)", comprehension<Kind::kTransformMap>},
}};

}  // namespace

const Macro* find_macro(std::string_view name, std::size_t arguments) {
  for (const auto& macro : kMacros) {
    if (macro.name == name && macro.arguments == arguments) return &macro;
  }
  return nullptr;
}

const Macro* find_macro(std::string_view name) {
  for (const auto& macro : kMacros) {
    if (macro.name == name) return &macro;
  }
  return nullptr;
}

}  // namespace canorun::expr
