// What stops a run ends what its commands have begun, in every shape: nothing with a mark of theirs is left.
#include <memory>

#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// A command that does not end, with a child of its own: both carry the mark.
const char* const kMark = "98763";
const std::string kStuck = "'echo >> begun; sleep 98763 & sleep 98763'";

struct Shape {
  std::string name;
  std::string state;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{
      {"run", "run: " + kStuck},
      {"split", "split: {branches: {a: {run: " + kStuck + "}, b: {run: " + kStuck + "}}}"},
      {"batch", "batch: {items: '[1, 2, 3]', concurrency: 2, do: {run: " + kStuck + "}}"},
      {"poll", "poll: {do: {run: " + kStuck + "}, until: output.exit_code == 0, every: 1ms}"},
      {"stepped", "stepped: {initial: 0, do: {run: " + kStuck + "}, cursor: 'null'}"},
      {"source", "stream: {source: {run: " + kStuck +
                     "}, initial: 0, cursor: cursor + 1, window: {count: 2}, flush: {run: 'true'}}"},
      {"each",
       "stream: {source: {run: 'seq 2; sleep 98763'}, initial: 0, cursor: cursor + 1, window: {count: 2}, "
       "each: {run: " +
           kStuck + "}, flush: {run: 'true'}}"},
  };
  return all;
}

std::string flow_of(const Shape& shape, const std::string& more = "") {
  return "name: stuck\n" + more +
         "states:\n"
         "  p: {run: echo >> done, compensate: {run: echo >> undone}, next: s}\n"
         "  s:\n    " +
         shape.state + "\n    next: end\n  end: {exit: success}\n";
}

bool is_begun(const World& world) { return !read_file(world.folder() + "/begun").empty(); }

struct Stop {
  std::string name;
  int code;
  std::string status;
  int signal = 0;
  std::string top = "";
};

// A budget is long enough for the work to begin.
const std::vector<Stop>& stops() {
  static const std::vector<Stop> all{{"SIGINT", 5, "cancelled", SIGINT},
                                     {"SIGTERM", 75, "suspended", SIGTERM},
                                     {"cancel", 5, "cancelled"},
                                     {"timeout", 3, "rolled_back", 0, "timeout: 1s\n"}};
  return all;
}

// Stops the run; another process that does so waits until it has ended.
std::unique_ptr<Program> stop_by(const Stop& stop, const World& world, const Program& run) {
  if (stop.signal != 0) run.signal(stop.signal);
  if (stop.name != "cancel") return nullptr;
  return std::make_unique<Program>(world.command({"cancel", "r1"}));
}

}  // namespace

TEST_CASE("whatever stops a run leaves no process of it, in any shape, and undoes what is owed") {
  for (const Shape& shape : shapes()) {
    for (const Stop& stop : stops()) {
      CAPTURE(shape.name);
      CAPTURE(stop.name);
      const World world;
      Program run(world.command({"run", world.file("flow.yaml", flow_of(shape, stop.top)), "--id", "r1"}));
      REQUIRE(eventually([&] { return is_begun(world) && processes_with(kMark) > 0; }));
      const auto other = stop_by(stop, world, run);
      const Ran ran = run.wait();
      INFO(ran.err);
      if (other) CHECK(other->wait().code == 0);
      CHECK(ran.code == stop.code);
      CHECK(processes_with(kMark) == 0);
      CHECK(world.json({"show", "r1"})["status"] == stop.status);
      CHECK(read_file(world.folder() + "/undone") == (stop.code == 75 ? "" : "\n"));
    }
  }
}

TEST_CASE("a flush is let finish, and then the run ends") {
  for (const Stop& stop : stops()) {
    CAPTURE(stop.name);
    const World world;
    const Shape shape{
        "flush",
        "stream: {source: {run: 'seq 2; sleep 98763'}, initial: 0, cursor: cursor + 1, window: {count: 2}, "
        "flush: {run: 'echo >> begun; until test -e go; do sleep 0.01; done'}}"};
    Program run(world.command({"run", world.file("flow.yaml", flow_of(shape, stop.top)), "--id", "r1"}));
    REQUIRE(eventually([&] { return is_begun(world); }));
    const auto other = stop_by(stop, world, run);
    const std::string heard = stop.signal == SIGTERM ? "suspending: " : "cancelling: ";
    REQUIRE(eventually([&] { return stop.signal == 0 || run.err().find(heard) != std::string::npos; }));
    world.file("go", "");
    const Ran ran = run.wait();
    INFO(ran.err);
    if (other) CHECK(other->wait().code == 0);
    CHECK(world.canorun({"events", "r1", "--json"}).out.find("window_ended") != std::string::npos);
    CHECK(ran.code == stop.code);
    CHECK(processes_with(kMark) == 0);
    CHECK(world.json({"show", "r1"})["status"] == stop.status);
  }
}

TEST_CASE("a compensation is stopped by SIGTERM and goes on with a resume; its budget ends it") {
  const std::string flow =
      "name: stuck\nTOPstates:\n  p: {run: 'true', compensate: {run: 'test -e go || { echo >> "
      "begun; sleep 98763 & sleep 98763; }'}, next: s}\n"
      "  s: {run: exit 1, next: end}\n  end: {exit: success}\n";
  const World world;
  Program run(world.command({"run", world.file("flow.yaml", replaced(flow, "TOP", "")), "--id", "r1"}));
  REQUIRE(eventually([&] { return is_begun(world) && processes_with(kMark) > 0; }));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  CHECK(processes_with(kMark) == 0);
  world.file("go", "");
  CHECK(world.canorun({"resume", "r1"}).code == 3);

  const World other;
  const Ran ran = other.canorun(
      {"run", other.file("flow.yaml", replaced(flow, "TOP", "compensation_timeout: 300ms\n")), "--id", "r1"});
  CHECK(ran.code == 4);
  CHECK(processes_with(kMark) == 0);
  CHECK(other.json({"show", "r1"})["status"] == "rollback_incomplete");
}
