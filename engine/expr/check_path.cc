// The part of a check that follows a path: fields, indexes, macros.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "engine/expr/checking.h"
#include "engine/expr/record.h"

namespace canorun::expr {
namespace {

bool is_open(const Type& type) { return type.is_dyn() || type.is(TypeKind::kVariable); }

}  // namespace

Type Checking::field_of(const std::shared_ptr<const Record>& record, std::string_view name, Span span) {
  if (const RecordField* field = record->find(name)) return field->type;
  if (record->open()) return Type::dyn();
  if (problems_.size() < kMostProblems) {
    problems_.push_back({.kind = ProblemKind::kUnknownField,
                         .message = fmt::format("no field '{}' in {}", name, record->what()),
                         .span = span,
                         .record = record,
                         .field = std::string(name)});
  }
  return Type::dyn();
}

Type Checking::field_of(const Type& map, std::string_view name, Span span) {
  if (map.is(TypeKind::kVariable)) unifier_.assignable(Type::dyn(), map);
  if (is_open(map)) return Type::dyn();
  if (map.is(TypeKind::kRecord)) return field_of(map.record(), name, span);
  if (!map.is(TypeKind::kMap)) return problem(span, fmt::format("cannot read '{}' of {}", name, described(map)));
  if (!unifier_.assignable(Type::string(), map.parameters()[0])) {
    return problem(span, fmt::format("the keys of the map are {}, not string", text(map.parameters()[0])));
  }
  return map.parameters()[1];
}

Type Checking::step(const Field& field, const Type& target, Span span) {
  const bool implicit = target.is(TypeKind::kOptional);
  const Type map = implicit ? now(target.parameters()[0]) : target;
  const bool absent = map.is(TypeKind::kNull) && (field.optional || field.test);
  const Type found = absent ? Type::dyn() : field_of(map, field.name, span);
  if (field.test) return Type::boolean();
  return implicit || field.optional ? Type::optional(found) : found;
}

Type Checking::element_of(const Type& container, const Type& key, Span span) {
  if (container.is_dyn()) return Type::dyn();
  if (container.is(TypeKind::kVariable)) {  // nothing is known but what the key tells
    const Type element = unifier_.fresh();
    const bool list = unifier_.assignable(key, Type::integer());
    unifier_.assignable(container, list ? Type::list(element) : Type::map(key, element));
    return element;
  }
  if (container.is(TypeKind::kList)) {
    if (unifier_.assignable(key, Type::integer())) return container.parameters()[0];
    return problem(span, fmt::format("a list is indexed by an int, not by {}", described(key)),
                   key.is_number() ? "convert with int()" : "");
  }
  if (!container.is_map()) return problem(span, fmt::format("cannot index {}", described(container)));
  const Type wanted = container.parameters()[0];
  if (unifier_.assignable(key, wanted) || (key.is_number() && wanted.is_number())) return container.parameters()[1];
  return problem(span, fmt::format("the keys of the map are {}, not {}", text(wanted), text(key)));
}

Type Checking::step(const Index& index, const Type& target, Span span) {
  const Type key = infer(*index.key);
  const bool implicit = target.is(TypeKind::kOptional);
  const Type container = now(implicit ? target.parameters()[0] : target);
  const auto* literal = std::get_if<Literal>(&index.key->form);
  Type found;
  if (container.is(TypeKind::kRecord) && literal != nullptr && literal->value.is(Kind::kString)) {
    found = field_of(container.record(), literal->value.as_text(), span);
  } else if (!(index.optional && container.is(TypeKind::kNull))) {
    found = element_of(container, key, span);
  }
  found = now(found);
  return implicit || index.optional ? Type::optional(found) : found;
}

std::optional<Type> Checking::inside_of(const Type& type, std::string_view who, Span span) {
  const Type inside = unifier_.fresh();
  if (unifier_.assignable(type, Type::optional(inside))) return inside;
  problem(span, fmt::format("{}() needs an optional, not {}", who, text(type)),
          "an optional comes from '.?field' or '[?key]'");
  return std::nullopt;
}

Type Checking::step(const OrElse& form, const Type& target, Span span) {
  static const Overload kOr = Signature("(optional(A), optional(A)) -> optional(A)").overload();
  static const Overload kOrValue = Signature("(optional(A), A) -> A").overload();
  const std::string_view name = form.value ? "orValue" : "or";
  const auto inside = inside_of(target, name, span);
  const Type fallback = infer(*form.fallback);
  if (!inside) return Type::dyn();
  if (auto result = unifier_.call(form.value ? kOrValue : kOr, std::array{now(target), fallback})) return *result;
  const Type wanted = form.value ? *inside : Type::optional(*inside);
  return problem(form.fallback->span, fmt::format("{}() takes {}, not {}", name, text(wanted), text(fallback)));
}

Type Checking::step(const OptionalMap& form, const Type& target, Span span) {
  const auto inside = inside_of(target, form.flat ? "optFlatMap" : "optMap", span);
  locals_[form.local.index] = inside.value_or(Type::dyn());
  const Type body = now(infer(*form.body));
  if (!form.flat) return Type::optional(body);
  if (unifier_.assignable(body, Type::optional(unifier_.fresh()))) return now(body);
  return problem(form.body->span, fmt::format("optFlatMap() takes an optional, not {}", text(body)));
}

void Checking::enter(const Comprehension& form, const Type& target, Span span) {
  if (target.is(TypeKind::kVariable)) unifier_.assignable(Type::dyn(), target);
  Type first;
  Type second;
  if (target.is(TypeKind::kList)) {
    first = form.locals.size() == 1 ? target.parameters()[0] : Type::integer();
    second = target.parameters()[0];
  } else if (target.is_map()) {
    first = target.parameters()[0];
    second = target.parameters()[1];
  } else if (!is_open(target)) {
    problem(span, fmt::format("cannot go over {}", described(target)), "only lists and maps have elements");
  }
  locals_[form.locals[0].index] = first;
  if (form.locals.size() > 1) locals_[form.locals[1].index] = second;
}

Type Checking::step(const Comprehension& form, const Type& target, Span span) {
  using enum Comprehension::Macro;
  enter(form, target, span);
  if (form.filter) condition(*form.filter);
  const bool tests = form.macro != kMap && form.macro != kTransformList && form.macro != kTransformMap;
  if (tests) {
    condition(*form.body);
    return form.macro == kFilter ? Type::list(now(locals_[form.locals[0].index])) : Type::boolean();
  }
  const Type body = now(infer(*form.body));
  const Type first = now(locals_[form.locals[0].index]);
  return form.macro == kTransformMap ? Type::map(first, body) : Type::list(body);
}

}  // namespace canorun::expr
