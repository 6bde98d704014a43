#include "engine/expr/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/expr/unifier.h"

namespace canorun::expr {
namespace {

Type type_of_list(const Json& list, const std::string& what) {
  Unifier unifier;
  Type element = unifier.fresh();
  for (const Json& value : list) {
    const Type type = type_of(value, what);
    element = unifier.assignable(element, type) ? Unifier::most_general(element, type) : Type::dyn();
    if (element.is_dyn()) break;
  }
  return Type::list(unifier.finish(element));
}

}  // namespace

std::vector<std::string_view> Record::names() const {
  std::vector<std::string_view> names;
  names.reserve(fields_.size());
  for (const auto& [name, field] : fields_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Type type_of(const Json& value, const std::string& what) {
  switch (value.type()) {
    case Json::value_t::boolean: return Type::boolean();
    case Json::value_t::number_integer: return Type::integer();
    case Json::value_t::number_unsigned: return Type::unsigned_integer();
    case Json::value_t::number_float: return Type::floating();
    case Json::value_t::string: return Type::string();
    case Json::value_t::array: return type_of_list(value, what + "[]");
    case Json::value_t::object: {
      auto record = std::make_shared<Record>(what, 0, true);
      for (const auto& [name, field] : value.items()) {
        record->add(name, type_of(field, fmt::format("{}.{}", what, name)));
      }
      return Type::record(std::move(record));
    }
    default: return Type::dyn();
  }
}

}  // namespace canorun::expr
