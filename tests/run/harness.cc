#include "harness.h"

#include <fmt/format.h>

#include "engine/base/duration.h"
#include "engine/base/ids.h"
#include "engine/model/task.h"
#include "workflows/load.h"

namespace canorun::test {
namespace {

namespace asio = boost::asio;

class ActTask final : public model::Task {
 public:
  explicit ActTask(Json params) : params_(std::move(params)) {}
  asio::awaitable<model::Outcome> run(model::TaskContext& context) override {
    auto act = Harness::acts.find(work_name(context.state(), context.part()));
    if (act == Harness::acts.end()) act = Harness::acts.find(context.state());
    if (act == Harness::acts.end()) co_return model::Success{params_.value("value", Json())};
    auto outcome = co_await act->second(context, params_);
    co_return outcome;
  }

 private:
  Json params_;
};

constexpr std::array<model::Param, 2> kActParams{{
    {.name = "text", .type = model::ParamType::kString, .doc = "any text"},
    {.name = "value", .type = model::ParamType::kAny, .doc = "what comes out"},
}};
// Gives what a test lets it.
class FeedSource final : public model::LineSource {
 public:
  explicit FeedSource(Json params) : params_(std::move(params)) {}
  // What it was to call goes with its loop.
  ~FeedSource() override { Harness::feed.ready = nullptr; }
  std::optional<model::Failure> start(model::TaskContext&, std::function<void()> ready) override {
    Feed& feed = Harness::feed;
    feed.ready = std::move(ready);
    feed.begun.push_back(params_.value("value", Json()));
    feed.outcome.reset();
    feed.lines.clear();
    if (feed.begin) feed.begin(feed, feed.begun.back());
    return std::nullopt;
  }
  model::NextLine next() override {
    Feed& feed = Harness::feed;
    if (!feed.lines.empty()) {
      model::Line line{feed.lines.front()};
      feed.lines.pop_front();
      ++feed.taken;
      return line;
    }
    if (feed.outcome) return *feed.outcome;
    return model::Nothing{};
  }
  asio::awaitable<void> end() override {
    ++Harness::feed.ended;
    Harness::feed.ready = nullptr;
    if (Harness::feed.on_end) Harness::feed.on_end();
    co_return;
  }

 private:
  Json params_;
};

class FlowTask final : public model::Task {
 public:
  explicit FlowTask(Json params) : params_(std::move(params)) {}
  asio::awaitable<model::Outcome> run(model::TaskContext& context) override {
    auto outcome = co_await context.run_flow(params_["file"].get<std::string>(), params_.value("inputs", Json()));
    co_return outcome;
  }

