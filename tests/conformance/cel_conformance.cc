// Runs the conformance cases of the CEL specification: cel_conformance tests.json
//
// A case is {suite, name, expr, typeEnv, bindings, value or evalError, type, …}; values are in the JSON
// encoding of cel.expr.Value, declarations in that of cel.expr.Decl.
#include <fmt/core.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "conformance/decode.h"
#include "engine/base/value.h"
#include "engine/expr/expression.h"

namespace canorun::expr {
namespace {

/// The names of a case with their types and values.
struct Scope {
  Environment environment;
  std::vector<Type> types;
  std::vector<Value> values;

  explicit Scope(const Json& test) {
    const Json declarations = test.value("typeEnv", Json::array());
    for (const Json& declaration : declarations) {
      if (declaration.contains("function")) {
        declare_function(declaration.at("name"), declaration.at("function"));
      } else {
        declare(declaration.at("name"), decode_type(declaration.at("ident").at("type")));
      }
    }
    const Json bindings = test.value("bindings", Json::object());
    for (const auto& [name, binding] : bindings.items()) {
      if (!environment.slot(name)) declare(name, Type::dyn());
      values[*environment.slot(name)] = decode_value(binding.at("value"));
    }
  }

 private:
  void declare(const std::string& name, Type type) {
    environment.declare(name);
    types.push_back(std::move(type));
    values.emplace_back();
  }

  void declare_function(const std::string& name, const Json& function) {
    std::vector<Overload> globals;
    std::vector<Overload> methods;
    for (const Json& overload : function.at("overloads")) {
      (overload.value("isInstanceFunction", false) ? methods : globals).push_back(decode_overload(overload));
    }
    if (!globals.empty()) environment.declare_function(name, false, std::move(globals));
    if (!methods.empty()) environment.declare_function(name, true, std::move(methods));
  }
};

std::optional<std::string> wrong_type(const Json& test, const Type& type) {
  std::string wanted = test.value("type", "");
  if (test.contains("deducedType")) wanted = decode_type(test.at("deducedType")).text();
  if (wanted.empty() || type.text() == wanted) return std::nullopt;
  return fmt::format("has the type {}, not {}", type.text(), wanted);
}

// What is wrong with the outcome; nothing when it is as the case wants it.
std::optional<std::string> run(const Json& test) {
  const Scope scope(test);
  const bool fails = test.contains("evalError");
  const auto expression = Expression::compile(test.at("expr").get<std::string>(), scope.environment);
  if (!expression) return fails ? std::nullopt : std::optional("does not compile: " + expression.error().message);
  if (!test.value("disableCheck", false)) {
    const Checked checked = expression->check(scope.types);
    if (!checked.problems.empty()) {
      return fails ? std::nullopt : std::optional("does not check: " + checked.problems.front().message);
    }
    if (auto wrong = wrong_type(test, checked.type)) return wrong;
  }
  if (test.value("checkOnly", false)) return std::nullopt;
  const auto value = expression->evaluate(scope.values);
  if (!value) return fails ? std::nullopt : std::optional("fails: " + value.error().message);
  if (fails) return "gives " + shown(*value) + " instead of failing";
  const Value wanted = decode_value(test.value("value", Json{{"boolValue", true}}));
  if (same(*value, wanted)) return std::nullopt;
  return fmt::format("gives {}, not {}", shown(*value), shown(wanted));
}

std::string title(const Json& test, std::size_t number) {
  if (!test.is_object()) return fmt::format("case {}", number);
  const auto part = [&](const char* key) { return test.contains(key) ? to_text(test.at(key)) : "?"; };
  return fmt::format("{}/{}: {}", part("suite"), part("name"), part("expr"));
}

std::optional<std::string> run_safely(const Json& test) {
  try {
    return run(test);
  } catch (const std::exception& error) {  // nlohmann's texts name the key or the type that is wrong
    return fmt::format("is not in the format of conformance cases: {}", error.what());
  }
}

int run_all(const Json& cases) {
  std::size_t failed = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto wrong = run_safely(cases[i]);
    if (!wrong) continue;
    ++failed;
    fmt::print("{}\n    {}\n", title(cases[i], i + 1), *wrong);
  }
  fmt::print("{} passed, {} failed\n", cases.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace canorun::expr

int main(int argc, char** argv) {
  using namespace canorun;
  if (argc != 2) {
    fmt::print(stderr, "usage: cel_conformance CASES.json\n");
    return 2;
  }
  std::ifstream file(argv[1]);
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", argv[1]);
    return 2;
  }
  const auto cases = parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!cases) {
    fmt::print(stderr, "{}: {}\n", argv[1], cases.error().message);
    return 2;
  }
  if (!cases->is_array()) {
    fmt::print(stderr, "{}: not an array of conformance cases\n", argv[1]);
    return 2;
  }
  return expr::run_all(*cases);
}
