#include "engine/expr/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace canorun::expr {

struct Type::Node {
  std::vector<Type> parameters;
  std::string name = {};
  std::shared_ptr<const Record> record = {};
  std::size_t depth = 1;
  bool variables = false;
};

// Keys are scalars; so a type is no tree but a line, and whatever walks it ends soon.
Type Type::made(TypeKind kind, std::vector<Type> parameters, std::string name) {
  if (kind == TypeKind::kMap && parameters.front().depth() > 0) parameters.front() = dyn();
  std::size_t depth = 0;
  bool variables = false;
  for (Type& parameter : parameters) {
    if (parameter.depth() >= kMaxDepth) parameter = dyn();
    depth = std::max(depth, parameter.depth());
    variables = variables || parameter.has_variables();
  }
  Type type(kind);
  type.node_ = std::make_shared<const Node>(
      Node{.parameters = std::move(parameters), .name = std::move(name), .depth = depth + 1, .variables = variables});
  return type;
}

Type Type::list(Type element) { return made(TypeKind::kList, {std::move(element)}); }
Type Type::map(Type key, Type value) { return made(TypeKind::kMap, {std::move(key), std::move(value)}); }
Type Type::optional(Type inside) { return made(TypeKind::kOptional, {std::move(inside)}); }
Type Type::type(Type of) { return made(TypeKind::kType, {std::move(of)}); }

Type Type::record(std::shared_ptr<const Record> record) {
  Type type(TypeKind::kRecord);
  type.node_ = std::make_shared<const Node>(Node{.parameters = {string(), dyn()}, .record = std::move(record)});
  return type;
}

Type Type::abstract(std::string name, std::vector<Type> parameters) {
  return made(TypeKind::kAbstract, std::move(parameters), std::move(name));
}

Type Type::variable(std::uint32_t number) {
  Type type(TypeKind::kVariable);
  type.variable_ = number;
  return type;
}

Type Type::of(Kind kind) {
  switch (kind) {
    case Kind::kNull: return null();
    case Kind::kBool: return boolean();
    case Kind::kInt: return integer();
    case Kind::kUint: return unsigned_integer();
    case Kind::kDouble: return floating();
    case Kind::kString: return string();
    case Kind::kBytes: return bytes();
    case Kind::kList: return list();
    case Kind::kMap: return map(dyn(), dyn());
    case Kind::kTimestamp: return timestamp();
    case Kind::kDuration: return duration();
    case Kind::kType: return type();
    case Kind::kOptional: return optional();
  }
  return dyn();
}

std::span<const Type> Type::parameters() const {
  return node_ == nullptr ? std::span<const Type>() : std::span<const Type>(node_->parameters);
}

const std::shared_ptr<const Record>& Type::record() const {
  static const std::shared_ptr<const Record> kNone;
  return node_ == nullptr ? kNone : node_->record;
}

const std::string& Type::name() const {
  static const std::string kNone;
  return node_ == nullptr ? kNone : node_->name;
}

std::size_t Type::depth() const { return node_ == nullptr ? 0 : node_->depth; }

bool Type::has_variables() const { return is(TypeKind::kVariable) || (node_ != nullptr && node_->variables); }

std::string Type::text() const {
  std::string name;
  switch (kind_) {
    case TypeKind::kDyn:
    case TypeKind::kVariable: return "dyn";
    case TypeKind::kNull: return "null";
    case TypeKind::kBool: return "bool";
    case TypeKind::kInt: return "int";
    case TypeKind::kUint: return "uint";
    case TypeKind::kDouble: return "double";
    case TypeKind::kString: return "string";
    case TypeKind::kBytes: return "bytes";
    case TypeKind::kTimestamp: return "timestamp";
    case TypeKind::kDuration: return "duration";
    case TypeKind::kType: name = "type"; break;
    case TypeKind::kList: name = "list"; break;
    case TypeKind::kMap:
    case TypeKind::kRecord: name = "map"; break;
    case TypeKind::kOptional: name = "optional_type"; break;
    case TypeKind::kAbstract: name = node_->name; break;
  }
  std::string inside;
  for (const Type& parameter : parameters()) inside += (inside.empty() ? "" : ", ") + parameter.text();
  return inside.empty() ? name : fmt::format("{}({})", name, inside);
}

bool Type::operator==(const Type& other) const {
  if (kind_ != other.kind_ || variable_ != other.variable_) return false;
  if (node_ == other.node_) return true;
  if (node_ == nullptr || other.node_ == nullptr) return false;
  if (kind_ == TypeKind::kRecord) return node_->record == other.node_->record;
  return node_->name == other.node_->name && node_->parameters == other.node_->parameters;
}

}  // namespace canorun::expr
