// The type of an expression, as far as it is known before evaluation.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/expr/value.h"

namespace canorun::expr {

class Record;

enum class TypeKind : std::uint8_t {
  kDyn,  ///< known only at run time: goes with everything
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kType,
  kList,
  kMap,
  kOptional,
  kRecord,    ///< a map whose fields are known
  kAbstract,  ///< only its name is known
  kVariable,  ///< stands for a type that is still to be found; only in signatures and inside the checker
};

/// Immutable and cheap to copy. The default is dyn. What nests deeper than `kMaxDepth` is dyn from there on.
class Type {
 public:
  static constexpr std::size_t kMaxDepth = 64;

  Type() = default;

  static Type dyn() { return Type(); }
  static Type null() { return Type(TypeKind::kNull); }
  static Type boolean() { return Type(TypeKind::kBool); }
  static Type integer() { return Type(TypeKind::kInt); }
  static Type unsigned_integer() { return Type(TypeKind::kUint); }
  static Type floating() { return Type(TypeKind::kDouble); }
  static Type string() { return Type(TypeKind::kString); }
  static Type bytes() { return Type(TypeKind::kBytes); }
  static Type timestamp() { return Type(TypeKind::kTimestamp); }
  static Type duration() { return Type(TypeKind::kDuration); }
  static Type list(Type element = dyn());
  static Type map(Type key = string(), Type value = dyn());
  static Type optional(Type inside = dyn());
  /// The type of a type: of `int` it is `type(int)`.
  static Type type(Type of);
  /// The type of a type of which nothing is known.
  static Type type() { return Type(TypeKind::kType); }
  static Type record(std::shared_ptr<const Record> record);
  static Type abstract(std::string name, std::vector<Type> parameters);
  static Type variable(std::uint32_t number);

  /// The type of every value of that kind: `list(dyn)` for a list.
  static Type of(Kind kind);

  TypeKind kind() const { return kind_; }
  bool is(TypeKind kind) const { return kind_ == kind; }
  bool is_dyn() const { return kind_ == TypeKind::kDyn; }
  /// int, uint or double.
  bool is_number() const { return kind_ >= TypeKind::kInt && kind_ <= TypeKind::kDouble; }
  /// A map or a record.
  bool is_map() const { return kind_ == TypeKind::kMap || kind_ == TypeKind::kRecord; }

  /// Of a list, an optional or a type: what is inside. Of a map: key and value. Of an abstract type: what it has.
  std::span<const Type> parameters() const;
  /// Null when the type is no record.
  const std::shared_ptr<const Record>& record() const;
  std::uint32_t variable() const { return variable_; }
  /// Of an abstract type.
  const std::string& name() const;
  /// The same with other parameters.
  Type with(std::vector<Type> parameters) const { return made(kind_, std::move(parameters), name()); }
  std::size_t depth() const;
  /// It is a variable, or there is one inside.
  bool has_variables() const;

  /// As the language writes it: `list(int)`, `map(string, dyn)`, `optional_type(int)`.
  std::string text() const;

  /// The same type; records are the same when they are one object.
  bool operator==(const Type& other) const;

 private:
  struct Node;
  explicit Type(TypeKind kind) : kind_(kind) {}
  static Type made(TypeKind kind, std::vector<Type> parameters, std::string name = {});

  std::shared_ptr<const Node> node_;
  std::uint32_t variable_ = 0;
  TypeKind kind_ = TypeKind::kDyn;
};

}  // namespace canorun::expr
