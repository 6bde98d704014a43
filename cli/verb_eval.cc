// canorun eval: evaluates an expression.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/input_values.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "engine/base/ids.h"
#include "engine/expr/expression.h"

namespace canorun::cli {
namespace {

Code code_of(expr::ProblemKind kind) {
  switch (kind) {
    case expr::ProblemKind::kSyntax:
      return Code::kExpressionSyntax;
    case expr::ProblemKind::kUnknownName:
      return Code::kUnknownName;
    case expr::ProblemKind::kType:
    case expr::ProblemKind::kUnknownField:
    case expr::ProblemKind::kEvaluation:
      return Code::kExpressionType;
  }
  return Code::kExpressionType;
}

std::unexpected<Refusal> refuse_expression(const std::string& text, const expr::Problem& problem) {
  const Diagnostic diagnostic{.code = code_of(problem.kind),
                              .source = std::make_shared<Source>("expression", text),
                              .span = problem.span,
                              .message = problem.message,
                              .hint = problem.hint};
  return std::unexpected(
      Refusal{.kind = RefusalKind::kExpression, .message = "the expression has no value", .diagnostics = {diagnostic}});
}

class Eval final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(text_, "EXPR", "the expression, without ${{ }}");
    line.option(bindings_, "--bind", "JSON", "an object; its keys are names that the expression may use");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto bindings = bindings_ ? parse_object(*bindings_, "--bind") : OrRefusal<Json>(Json::object());
    if (!bindings) return std::unexpected(bindings.error());
    expr::Environment environment;
    std::vector<expr::Value> slots;
    for (const auto& [name, value] : bindings->items()) {
      if (!is_name(name))
        return refuse(RefusalKind::kUsage, fmt::format("--bind: '{}' cannot be a name", to_utf8(name)));
      environment.declare(name);
      slots.push_back(expr::Value::view(value));
    }
    const auto expression = expr::Expression::compile(text_, environment);
    if (!expression) return refuse_expression(text_, expression.error());
    const auto value = expression->evaluate(slots);
    if (!value) return refuse_expression(text_, value.error());
    const auto json = expr::to_json(*value);
    if (!json) {
      return refuse_expression(text_, {.kind = expr::ProblemKind::kEvaluation,
                                       .message = json.error(),
                                       .span = {0, static_cast<std::uint32_t>(text_.size())}});
    }
    if (wiring.options().json) {
      wiring.document(*json);
    } else {
      wiring.out().write(to_text(*json) + "\n");
    }
    return ExitCode::kSuccess;
  }

 private:
  std::string text_;
  std::optional<std::string> bindings_;
};

}  // namespace

std::unique_ptr<Verb> make_eval() { return std::make_unique<Eval>(); }

}  // namespace canorun::cli
