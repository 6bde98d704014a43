#include "sweep.h"

#include <fmt/format.h>

#include <regex>

namespace canorun::test {
namespace {

std::string placed(const World& world, std::string text) {
  const std::string mark = "{world}";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;)
    text.replace(at, mark.size(), world.folder());
  return text;
}

std::vector<std::string> run_arguments(const World& world, const SweepCase& example) {
  std::vector<std::string> arguments{"run", example.flow, "--id", "r1"};
  for (const std::string& input : example.inputs) {
    arguments.push_back("-i");
    arguments.push_back(placed(world, input));
  }
  return arguments;
}

// Every path of the world becomes the same text, and so does every idempotency key.
std::string comparable_text(const World& world, std::string text) {
  static const std::regex key("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");
  text = std::regex_replace(text, key, "{key}");
  for (std::size_t at = 0; (at = text.find(world.folder(), at)) != std::string::npos;)
    text.replace(at, world.folder().size(), "{world}");
  return text;
}

// What measures time goes.
Json comparable(const World& world, const Json& value) {
  if (value.is_string()) return comparable_text(world, value.get<std::string>());
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, element] : value.items()) {
    if (value.is_array()) {
      out.push_back(comparable(world, element));
    } else if (key != "duration_ms" && key != "started_at" && key != "ended_at" && key != "date") {
      out[key] = comparable(world, element);
    }
  }
  return out;
}

End end_of(const World& world, const SweepCase& example, int code) {
  End end{code, comparable(world, world.json({"show", "r1"})), {}};
  for (const std::string& folder : example.compare) {
    for (auto& [name, content] : read_tree(world.folder() + "/" + folder)) {
      end.files[folder + "/" + name] = comparable_text(world, content);
    }
  }
  return end;
}

// Of the run, or of the longest one below it, by the number of the last one: a stream's windows take each other's
// place.
std::size_t rows_of(const World& world) {
  std::size_t most = 0;
  for (const Json& run : world.json({"list"})) {
    const std::string events = world.canorun({"events", run["id"], "--json"}).out;
    REQUIRE(events.ends_with("}\n"));
    const auto last = parse_json(events.substr(events.rfind('\n', events.size() - 2) + 1));
    REQUIRE(last);
    most = std::max(most, (*last)["seq"].get<std::size_t>() + 1);
  }
  return most;
}

void kill_and_resume(const SweepCase& example, const std::string& crash, const End& whole) {
  CAPTURE(crash);
  const World world;
  if (example.prepare) example.prepare(world);
  auto arguments = run_arguments(world, example);
  const Ran killed = world.canorun(arguments, {{"CANORUN_CRASH", crash}});
  REQUIRE(killed.signal == SIGKILL);
  // What had ended when the process died must not run again: its rows stay as they were.
  const Ran recorded = world.canorun({"events", "r1", "--json"});
  const std::string before = recorded.code == 0 ? recorded.out : "";
  if (example.killed) example.killed(world);
  arguments.push_back("--or-resume");
  const Ran resumed = world.canorun(arguments);
  INFO("stderr: ", resumed.err);
  CHECK(world.canorun({"events", "r1", "--json"}).out.substr(0, before.size()) == before);
  const End end = end_of(world, example, whole.code);
  CHECK(end.run == whole.run);
  CHECK(end.files == whole.files);
  // A run that was over when it was killed has nothing left to do: `--or-resume` says so.
  const bool was_over = before.find("\"run_ended\"") != std::string::npos;
  CHECK(resumed.code == (was_over && whole.code != 0 ? 6 : whole.code));
  if (example.ended) example.ended(world);
}

}  // namespace

std::size_t sweep(const SweepCase& example) {
  const World world;
  if (example.prepare) example.prepare(world);
  const Ran ran = world.canorun(run_arguments(world, example));
  INFO("stderr: ", ran.err);
  REQUIRE(ran.signal == 0);
  const End whole = end_of(world, example, ran.code);
  const std::size_t rows = rows_of(world);
  REQUIRE(rows >= 2);
  for (std::size_t row = 0; row < rows; ++row) {
    kill_and_resume(example, fmt::format("before:{}", row), whole);
    kill_and_resume(example, fmt::format("after:{}", row), whole);
  }
  return rows;
}

}  // namespace canorun::test
