#include "engine/expr/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <utility>

#include "engine/base/suggest.h"
#include "engine/expr/library.h"
#include "engine/expr/macros.h"

namespace canorun::expr {
namespace {

// Dotted names (`google.protobuf.Timestamp`) are tried up to this many dots.
constexpr std::size_t kMostDots = 8;

constexpr std::array<Kind, 13> kTypes{Kind::kNull,     Kind::kBool,  Kind::kInt,     Kind::kUint, Kind::kDouble,
                                      Kind::kString,   Kind::kBytes, Kind::kList,    Kind::kMap,  Kind::kTimestamp,
                                      Kind::kDuration, Kind::kType,  Kind::kOptional};

std::optional<Kind> find_type(std::string_view name) {
  for (const Kind kind : kTypes) {
    if (type_name(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string count_of(std::size_t number) { return fmt::format("{} argument{}", number, number == 1 ? "" : "s"); }

class Resolver {
 public:
  explicit Resolver(const Environment& environment) : environment_(environment) {}

  Resolution run(Node& root) {
    visit(root);
    return std::move(resolution_);
  }

 private:
  void visit(Node& node) {
    std::visit([&](auto& form) { bind(form, node.span); }, node.form);
  }

  void visit_all(std::vector<NodePtr>& nodes) {
    for (auto& node : nodes) visit(*node);
  }

  void bind(Literal&, Span) {}

  void bind(Name& name, Span span) {
    if (!find(name)) return unknown_name(name, span);
    if (name.binding == Name::Binding::kSlot) resolution_.references.push_back({{{name.text, span, false}}});
  }

  void bind(ListNode& list, Span) {
    for (auto& element : list.elements) visit(*element.node);
  }

  void bind(MapNode& map, Span) {
    for (auto& entry : map.entries) {
      visit(*entry.key);
      visit(*entry.value);
    }
  }

  void bind(Unary& unary, Span) { visit(*unary.operand); }

  void bind(Chain& chain, Span) {
    visit(*chain.first);
    for (auto& link : chain.links) visit(*link.operand);
  }

  void bind(Logic& logic, Span) { visit_all(logic.terms); }

  void bind(Conditional& conditional, Span) {
    for (auto& arm : conditional.arms) {
      visit(*arm.condition);
      visit(*arm.value);
    }
    visit(*conditional.otherwise);
  }

  void bind(Call& call, Span) {
    find(call, false);
    visit_all(call.arguments);
  }

  void bind(Bind& form, Span) {
    visit(*form.value);
    const Scope scope(*this, form.local);
    visit(*form.body);
  }

  void bind(Path& path, Span) {
    if (auto* name = std::get_if<Name>(&path.base->form)) bind_base(path, *name);
    if (!std::holds_alternative<Name>(path.base->form)) visit(*path.base);
    for (auto& step : path.steps) std::visit([&](auto& form) { bind_step(form); }, step.form);
  }

  void bind_step(Field&) {}
  void bind_step(Index& index) { visit(*index.key); }
  void bind_step(OrElse& form) { visit(*form.fallback); }

  void bind_step(Call& call) {
    find(call, true);
    visit_all(call.arguments);
  }

  void bind_step(Comprehension& form) {
    const Scope scope(*this, form.locals.front());
    std::optional<Scope> second;
    if (form.locals.size() > 1) second.emplace(*this, form.locals[1]);
    if (form.filter) visit(*form.filter);
    visit(*form.body);
  }

  void bind_step(OptionalMap& form) {
    const Scope scope(*this, form.local);
    visit(*form.body);
  }

  // A name with fields after it may be one dotted name, or the namespace of a function.
  void bind_base(Path& path, Name& name) {
    const bool known = find(name);
    if (!known || name.binding != Name::Binding::kLocal) {
      if (bind_dotted(path, name)) return;
    }
    if (bind_namespace(path, name, known)) return;
    if (!known) return unknown_name(name, path.base->span);
    if (name.binding == Name::Binding::kSlot) note_reference(path, name);
  }

  bool bind_dotted(Path& path, Name& name) {
    std::vector<std::string> candidates{name.text};
    for (const auto& step : path.steps) {
      const auto* field = std::get_if<Field>(&step.form);
      if (field == nullptr || field->optional || field->test || candidates.size() > kMostDots) break;
      candidates.push_back(candidates.back() + "." + field->name);
    }
    for (std::size_t dots = candidates.size() - 1; dots > 0; --dots) {
      Name dotted{candidates[dots], name.absolute};
      if (!find(dotted)) continue;
      name = std::move(dotted);
      path.base->span.end = path.steps[dots - 1].span.end;
      path.steps.erase(path.steps.begin(), path.steps.begin() + static_cast<std::ptrdiff_t>(dots));
      if (name.binding == Name::Binding::kSlot) note_reference(path, name);
      return true;
    }
    return false;
  }

  // `math.abs(x)`: the name and its first step become one call.
  // A function comes before a variable of the namespace's name.
  bool bind_namespace(Path& path, const Name& name, bool is_variable) {
    auto* call = path.steps.empty() ? nullptr : std::get_if<Call>(&path.steps.front().form);
    if (call == nullptr) return false;
    const std::string prefix = name.text + ".";
    const std::string full = prefix + call->name;
    if (find_functions(full, false).empty() && environment_.function(full, false) == nullptr) {
      const auto inside = [&](std::string_view function) { return function.starts_with(prefix); };
      if (is_variable || std::ranges::none_of(function_names(false), inside)) return false;
    }
    call->name = full;
    const Span span{path.base->span.begin, call->name_span.end};
    call->name_span = span;
    path.base->form = std::move(*call);
    path.base->span = span;
    path.steps.erase(path.steps.begin());
    return true;
  }

  void note_reference(const Path& path, const Name& name) {
    Reference reference{{{name.text, path.base->span, false}}};
    bool optional = false;
    for (const auto& step : path.steps) {
      if (const auto* field = std::get_if<Field>(&step.form)) {
        optional = optional || field->optional || field->test;
        reference.parts.push_back({field->name, step.span, optional});
        continue;
      }
      const auto* index = std::get_if<Index>(&step.form);
      const auto* key = index == nullptr ? nullptr : std::get_if<Literal>(&index->key->form);
      if (key == nullptr || !key->value.is(Kind::kString)) break;
      optional = optional || index->optional;
      reference.parts.push_back({std::string(key->value.as_text()), step.span, optional});
    }
    resolution_.references.push_back(std::move(reference));
  }

  bool find(Name& name) {
    if (!name.absolute) {
      for (std::size_t i = locals_.size(); i-- > 0;) {
        if (locals_[i] != name.text) continue;
        name.binding = Name::Binding::kLocal;
        name.index = i;
        return true;
      }
    }
    if (const auto slot = environment_.slot(name.text)) {
      name.binding = Name::Binding::kSlot;
      name.index = *slot;
      return true;
    }
    const auto type = find_type(name.text);
    if (!type) return false;
    name.binding = Name::Binding::kConstant;
    name.constant = Value::type(*type);
    return true;
  }

  void find(Call& call, bool as_method) {
    call.functions = find_functions(call.name, as_method);
    if (call.functions.empty()) {
      call.declared = environment_.function(call.name, as_method);
      if (call.declared == nullptr) unknown_function(call, as_method);
      return;
    }
    const std::size_t receiver = as_method ? 1 : 0;
    const std::size_t given = call.arguments.size() + receiver;
    const auto counts =
        call.functions | std::views::transform([](const Function& f) { return f.signature.parameters(); });
    const auto [fewest, most] = std::ranges::minmax(counts);
    if (given >= fewest && (given <= most || call.functions[0].style == Style::kVariadic)) return;
    call.functions = {};
    const std::size_t wanted = (given < fewest ? fewest : most) - receiver;
    fail(ProblemKind::kType, call.name_span,
         fmt::format("{}() takes {}, not {}", call.name, count_of(wanted), call.arguments.size()), {});
  }

  bool is_full() const { return resolution_.problems.size() >= kMostProblems; }

  void unknown_name(const Name& name, Span span) {
    if (is_full()) return;  // hints cost
    std::vector<std::string_view> known(environment_.common().begin(), environment_.common().end());
    known.insert(known.end(), locals_.begin(), locals_.end());
    fail(ProblemKind::kUnknownName, span, fmt::format("unknown name '{}'", name.text), suggestion(name.text, known));
  }

  void unknown_function(const Call& call, bool as_method) {
    if (is_full()) return;
    const Macro* macro = as_method ? find_macro(call.name) : nullptr;
    if (macro != nullptr) {
      fail(ProblemKind::kType, call.name_span,
           fmt::format("{}() does not take {}", call.name, count_of(call.arguments.size())),
           fmt::format("write it like {}", macro->usage));
      return;
    }
    std::string hint;
    if (!find_functions(call.name, !as_method).empty()) {
      hint = as_method ? fmt::format("write {}(x)", call.name) : fmt::format("write x.{}(…)", call.name);
    } else if (const auto near = nearest(call.name, function_names(as_method))) {
      hint = fmt::format("did you mean '{}'?", *near);
    }
    fail(ProblemKind::kUnknownName, call.name_span, fmt::format("unknown function '{}'", call.name), std::move(hint));
  }

  void fail(ProblemKind kind, Span span, std::string message, std::string hint) {
    if (!is_full()) resolution_.problems.push_back({kind, std::move(message), std::move(hint), span});
  }

  // A local is known as long as its scope lives.
  class Scope {
   public:
    Scope(Resolver& resolver, Local& local) : resolver_(resolver) {
      local.index = resolver_.locals_.size();
      resolver_.locals_.push_back(local.name);
      resolver_.resolution_.locals = std::max(resolver_.resolution_.locals, resolver_.locals_.size());
    }
    ~Scope() { resolver_.locals_.pop_back(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Resolver& resolver_;
  };

  const Environment& environment_;
  std::vector<std::string> locals_;
  Resolution resolution_;
};

}  // namespace

Resolution resolve(Node& root, const Environment& environment) { return Resolver(environment).run(root); }

}  // namespace canorun::expr
