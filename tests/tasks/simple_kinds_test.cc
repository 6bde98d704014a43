#include <doctest/doctest.h>

#include "tasks/fake_context.h"

namespace canorun::tasks {
namespace {

using test::Bench;

Error refused(std::string_view kind, Json params) {
  auto made = Bench::make(kind, std::move(params));
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("the catalog has the kinds of this version, each with its documentation") {
  std::vector<std::string_view> names;
  for (const model::TaskKind& kind : catalog()) {
    names.push_back(kind.name);
    CAPTURE(kind.name);
    CHECK_FALSE(kind.doc.empty());
    CHECK(kind.example.find("  next: ") != std::string_view::npos);
    CHECK(kind.example.ends_with('\n'));
    const auto depends_on_a_literal = [&](const model::With& with) {
      const model::Param* param = model::find_param(kind, with.param);
      REQUIRE(param != nullptr);
      CHECK(param->literal);
      for (const std::string_view value : with.values) {
        CHECK_MESSAGE(std::ranges::find(param->one_of, value) != param->one_of.end(), value);
      }
    };
    for (const model::Param& param : kind.params) {
      CHECK_MESSAGE(!param.doc.empty(), param.name);
      if (!param.with.always()) depends_on_a_literal(param.with);
    }
    for (const model::Field& field : kind.outputs) {
      CHECK_MESSAGE(!field.doc.empty(), field.name);
      if (!field.with.always()) depends_on_a_literal(field.with);
    }
  }
  CHECK(names == std::vector<std::string_view>{"exec", "fail", "file", "flow", "http", "log", "pass", "shell"});
}

TEST_CASE("exactly the parameters the design names may stand beside run") {
  std::vector<std::string_view> beside;
  for (const model::Param& param : model::find_kind(catalog(), "shell")->params) {
    if (param.beside_run) beside.push_back(param.name);
  }
  CHECK(beside == std::vector<std::string_view>{"cwd", "env", "ok_exit_codes", "parse", "shell", "stdin"});
}

TEST_CASE("pass gives its value on") {
  CHECK(Bench().output("pass", {{"value", {{"a", {1, 2.5, "x"}}}}}) == Json{{"value", {{"a", {1, 2.5, "x"}}}}});
  CHECK(Bench().output("pass", Json::object()) == Json{{"value", nullptr}});
}

TEST_CASE("log says its message with its level, and has no output") {
  Bench bench;
  CHECK(bench.output("log", {{"message", "hello"}}) == Json());
  CHECK(Bench().output("log", {{"message", {1, 2}}}) == Json());
  CHECK(bench.context.said == std::vector<std::pair<model::LogLevel, std::string>>{{model::LogLevel::kInfo, "hello"}});
  Bench other;
  other.output("log", {{"message", Json::array({1, nullptr})}, {"level", "error"}});
  CHECK(other.context.said ==
        std::vector<std::pair<model::LogLevel, std::string>>{{model::LogLevel::kError, "[1,null]"}});
  CHECK(refused("log", {{"message", "x"}, {"level", "errr"}}).hint == "did you mean 'error'?");
}

TEST_CASE("fail fails with its message and kind") {
  auto error = Bench().error("fail", {{"message", "sold out"}, {"kind", "out_of_stock"}});
  CHECK(error.kind == "out_of_stock");
  CHECK(error.message == "sold out");
  CHECK(Bench().error("fail", {{"message", 42}}).kind == "task");
  CHECK(Bench().error("fail", {{"message", 42}}).message == "42");
}

TEST_CASE("fail takes no kind that is no name, or that only the engine gives") {
  for (const char* kind : {"", "Upper", "9x", "a-b", "a b"}) {
    CHECK(refused("fail", {{"message", "x"}, {"kind", kind}}).message ==
          fmt::format("'{}' cannot be an error's kind", kind));
  }
  for (const char* kind : {"cancelled", "run_timeout", "store"}) {
    CHECK(refused("fail", {{"message", "x"}, {"kind", kind}}).message ==
          fmt::format("only the engine fails with '{}'", kind));
  }
}

}  // namespace canorun::tasks
