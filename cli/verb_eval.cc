// canorun eval: evaluates an expression.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/input_values.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "engine/base/ids.h"
#include "engine/expr/expression.h"
#include "engine/expr/record.h"

namespace canorun::cli {
namespace {

std::unexpected<Refusal> refuse_expression(const std::string& text, const std::vector<expr::Problem>& problems,
                                           std::string_view lacks = "value") {
  const auto source = std::make_shared<Source>("expression", text);
  Refusal refusal{.kind = RefusalKind::kExpression, .message = fmt::format("the expression has no {}", lacks)};
  for (const expr::Problem& problem : problems) {
    refusal.diagnostics.push_back({.code = code_of(problem.kind),
                                   .source = source,
                                   .span = problem.span,
                                   .message = problem.message,
                                   .hint = problem.hint});
  }
  return std::unexpected(std::move(refusal));
}

class Eval final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(text_, "EXPR", "the expression, without ${{ }}; put -- before one that begins with -");
    line.option(bindings_, "--bind", "JSON", "an object; its keys are names that the expression may use");
    line.flag(type_, "--type", "print the type instead of the value, and do not evaluate");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto bindings = bindings_ ? parse_object(*bindings_, "--bind") : OrRefusal<Json>(Json::object());
    if (!bindings) return std::unexpected(bindings.error());
    expr::Environment environment;
    std::vector<expr::Value> slots;
    std::vector<expr::Type> types;
    for (const auto& [name, value] : bindings->items()) {
      if (!is_name(name))
        return refuse(RefusalKind::kUsage, fmt::format("--bind: '{}' cannot be a name", to_utf8(name)));
      environment.declare(name);
      slots.push_back(expr::Value::view(value));
      if (type_) types.push_back(expr::type_of(value, fmt::format("'{}'", name)));
    }
    const auto expression = expr::Expression::compile(text_, environment);
    if (!expression) return refuse_expression(text_, {expression.error()});
    // Without --type the values decide: a name is as what a flow knows only when it runs.
    const expr::Checked checked = expression->check(types);
    if (!checked.problems.empty()) return refuse_expression(text_, checked.problems, type_ ? "type" : "value");
    return print(wiring, type_ ? Json(checked.type.text()) : value_of(*expression, slots));
  }

 private:
  OrRefusal<Json> value_of(const expr::Expression& expression, std::span<const expr::Value> slots) const {
    const auto value = expression.evaluate(slots);
    if (!value) return refuse_expression(text_, {value.error()});
    auto json = expr::to_json(*value);
    if (json) return std::move(*json);
    return refuse_expression(text_, {{.kind = expr::ProblemKind::kEvaluation,
                                      .message = json.error(),
                                      .span = {0, static_cast<std::uint32_t>(text_.size())}}});
  }

  static OrRefusal<ExitCode> print(Wiring& wiring, const OrRefusal<Json>& result) {
    if (!result) return std::unexpected(result.error());
    if (wiring.options().json) {
      wiring.document(*result);
    } else {
      wiring.out().write(to_text(*result) + "\n");
    }
    return ExitCode::kSuccess;
  }

  std::string text_;
  std::optional<std::string> bindings_;
  bool type_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_eval() { return std::make_unique<Eval>(); }

}  // namespace canorun::cli
