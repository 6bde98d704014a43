#include "engine/expr/signature.h"

#include <algorithm>

namespace canorun::expr {

Type Signature::read(std::size_t& code, std::uint32_t& variables) const {
  const std::uint8_t first = codes_[code++];
  if (first >= kFirstVariable) {
    const std::uint32_t number = first - kFirstVariable;
    variables = std::max(variables, number + 1);
    return Type::variable(number);
  }
  switch (static_cast<TypeKind>(first)) {
    case TypeKind::kNull: return Type::null();
    case TypeKind::kBool: return Type::boolean();
    case TypeKind::kInt: return Type::integer();
    case TypeKind::kUint: return Type::unsigned_integer();
    case TypeKind::kDouble: return Type::floating();
    case TypeKind::kString: return Type::string();
    case TypeKind::kBytes: return Type::bytes();
    case TypeKind::kTimestamp: return Type::timestamp();
    case TypeKind::kDuration: return Type::duration();
    case TypeKind::kType: return Type::type(read(code, variables));
    case TypeKind::kList: return Type::list(read(code, variables));
    case TypeKind::kOptional: return Type::optional(read(code, variables));
    case TypeKind::kMap: {
      Type key = read(code, variables);
      return Type::map(std::move(key), read(code, variables));
    }
    case TypeKind::kDyn:
    case TypeKind::kRecord:
    case TypeKind::kAbstract:
    case TypeKind::kVariable: break;
  }
  return Type::dyn();
}

Overload Signature::overload() const {
  Overload overload;
  std::size_t code = 0;
  for (std::size_t i = 0; i < parameters_; ++i) overload.parameters.push_back(read(code, overload.variables));
  overload.result = read(code, overload.variables);
  return overload;
}

}  // namespace canorun::expr
