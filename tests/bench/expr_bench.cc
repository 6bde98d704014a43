// What expressions cost: evaluating, and checking their types.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "engine/expr/expression.h"
#include "engine/expr/record.h"

namespace canorun::expr {
namespace {

Expression compiled(std::string_view text) {
  Environment environment;
  environment.declare("inputs");
  return *Expression::compile(text, environment);
}

void evaluate(benchmark::State& state, std::string_view text, const Json& inputs) {
  const Expression expression = compiled(text);
  const std::array slots{Value::view(inputs)};
  if (const auto value = expression.evaluate(slots); !value) return state.SkipWithError(value.error().message.c_str());
  for (auto _ : state) benchmark::DoNotOptimize(expression.evaluate(slots));
}

void compare_input_with_literal(benchmark::State& state) {
  evaluate(state, "inputs.amount > 1000.0", {{"amount", 42.0}});
}
BENCHMARK(compare_input_with_literal);

// The list is a variable: were it copied, the figure would grow with it.
void read_one_of_list(benchmark::State& state) {
  evaluate(state, "inputs.items[1]", {{"items", std::vector<int>(static_cast<std::size_t>(state.range(0)), 7)}});
}
BENCHMARK(read_one_of_list)->Arg(10)->Arg(100'000);

void filter_list(benchmark::State& state) {
  std::vector<int> items;
  for (int i = 0; i < state.range(0); ++i) items.push_back(i);
  evaluate(state, "inputs.items.filter(x, x % 2 == 0).size()", {{"items", items}});
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(filter_list)->Arg(1'000)->Unit(benchmark::kMicrosecond);

constexpr std::string_view kCondition =
    "inputs.amount > 1000.0 && inputs.order.startsWith('A') || size(inputs.items) == 0";

void compile(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(compiled(kCondition));
}
BENCHMARK(compile)->Unit(benchmark::kMicrosecond);

void check(benchmark::State& state) {
  auto inputs = std::make_shared<Record>("inputs");
  inputs->add("amount", Type::floating());
  inputs->add("order", Type::string());
  inputs->add("items", Type::list());
  const Expression expression = compiled(kCondition);
  const std::array slots{Type::record(std::move(inputs))};
  if (!expression.check(slots).problems.empty()) return state.SkipWithError("the condition does not check");
  for (auto _ : state) benchmark::DoNotOptimize(expression.check(slots));
}
BENCHMARK(check)->Unit(benchmark::kMicrosecond);

void compile_and_check_terms(benchmark::State& state) {
  std::string text = "1";
  for (int i = 1; i < state.range(0); ++i) text += " + 1";
  for (auto _ : state) benchmark::DoNotOptimize(compiled(text).check({}));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(compile_and_check_terms)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->Complexity();

}  // namespace
}  // namespace canorun::expr

BENCHMARK_MAIN();