 private:
  Json params_;
};

constexpr std::array<model::Param, 2> kFlowParams{{
    {.name = "file", .type = model::ParamType::kString, .doc = "a flow", .required = true, .literal = true},
    {.name = "inputs", .type = model::ParamType::kMap, .doc = "its inputs"},
}};

const std::array<model::TaskKind, 3> kKinds{{
    {.name = "act",
     .doc = "does what a test says",
     .params = kActParams,
     .outputs = {},
     .any_output = true,
     .example = "",
     .check = nullptr,
     .make = [](Json params) -> Result<std::unique_ptr<model::Task>> {
       return std::make_unique<ActTask>(std::move(params));
     }},
    {.name = "feed",
     .doc = "prints what a test says",
     .params = kActParams,
     .outputs = {},
     .any_output = true,
     .example = "",
     .make = [](Json params) -> Result<std::unique_ptr<model::Task>> {
       return std::make_unique<ActTask>(std::move(params));
     },
     .make_lines = [](Json params) -> Result<std::unique_ptr<model::LineSource>> {
       return std::make_unique<FeedSource>(std::move(params));
     }},
    {.name = "flow",
     .doc = "runs a flow",
     .params = kFlowParams,
     .outputs = {},
     .any_output = true,
     .runs_flow = true,
     .example = "",
     .make = [](Json params) -> Result<std::unique_ptr<model::Task>> {
       return std::make_unique<FlowTask>(std::move(params));
     }},
}};

struct Line {
  std::string operator()(const model::RunBegan& e) const {
    return e.resumed ? fmt::format("resumed at {}", e.state) : fmt::format("began {}", e.flow);
  }
  std::string operator()(const model::StateBegan& e) const { return fmt::format("enter {} {}", e.state, e.visit); }
  std::string operator()(const model::AttemptBegan& e) const {
    return fmt::format("attempt {} {}/{}", work_name(e.state, e.part), e.attempt, e.of);
  }
  std::string operator()(const model::AttemptFailed& e) const {
    return fmt::format("failed {} {} {}{}", work_name(e.state, e.part), e.attempt, e.error->kind,
                       e.retry_in ? fmt::format(" retry {}", e.retry_in->count()) : "");
  }
  std::string operator()(const model::StateSucceeded& e) const {
    return fmt::format("succeeded {} after {}", e.state, e.attempts);
  }
  std::string operator()(const model::StateFailed& e) const {
    return fmt::format("lost {} {}: {}{}", e.state, e.error->kind, e.error->message,
                       e.goes_to.empty() ? "" : fmt::format(" -> {}", e.goes_to));
  }
  std::string operator()(const model::PartsBegan& e) const {
    return fmt::format("parts {} {} of {}", e.state, e.total - e.ended, e.total);
  }
  std::string operator()(const model::PartEnded& e) const {
    return fmt::format("part {}{}", work_name(e.state, e.part), e.error != nullptr ? " " + e.error->kind : "");
  }
  std::string operator()(const model::Advanced& e) const {
    return fmt::format("{} {} {}{}{}", e.unit, e.state, e.count, e.items > 0 ? fmt::format(" of {}", e.items) : "",
                       e.until ? " until " + format_time(*e.until) : "");
  }
  std::string operator()(const model::Waiting& e) const {
    return fmt::format("waiting {}{}{}", e.state, e.until ? " " + format_time(*e.until) : "",
                       e.signal.empty() ? "" : fmt::format(" for {}", e.signal));
  }
  std::string operator()(const model::Held& e) const {
    return fmt::format("held {} by {} for {}", work_name(e.state, e.part), e.limit, format_duration(e.time));
  }
  std::string operator()(const model::Queued& e) const {
    return fmt::format("queued for {} behind {}, {} ahead", e.group, e.before, e.ahead);
  }
  std::string operator()(const model::Said& e) const { return fmt::format("said {} {}", e.state, e.message); }
  std::string operator()(const model::Wrote& e) const { return fmt::format("wrote {} {}", e.state, e.bytes); }
  std::string operator()(const model::OrphansFound& e) const { return fmt::format("orphans {} {}", e.state, e.count); }
  std::string operator()(const model::RollbackBegan& e) const {
    return fmt::format("rollback of {}{}", e.count, e.error != nullptr ? " after " + e.error->kind : "");
  }
  std::string operator()(const model::CompensationBegan& e) const {
    return fmt::format("undo {} {}", work_name(e.state, e.part), e.visit);
  }
  std::string operator()(const model::CompensationEnded& e) const {
    return fmt::format("{} {} {}", e.error == nullptr ? "undid" : "kept", work_name(e.state, e.part), e.visit);
  }
  std::string operator()(const model::Stopping& e) const { return fmt::format("stopping {}", e.reason); }
};

}  // namespace

std::shared_ptr<const model::Flow> flow_of(const std::string& yaml,
                                           const std::map<std::string, std::string>& children) {
  const auto text_of = [&](const std::string& path) -> Result<std::string> {
    const auto found = children.find(path.substr(path.rfind('/') + 1));
    return found != children.end() ? Result<std::string>(found->second) : fail("there is no such file");
  };
  auto loaded = workflows::load_text("test.yaml", yaml, "/tmp/test.yaml", "/tmp", kKinds, text_of);
  for (const Diagnostic& diagnostic : loaded.diagnostics) MESSAGE(render(diagnostic, false));
  REQUIRE(loaded.flow);
  return loaded.flow;
}

void Recorder::on_event(const model::Event& event) {
  const std::string around = event.around.empty() ? std::string() : fmt::format("{}: ", event.around);
  lines.push_back(around + std::visit(Line{}, event.what));
}

Harness::Harness(store::CheckpointStore& store)
    : store_(store), io_(std::in_place), runtime_{io_->get_executor(), store_, clock, random, recorder} {
  run::LoopClock::source = &clock;
}

Harness::~Harness() {
  io_.reset();
  run::LoopClock::source = nullptr;
}

void Harness::spawn(asio::awaitable<run::Finished> run) {
  asio::co_spawn(*io_, std::move(run),
                 asio::bind_cancellation_slot(interrupt.slot(), [this](std::exception_ptr error, run::Finished result) {
                   REQUIRE(!error);
                   finished.emplace(std::move(result));
                 }));
}

void Harness::start(std::shared_ptr<const model::Flow> flow, Json inputs, std::string id, run::Sources sources) {
  spawn(run::start(runtime_, std::move(flow), std::move(id), std::move(inputs), interrupt, std::move(sources)));
}

void Harness::resume(std::shared_ptr<const model::Flow> flow, std::optional<std::string> from, std::string id,
                     Json given) {
  auto claimed = store_.claim(id);
  REQUIRE(claimed);
  std::optional<model::StateId> state;
  if (from) state = flow->find(*from);
  spawn(run::resume(runtime_, std::move(flow), std::move(*claimed), state, interrupt, std::move(given)));
}

void Harness::cancel(const std::string& id, std::string reason, std::shared_ptr<const model::Flow> flow) {
  auto claimed = store_.claim(id);
  REQUIRE(claimed);
  interrupt.raise(run::Reason::kCancel, std::move(reason));
  spawn(run::end(run::Ending::kCancel, runtime_, std::move(flow), std::move(*claimed), interrupt));
}

void Harness::probe(std::shared_ptr<const model::Flow> flow, Json inputs) {
  asio::co_spawn(*io_, run::probe(runtime_, std::move(flow), std::move(inputs), interrupt),
                 asio::bind_cancellation_slot(interrupt.slot(), [this](std::exception_ptr error, run::Probed result) {
                   REQUIRE(!error);
                   probed.emplace(std::move(result));
                 }));
}

void Harness::until(const std::function<bool()>& condition) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < patience);
    io_->restart();
    io_->run_one_for(std::chrono::milliseconds(2));
  }
}

