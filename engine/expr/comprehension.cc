// The part of an evaluation that goes over lists and maps.
#include <fmt/format.h>

#include <utility>

#include "engine/expr/evaluation.h"

namespace canorun::expr {
namespace {

using Macro = Comprehension::Macro;

// The keys to go over: none for a list.
std::vector<Value> keys_of(const Value& target) { return target.is(Kind::kMap) ? target.keys() : std::vector<Value>(); }

const Value* key_at(const std::vector<Value>& keys, std::size_t index) { return keys.empty() ? nullptr : &keys[index]; }

}  // namespace

Outcome Evaluation::take(const Comprehension& form, const Value& target, Span span) {
  if (!target.is(Kind::kList) && !target.is(Kind::kMap)) {
    return fault(span, fmt::format("cannot go over a value of type {}", type_name(target)),
                 "only lists and maps have elements");
  }
  if (target.is(Kind::kMap) && !budget_.charge(target.size())) return spent(span);
  switch (form.macro) {
    case Macro::kAll:
    case Macro::kExists: return test_all(form, target);
    case Macro::kExistsOne: return count_one(form, target);
    case Macro::kTransformMap: return collect_map(form, target);
    case Macro::kMap:
    case Macro::kFilter:
    case Macro::kTransformList: break;
  }
  return collect(form, target);
}

void Evaluation::enter(const Comprehension& form, const Value& target, const Value* key, std::size_t index) {
  const bool two = form.locals.size() == 2;
  const bool map = key != nullptr;
  Value& first = locals_[form.locals[0].index];
  if (!two) {
    first = map ? *key : target.at(index);
    return;
  }
  Value& second = locals_[form.locals[1].index];
  first = map ? *key : Value::integer(static_cast<std::int64_t>(index));
  second = map ? target.get(*key).value_or(Value()) : target.at(index);
}

std::expected<bool, Fault> Evaluation::passes(const Comprehension& form) {
  if (!form.filter) return true;
  Outcome holds = condition(*form.filter);
  if (!holds) return std::unexpected(std::move(holds.error()));
  return holds->as_bool();
}

Outcome Evaluation::test_all(const Comprehension& form, const Value& target) {
  const std::vector<Value> keys = keys_of(target);
  const std::size_t size = target.is(Kind::kMap) ? keys.size() : target.size();
  Fold fold(form.macro == Macro::kAll);
  for (std::size_t i = 0; i < size; ++i) {
    enter(form, target, key_at(keys, i), i);
    if (fold.take(evaluate(*form.body), form.body->span)) break;
    if (budget_.spent()) return spent(form.body->span);
  }
  return fold.result();
}

Outcome Evaluation::count_one(const Comprehension& form, const Value& target) {
  const std::vector<Value> keys = keys_of(target);
  const std::size_t size = target.is(Kind::kMap) ? keys.size() : target.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    enter(form, target, key_at(keys, i), i);
    Outcome holds = condition(*form.body);
    if (!holds) return holds;
    if (holds->as_bool()) ++count;
  }
  return Value::boolean(count == 1);
}

Outcome Evaluation::collect(const Comprehension& form, const Value& target) {
  const std::vector<Value> keys = keys_of(target);
  const std::size_t size = target.is(Kind::kMap) ? keys.size() : target.size();
  std::vector<Value> collected;
  for (std::size_t i = 0; i < size; ++i) {
    enter(form, target, key_at(keys, i), i);
    if (form.macro == Macro::kFilter) {
      Outcome holds = condition(*form.body);
      if (!holds) return holds;
      if (holds->as_bool()) collected.push_back(locals_[form.locals[0].index]);
      continue;
    }
    auto passed = passes(form);
    if (!passed) return std::unexpected(std::move(passed.error()));
    if (!*passed) continue;
    Outcome value = evaluate(*form.body);
    if (!value) return value;
    collected.push_back(std::move(*value));
  }
  return Value::list(std::move(collected));
}

Outcome Evaluation::collect_map(const Comprehension& form, const Value& target) {
  const std::vector<Value> keys = keys_of(target);
  const std::size_t size = target.is(Kind::kMap) ? keys.size() : target.size();
  std::vector<Value::Entry> collected;
  for (std::size_t i = 0; i < size; ++i) {
    enter(form, target, key_at(keys, i), i);
    auto passed = passes(form);
    if (!passed) return std::unexpected(std::move(passed.error()));
    if (!*passed) continue;
    Outcome value = evaluate(*form.body);
    if (!value) return value;
    collected.emplace_back(locals_[form.locals[0].index], std::move(*value));
  }
  return *Value::map(std::move(collected));
}

}  // namespace canorun::expr
