#include "cli/wiring.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <map>
#include <optional>

#include "cli/input_values.h"

using namespace canorun;
using namespace canorun::cli;

namespace {

// Variables as they are for one test, and as they were after it.
class Variables {
 public:
  explicit Variables(const std::map<std::string, std::string>& wanted) {
    for (const char* name : {"CANORUN_STORE", "XDG_STATE_HOME", "HOME"}) {
      const char* value = ::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      set(name, wanted.contains(name) ? std::optional(wanted.at(name)) : std::nullopt);
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const auto& [name, value] : before_) set(name, value);
  }

 private:
  static void set(const std::string& name, const std::optional<std::string>& value) {
    if (value) {
      ::setenv(name.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name.c_str());
    }
  }
  std::map<std::string, std::optional<std::string>> before_;
};

std::string folder(const std::map<std::string, std::string>& variables, Options options = {}) {
  const Variables set(variables);
  const auto found = store_folder(options);
  return found ? *found : std::string(kind_name(found.error().kind)) + ": " + found.error().hint;
}

}  // namespace

TEST_CASE("the store is the first of what names one") {
  CHECK(folder({{"CANORUN_STORE", "/c"}, {"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}, {.store = "/o"}) == "/o");
  CHECK(folder({{"CANORUN_STORE", "/c"}, {"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}) == "/c");
  CHECK(folder({{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}) == "/x/canorun");
  CHECK(folder({{"CANORUN_STORE", ""}, {"XDG_STATE_HOME", "x"}, {"HOME", "/h"}}) == "/h/.local/state/canorun");
}

TEST_CASE("without HOME a store must be named") {
  CHECK(folder({}) == "no_store_folder: name one with --store DIR or CANORUN_STORE");
  CHECK(exit_code(RefusalKind::kNoStoreFolder) == ExitCode::kStore);
  CHECK(folder({{"HOME", "/h"}}, {.store = ""}).starts_with("usage: "));
}

TEST_CASE("commands to type name the store that was named") {
  CHECK(Wiring({}).command("resume r-1") == "canorun resume r-1");
  CHECK(Wiring({.store = "/srv/my store"}).command("resume r-1") == "canorun resume r-1 --store '/srv/my store'");
}

TEST_CASE("inputs are split at their first equals sign") {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(split_inputs({"a=1", "b=x=y", "c="}).value() == Pairs{{"a", "1"}, {"b", "x=y"}, {"c", ""}});
  CHECK(split_inputs({"novalue"}).error().message == "-i takes NAME=VALUE, and one of them is something else");
  CHECK(split_inputs({"=x"}).error().message == "-i takes NAME=VALUE, and one of them is something else");
}

TEST_CASE("inputs from a file are one JSON object") {
  CHECK(parse_object(R"({"a": 3})", "f.json").value() == Json{{"a", 3}});
  CHECK(parse_object("[]", "f.json").error().message == "f.json must be a JSON object, not list");
  CHECK(parse_object("{", "f.json").error().message.starts_with("f.json: "));
  CHECK(read_input_file("/nowhere/f.json").error().message == "cannot open /nowhere/f.json: No such file or directory");
  CHECK(read_input_file("/").error().message == "cannot read /: Is a directory");
}
