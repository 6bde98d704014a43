#include "cli/torture_compare.h"

#include <doctest/doctest.h>

using namespace canorun;

namespace {

using Strings = std::vector<std::string>;

cli::Entry text(const std::string& content, std::uint64_t lines) {
  return {.mode = 0644, .content = content, .size = 10 * lines, .lines = lines, .is_text = true};
}
cli::Entry binary(const std::string& content) { return {.mode = 0644, .content = content, .size = 7}; }
cli::Entry folder() { return {.kind = cli::Entry::Kind::kFolder, .mode = 0755}; }
cli::Entry link(const std::string& to) { return {.kind = cli::Entry::Kind::kLink, .content = to}; }

cli::End end(cli::Content files = {}, Json output = nullptr) {
  return {.status = store::Status::kSucceeded, .state = "done", .output = std::move(output), .files = std::move(files)};
}

Strings texts(const cli::Baseline& baseline, const cli::End& found) {
  Strings out;
  for (const auto& difference : baseline.differences(found)) out.push_back(difference.text);
  return out;
}

cli::Baseline baseline_of(const cli::End& one, const cli::End& other) {
  cli::Baseline baseline(one);
  baseline.learn(other);
  return baseline;
}

Strings difference(const cli::End& expected, const cli::End& found) { return texts(cli::Baseline(expected), found); }

}  // namespace

TEST_CASE("how a run ended is compared") {
  cli::End found = end();
  found.status = store::Status::kFailed;
  found.state = "pay";
  found.error = "exit";
  CHECK(difference(end(), found) == Strings{"the status is failed instead of succeeded",
                                            "the last state is 'pay' instead of 'done'",
                                            "the error's kind is 'exit' instead of none"});
  found.trouble = "it did not end within 1m";
  CHECK(difference(end(), found) == Strings{"it did not end within 1m"});
}

TEST_CASE("outputs are compared value by value") {
  const Json expected{{"count", 1}, {"list", {1, {{"a", "x"}}}}, {"map", {{"a", 1}}}};
  CHECK(difference(end({}, expected), end({}, expected)) == Strings{});
  CHECK(difference(end({}, expected), end({}, Json{{"count", 2}, {"list", {1, {{"a", "y"}}}}, {"map", {{"b", 1}}}})) ==
        Strings{"output.count is 2 instead of 1", R"(output.list[1].a is "y" instead of "x")",
                R"(output.map is {"b":1} instead of {"a":1})"});
  CHECK(difference(end({}, {1}), end({}, {1, 1})) == Strings{"output is [1,1] instead of [1]"});
  CHECK(difference(end({}, expected), end()) ==
        Strings{R"(output is null instead of {"count":1,"list":[1,{"a":"x"}],"map":{"a":1}})"});
}

TEST_CASE("values that differ between runs that were left alone are left out, and nothing else is") {
  const cli::Baseline baseline = baseline_of(end({}, {{"at", {{"day", 1}, {"hour", 2}}}, {"att", 1}, {"n", 1}}),
                                             end({}, {{"at", {{"day", 1}, {"hour", 3}}}, {"att", 1}, {"n", {1}}}));
  CHECK(texts(baseline, end({}, {{"at", {{"day", 1}, {"hour", 4}}}, {"att", 1}, {"n", {{"x", 2}}}})) == Strings{});
  CHECK(texts(baseline, end({}, {{"at", {{"day", 2}, {"hour", 4}}}, {"att", 2}, {"n", 1}})) ==
        Strings{"output.at.day is 2 instead of 1", "output.att is 2 instead of 1"});
  CHECK(baseline.left_out() == Strings{"output.at.hour", "output.n"});
}

TEST_CASE("files are compared by kind, mode, lines and content") {
  const cli::End expected = end({{"dir", folder()}, {"dir/a", text("1", 1)}, {"dir/b", binary("x")}, {"l", link("a")}});
  CHECK(difference(expected,
                   end({{"dir", folder()}, {"dir/a", text("2", 2)}, {"dir/b", binary("y")}, {"l", link("b")}})) ==
        Strings{"file dir/a has 2 lines instead of 1", "file dir/b has another content",
                "link l leads to b instead of a"});
  CHECK(difference(expected, end({{"dir", folder()}, {"dir/a", folder()}, {"l", link("a")}, {"new", link("a")}})) ==
        Strings{"dir/a is a folder instead of a file", "file dir/b is missing", "link new is there, and was not"});
  cli::Entry changed = binary("x");
  changed.mode = 0600;
  CHECK(difference(end({{"b", binary("x")}}), end({{"b", changed}})) ==
        Strings{"file b has mode 0600 instead of 0644"});
  changed = binary("y");
  changed.size = 8;
  CHECK(difference(end({{"b", binary("x")}}), end({{"b", changed}})) ==
        Strings{"file b has another content: 8 bytes instead of 7"});
}

TEST_CASE("a text that differs from run to run must still keep the number of its lines") {
  const cli::Baseline baseline =
      baseline_of(end({{"log", text("1", 2)}, {"grows", text("1", 1)}, {"bin", binary("1")}}),
                  end({{"log", text("2", 2)}, {"grows", text("2", 2)}, {"bin", binary("2")}}));
  CHECK(texts(baseline, end({{"log", text("3", 2)}, {"grows", text("3", 9)}, {"bin", binary("3")}})) == Strings{});
  CHECK(texts(baseline, end({{"log", text("3", 3)}, {"grows", text("3", 9)}, {"bin", binary("3")}})) ==
        Strings{"file log has 3 lines instead of 2"});
  CHECK(baseline.left_out() ==
        Strings{"the content of bin", "the content of grows", "the content of log, but for the number of its lines"});
}

TEST_CASE("a folder whose names differ from run to run must still keep the number of its entries") {
  const auto files = [](const std::string& name, bool twice = false) {
    cli::Content content{{"fixed", text("1", 1)}, {name, folder()}, {name + "/in", text("1", 1)}};
    if (twice) content["run-9"] = folder();
    return end(content);
  };
  const cli::Baseline baseline = baseline_of(files("run-1"), files("run-2"));
  CHECK(texts(baseline, files("run-3")) == Strings{});
  CHECK(texts(baseline, files("run-3", true)) == Strings{"the folder has 3 entries instead of 2"});
  CHECK(baseline.left_out() == Strings{"which files the folder has, but for how many"});
  const cli::Baseline counts_vary = baseline_of(files("run-1"), files("run-2", true));
  CHECK(texts(counts_vary, files("run-3", true)) == Strings{});
  CHECK(counts_vary.left_out() == Strings{"which files the folder has"});
}
