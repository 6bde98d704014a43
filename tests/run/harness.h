// A run in one process: real loop, real language, held time, scripted work, recorded events.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/event.h"
#include "engine/run/health.h"
#include "engine/run/run.h"
#include "engine/store/memory_store.h"
#include "support/counting_random.h"
#include "support/manual_clock.h"

namespace canorun::test {

/// What the task kind `act` does in one attempt; its parameters are `value` (any) and `text`.
using Act = std::function<boost::asio::awaitable<model::Outcome>(model::TaskContext&, Json)>;

/// What the task kind `feed` prints: lines, then an outcome, if one is given.
struct Feed {
  std::function<void(Feed&, const Json& value)> begin;  ///< called for each start, with its `value`
  std::vector<Json> begun;                              ///< those values
  std::deque<std::string> lines;
  std::optional<model::Outcome> outcome;
  std::function<void()> ready;
  std::function<void()> on_end;  ///< called when it is ended
  int ended = 0;
  int taken = 0;

  void give(std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
    if (ready) ready();
  }
};

/// The flow of a text, with the kinds `act`, `feed` and `flow`; the test fails on any diagnostic. `children`: the flow
/// files that it may name; it is `test.yaml` itself.
std::shared_ptr<const model::Flow> flow_of(const std::string& yaml,
                                           const std::map<std::string, std::string>& children = {});

/// Tells events as short lines: `enter a`, `attempt a 1/3`, `failed a 1 exit retry 100`, `ended a`; those of a child
/// behind the work that it is: `a: enter x`.
class Recorder final : public model::Observer {
 public:
  void on_event(const model::Event& event) override;
  std::vector<std::string> lines;
  bool last_begins(std::string_view begin) const { return !lines.empty() && lines.back().starts_with(begin); }
  bool has(const std::string& line) const { return std::find(lines.begin(), lines.end(), line) != lines.end(); }
};

/// One process's worth of running. A second one over the same store is a second process.
class Harness {
 public:
  explicit Harness(store::CheckpointStore& store);
  ~Harness();

  /// A run with nothing to do but wait is let go of from now on.
  void let_go() { runtime_.suspends = true; }
  void start(std::shared_ptr<const model::Flow> flow, Json inputs = Json::object(), std::string id = "r1",
             run::Sources sources = {});
  /// `given`: the values of its secret inputs.
  void resume(std::shared_ptr<const model::Flow> flow, std::optional<std::string> from = {}, std::string id = "r1",
              Json given = Json::object());

  void probe(std::shared_ptr<const model::Flow> flow, Json inputs);
  void cancel(const std::string& id, std::string reason, std::shared_ptr<const model::Flow> flow = nullptr);

  /// Raises the interrupt as the handler of a signal does: within the loop.
  void raise(run::Reason reason, const std::string& detail) {
    boost::asio::post(*io_, [this, reason, detail] { interrupt.raise(reason, detail); });
  }

  /// Turns the loop until `condition`; fails the test when nothing comes of it for five seconds.
  void until(const std::function<bool()>& condition);
  void until_done() {
    until([this] { return finished.has_value(); });
  }

  ManualClock clock;
  CountingRandom random;
  Recorder recorder;
  run::Interrupt interrupt;
  std::optional<run::Finished> finished;
  std::optional<run::Probed> probed;
  /// What `act` does, by state, or by `state/part`.
  static inline std::map<std::string, Act> acts;
  static inline Feed feed;

 private:
  void spawn(boost::asio::awaitable<run::Finished> run);
  store::CheckpointStore& store_;
  std::optional<boost::asio::io_context> io_;  ///< goes first, with what was cut off in the middle of a run
  run::Runtime runtime_;
};

/// The rows of a run as `events --json` would print them, without times and durations.
std::vector<std::string> rows_of(store::CheckpointStore& store, const std::string& id = "r1");

/// All runs with their status, in the order in which they began: `r1 running`.
std::vector<std::string> runs_of(store::CheckpointStore& store);

/// One run in an empty store, and what a test does with it.
struct Fixture {
  Fixture() {
    Harness::acts.clear();
    Harness::feed = {};
  }
  store::MemoryStore store;
  Harness process{store};

  std::vector<std::string> rows() { return rows_of(store); }
  const run::RunState& run_to_end(const std::string& yaml, Json inputs = Json::object());
  void until_line(const std::string& line);
  /// Gives the loop a chance to do what it should not do.
  void turn();
};

/// An act that gives `output`, and one that fails.
Act gives(Json output);
Act fails(std::string kind, std::string message = "no");
/// Fails `times` times, then gives `output`.
Act fails_first(int times, Json output);
/// Never ends by itself.
Act hangs();
/// Does something else once so much time has passed.
Act after(Millis time, Act then);

}  // namespace canorun::test