std::vector<std::string> rows_of(store::CheckpointStore& store, const std::string& id) {
  const auto record = store.load(id);
  REQUIRE(record);
  std::vector<std::string> lines;
  for (const store::Row& kept : record->rows) {
    Json row = run::to_json(kept, 0);
    for (const char* changing : {"at", "duration_ms", "digest", "file", "folder", "flow", "version", "seq", "deadline"})
      row.erase(changing);
    std::string type = row["type"];
    row.erase("type");
    for (const char* empty : {"error", "output"}) {
      if (row.contains(empty) && row[empty].is_null()) row.erase(empty);
    }
    lines.push_back(row.empty() ? type : type + " " + to_json_text(row));
  }
  return lines;
}

std::vector<std::string> runs_of(store::CheckpointStore& store) {
  std::vector<std::string> lines;
  const auto runs = store.list({});
  REQUIRE(runs);
  for (const store::Summary& run : *runs) {
    lines.push_back(fmt::format("{} {}", run.id, store::status_name(run.status)));
  }
  std::ranges::reverse(lines);
  return lines;
}

const run::RunState& Fixture::run_to_end(const std::string& yaml, Json inputs) {
  process.start(flow_of(yaml), std::move(inputs));
  process.until_done();
  return process.finished->run;
}

void Fixture::until_line(const std::string& line) {
  process.until([&] { return process.recorder.has(line); });
}

void Fixture::turn() {
  int turns = 0;
  process.until([&] { return ++turns > 5; });
}

Act gives(Json output) {
  return [output](model::TaskContext&, Json) -> asio::awaitable<model::Outcome> { co_return model::Success{output}; };
}

Act fails(std::string kind, std::string message) {
  return [kind, message](model::TaskContext&, Json) -> asio::awaitable<model::Outcome> {
    co_return model::failure(kind, message);
  };
}

Act fails_first(int times, Json output) {
  return [times, output](model::TaskContext& context, Json) -> asio::awaitable<model::Outcome> {
    if (context.attempt() <= static_cast<std::uint32_t>(times)) co_return model::failure("exit", "exit code 1");
    co_return model::Success{output};
  };
}

Act hangs() {
  return [](model::TaskContext& context, Json) -> asio::awaitable<model::Outcome> {
    run::Timer timer(context.executor());
    timer.expires_at(SteadyTime::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return model::Success{nullptr};
  };
}

Act after(Millis time, Act then) {
  return [time, then](model::TaskContext& context, Json params) -> asio::awaitable<model::Outcome> {
    run::Timer timer(context.executor());
    timer.expires_after(time);
    co_await timer.async_wait(asio::use_awaitable);
    auto outcome = co_await then(context, params);
    co_return outcome;
  };
}

}  // namespace canorun::test
