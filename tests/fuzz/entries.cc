#include "fuzz/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "engine/expr/expression.h"
#include "engine/expr/template.h"
#include "tasks/catalog.h"
#include "workflows/load.h"
#include "workflows/shell_script.h"

namespace canorun::fuzz {
namespace {

void require(bool kept, const char* promise) {
  if (!kept) throw std::logic_error(promise);
}

void check_place(Span span, std::string_view text) {
  require(span.begin <= span.end && span.end <= text.size(), "a problem's place is in its text");
}

void check_shown(std::string_view shown) {
  require(!shown.empty() && to_utf8(shown) == shown, "what is shown is UTF-8");
  for (const char c : shown) {
    require(c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 127), "no control character is shown");
  }
}

void check_problem(const expr::Problem& problem, std::string_view text) {
  check_place(problem.span, text);
  require(!problem.message.empty(), "a problem has a message");
}

// A name for a value of every type.
const Json& bindings() {
  static const Json values = *parse_json(
      R"({"n": null, "b": true, "i": 42, "d": 1.5, "s": "a€b", "l": [1, [2, "x"], null], "m": {"a": {"b": [1.5]}, "x y": -1}})");
  return values;
}

struct Scope {
  expr::Environment environment;
  std::vector<expr::Value> slots;

  Scope() {
    for (const auto& [name, value] : bindings().items()) {
      environment.declare(name);
      slots.push_back(expr::Value::view(value));
    }
  }
};

const Scope& scope() {
  static const Scope made;
  return made;
}

void load(std::string flow) {
  const workflows::Loaded loaded =
      workflows::load_text("flow.yaml", std::move(flow), "/flows/flow.yaml", "/flows", tasks::catalog());
  require((loaded.flow == nullptr) == has_errors(loaded.diagnostics), "there is a flow, or an error");
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.source) check_place(diagnostic.span, diagnostic.source->text());
    check_shown(render(diagnostic, false));
  }
}

// Every '@' is a hole.
void scan(std::string script) {
  std::ranges::replace(script, '@', workflows::kHole);
  const std::vector<workflows::HolePlace> holes = workflows::scan_shell_script(script);
  require(std::ranges::count(script, workflows::kHole) == std::ssize(holes), "every hole has a place");
  for (const workflows::HolePlace& hole : holes) {
    const bool refused = hole.quoting == workflows::Quoting::kRefused;
    require(hole.why.empty() != refused && hole.hint.empty() != refused, "what is refused has a reason and a hint");
  }
}

}  // namespace

void flow(std::string_view text) { load(std::string(text)); }

void expression(std::string_view text) {
  const auto compiled = expr::Expression::compile(text, scope().environment);
  if (!compiled) return check_problem(compiled.error(), text);
  require(compiled->text() == text, "an expression keeps its text");
  for (const expr::Reference& reference : compiled->references()) {
    for (const auto& part : reference.parts) check_place(part.span, text);
  }
  const auto value = compiled->evaluate(scope().slots);
  if (!value) return check_problem(value.error(), text);
  if (const auto json = expr::to_json(*value)) to_json_text(*json);
}

void text(std::string_view text) {
  const auto compiled = expr::Template::compile(text, scope().environment);
  if (!compiled) {
    require(!compiled.error().empty(), "there is a template, or a problem");
    for (const expr::Problem& problem : compiled.error()) check_problem(problem, text);
  } else {
    require(compiled->is_literal() == !expr::has_template(text), "a text has a template, or is literal");
    for (const auto& piece : compiled->pieces()) check_place(piece.span, text);
    const auto value = compiled->evaluate(scope().slots);
    if (!value) check_problem(value.error(), text);
  }
  load(fmt::format(
      "name: x\ninputs: {{i: any, s: string}}\nstates:\n  a: {{run: {}, next: done}}\n  done: {{exit: success}}\n",
      to_json_text(Json(to_utf8(text)))));
  scan(std::string(text));
}

}  // namespace canorun::fuzz
