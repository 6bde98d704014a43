// GCC 12 miscompiles a coroutine whose `co_await` is part of a larger expression. What it compiles
// right is a `co_await` that stands alone: as a statement, as what is returned, or as the whole right
// side of an assignment; and its own arguments hold no `{`, which would be an aggregate temporary.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <string>
#include <string_view>

#include "house/tree.h"

namespace canorun::test {
namespace {

constexpr std::string_view kAwait = "co_await";

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// What stands before `at` in its statement, without what is in closed brackets; "(" when `at` itself is
/// inside round or square brackets.
std::string statement_before(std::string_view code, std::size_t at) {
  std::string before;
  int depth = 0;
  for (std::size_t i = at; i-- > 0;) {
    const char c = code[i];
    if (c == ')' || c == ']')
      ++depth;
    else if ((c == '(' || c == '[') && depth-- == 0)
      return "(";
    else if (depth == 0 && (c == ';' || c == '{' || c == '}'))
      break;
    else if (depth == 0 && c != '(' && c != '[')
      before += c;
  }
  std::ranges::reverse(before);
  return before;
}

/// What stands behind `at` up to the statement's end, brackets and all, and what ends it.
std::string statement_behind(std::string_view code, std::size_t at) {
  std::string behind;
  int depth = 0;
  for (std::size_t i = at; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(' || c == '[')
      ++depth;
    else if (c == ')' || c == ']')
      --depth;
    behind += c;
    if (depth < 0 || (depth == 0 && (c == ';' || c == '}'))) break;
  }
  return behind;
}

bool stands_alone(std::string_view code, std::size_t at) {
  static const std::regex alone(
      R"(\s*((if(\s+constexpr)?|else|while|for|case\b[^?]*:|default\s*:)\s*)*(co_return|[\w:<>,.&*\s-]*[^=!<>+*/&|-]=)?\s*)");
  static const std::regex joined(R"([?]|&&|\|\|)");
  const std::string behind = statement_behind(code, at + kAwait.size());
  if (!std::regex_match(statement_before(code, at), alone)) return false;
  if (!behind.ends_with(';') || behind.find('{') != std::string::npos) return false;
  std::string outside;  // an operator among the arguments joins nothing to the co_await
  int depth = 0;
  for (const char c : behind) {
    if (c == ')') --depth;
    if (depth == 0) outside += c;
    if (c == '(') ++depth;
  }
  return !std::regex_search(outside, joined);
}

/// One line for each co_await of `file` that does not stand alone.
std::string unsafe_awaits(const SourceFile& file) {
  const std::string code = code_only(file.text);
  std::string found;
  for (auto at = code.find(kAwait); at != std::string::npos; at = code.find(kAwait, at + 1)) {
    if ((at > 0 && is_word(code[at - 1])) || is_word(code[at + kAwait.size()])) continue;
    if (stands_alone(code, at)) continue;
    const auto line = 1 + std::ranges::count(std::string_view(code).substr(0, at), '\n');
    found += fmt::format("{}:{}\n", file.path, line);
  }
  return found;
}

}  // namespace

TEST_CASE("a co_await inside a larger expression is found") {
  for (const char* bad : {
           "if (co_await f()) g();",
           "if (ready && co_await f()) g();",
           "if (auto x = co_await f(); x) g();",
           "while (co_await f()) g();",
           "while (!co_await f()) g();",
           "switch (co_await f()) { default: break; }",
           "for (auto x : co_await f()) g();",
           "auto x = a ? co_await f() : 0;",
           "auto x = co_await f() ? 1 : 0;",
           "auto x = a && co_await f();",
           "auto x = co_await f() || b;",
           "auto x = T{co_await f()};",
           "T x{co_await f(), 1};",
           "T x = {co_await f()};",
           "g(co_await f());",
           "co_return g(co_await f());",
           "co_return !co_await f();",
           "auto x = 1 + co_await f();",
           "x += co_await f();",
           "co_await f(T{1, 2});",
           "auto x = co_await f(T{.a = 1});",
           "co_await f({1, 2});",
           "auto x = rows[co_await f()];",
       }) {
    CAPTURE(bad);
    CHECK(unsafe_awaits({"x.cc", bad}) == "x.cc:1\n");
  }
}

TEST_CASE("a co_await that stands alone is let pass") {
  for (const char* good : {
           "co_await f();",
           "{ co_await f(named); }",
           "auto result = co_await f(named);",
           "const auto [a, b] = co_await f(named);",
           "std::vector<int> all = co_await f(a && b);",
           "result = co_await (*task)->run(context);",
           "this->value_ = co_await f();",
           "if (!done) co_await f();",
           "if (a) { g(); } else co_await f();",
           "while (a < b) co_await f();",
           "co_return co_await f(x ? 1 : 2);",
           "switch (a) { case kOne: co_await f(); break; default: co_await g(); }",
           "spawn(executor, [&]() -> awaitable<void> { co_await f(); });",
           "// if (co_await f())\n",
           "auto text = \"if (co_await f())\";",
           "auto text = R\"(if (co_await f()) {)\";",
           "int co_awaited = 1'000 + (2);",
       }) {
    CAPTURE(good);
    CHECK(unsafe_awaits({"x.cc", good}) == "");
  }
}

TEST_CASE("no co_await of the tree is part of a larger expression") {
  std::string found;
  for (const SourceFile& file : source_files(true)) found += unsafe_awaits(file);
  CHECK(found == "");
}

}  // namespace canorun::test
