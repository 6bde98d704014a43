#include "cli/progress.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/post.hpp>

#include "cli/view_run.h"
#include "engine/base/duration.h"
#include "engine/base/ids.h"

namespace canorun::cli {
namespace {

namespace asio = boost::asio;

constexpr Millis kFrame{100};
constexpr std::size_t kMostPending = 64 * 1024;
constexpr std::size_t kLongestLine = 64 * 1024;
constexpr Millis kCountEvery{1'000};
constexpr std::size_t kMostParts = 12;
constexpr std::string_view kBranch = "branch";
constexpr std::string_view kItem = "item";
constexpr std::array<std::string_view, 10> kSpinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

// What stays to be seen of a line on which the cursor went back to the start.
std::string_view last_overwrite(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  const auto back = line.rfind('\r');
  return back == std::string_view::npos ? line : line.substr(back + 1);
}

// Parts are told as parts: what happens inside the runs that they are fills screens. With --quiet nothing is told but
// what tasks say.
bool is_aside(const model::Event& event, Detail detail) {
  if (detail == Detail::kVerbose || (detail == Detail::kNormal && !event.of_part)) return false;
  return !std::holds_alternative<model::Said>(event.what);
}

// The states of a child run are told under the work of its parent. `name` keeps what the event then refers to.
model::Event in_its_place(const model::Event& event, std::string& name) {
  model::Event told = event;
  if (std::holds_alternative<model::RunBegan>(event.what)) return told;
  const auto rename = [&](auto& what) {
    if constexpr (requires { what.state; }) {
      name = fmt::format("{} > {}", event.around, what.state);
      what.state = name;
    }
  };
  std::visit(rename, told.what);
  return told;
}

// Whether that is told under the state or the part that is called so.
bool is_under(std::string_view state, const std::string& work) {
  return state.starts_with(work + " > ") || state.starts_with(work + "/");
}

Millis whole_frames(Millis time) { return std::max(Millis{0}, time) / kFrame * kFrame; }

}  // namespace

Progress::Progress(asio::any_io_executor executor, Output& err, const Clock& clock, Setting setting)
    : err_(err), clock_(clock), setting_(std::move(setting)), timer_(std::move(executor)) {
  if (setting_.detail == Detail::kQuiet) setting_.live = false;
}

Progress::~Progress() {
  *alive_ = false;
  finish();
}

void Progress::on_event(const model::Event& event) {
  if (is_aside(event, setting_.detail)) return;
  if (event.around.empty()) return tell(event);
  std::string name;
  tell(in_its_place(event, name));
}

void Progress::tell(const model::Event& event) {
  follow(event);
  if (auto text = event_line(event, setting_.detail, setting_.live, setting_.style)) say(*text);
}

// Keeps the live lines and the commands' output up with the event: one overload per kind.
void Progress::follow(const model::Event& event) {
  struct Follow {
    Progress& self;
    std::string around;

    void operator()(const model::RunBegan&) const {
      if (self.setting_.live && !self.ticks_) self.tick();
    }
    void operator()(const model::StateBegan& began) const {
      self.running_.push_back({std::string(began.state), {}, self.clock_.steady(), {}, {}});
    }
    void operator()(const model::AttemptBegan& began) const {
      Running* running = self.find(began.state, began.part);
      const Running* state = self.find(began.state);
      if (running == nullptr && state != nullptr && state->counts && state->counts->unit == kBranch) {
        self.running_.push_back({std::string(began.state), std::string(began.part), self.clock_.steady(), {}, {}});
        running = &self.running_.back();
      }
      const bool shows = began.of > 1;
      now(running, shows ? fmt::format("attempt {} of {}", began.attempt, began.of) : std::string(), std::nullopt);
    }
    void operator()(const model::AttemptFailed& failed) const {
      self.end_output(work_name(failed.state, failed.part));
      if (!failed.retry_in) return;
      now(self.find(failed.state, failed.part),
          fmt::format("attempt {} of {} failed, again in", failed.attempt, failed.of),
          self.clock_.now() + *failed.retry_in);
    }
    void operator()(const model::StateSucceeded& ended) const { end(ended.state); }
    void operator()(const model::StateFailed& ended) const { end(ended.state); }
    void operator()(const model::PartsBegan& began) const {
      if (Running* state = self.find(began.state)) {
        state->counts = Counts{.unit = std::string(began.branches ? kBranch : kItem),
                               .total = began.total,
                               .before = began.ended,
                               .ended = began.ended};
      }
    }
    void operator()(const model::PartEnded& ended) const {
      const std::string name = work_name(ended.state, ended.part);
      self.end_output(name);
      std::erase_if(self.running_, [&](const Running& it) {
        return (!it.part.empty() && it.part == ended.part && it.state == ended.state) || is_under(it.state, name);
      });
      Running* state = self.find(ended.state);
      if (state == nullptr || !state->counts) return;
      ++state->counts->ended;
      if (ended.error != nullptr) ++state->counts->failed;
      if (!ended.branch) self.count(*state);
    }
    void operator()(const model::Advanced& advanced) const {
      Running* state = self.find(advanced.state);
      if (state == nullptr) return;
      if (!state->counts) state->counts = Counts{.unit = std::string(advanced.unit), .before = advanced.count - 1};
      state->counts->ended = advanced.count;
      state->counts->items = advanced.items;
      now(state, advanced.until ? "goes on in" : "", advanced.until);
      self.count(*state);
    }
    void operator()(const model::Waiting& waiting) const {
      const std::string what = waiting.signal.empty() ? std::string("goes on in")
                               : waiting.until        ? fmt::format("waits for signal {}, at most", waiting.signal)
                                                      : fmt::format("waits for signal {}", waiting.signal);
      now(self.find(waiting.state), what, waiting.until);
    }
    void operator()(const model::Held& held) const { now(self.find(held.state), held_text(held), {}); }
    void operator()(const model::Queued&) const {}
    void operator()(const model::Said&) const {}
    void operator()(const model::Wrote& wrote) const {
      if (self.setting_.detail == Detail::kVerbose) self.take_output(work_name(wrote.state, wrote.part), wrote.bytes);
    }
    void operator()(const model::OrphansFound&) const {}
    // What the run worked on was cut off, and nobody says so.
    void operator()(const model::RollbackBegan&) const {
      drop([&](const Running& it) { return around.empty() || is_under(it.state, around); });
    }
    void operator()(const model::CompensationBegan& began) const {
      self.running_.push_back({std::string(began.state), std::string(began.part), self.clock_.steady(), {}, {}});
    }
    void operator()(const model::CompensationEnded& ended) const {
      self.end_output(work_name(ended.state, ended.part));
      std::erase_if(self.running_, [&](const Running& it) { return it.state == ended.state && it.part == ended.part; });
    }
    void operator()(const model::Stopping&) const {}

    void now(Running* running, std::string what, std::optional<WallTime> until) const {
      if (running == nullptr) return;
      running->now = std::move(what);
      running->until = until;
    }
    // The parts and the children that were cancelled go with it.
    void end(std::string_view state) const {
      const std::string name(state);
      self.end_output(name);
      drop([&](const Running& it) { return it.state == name || is_under(it.state, name); });
    }
    void drop(const std::function<bool(const Running&)>& goes) const {
      for (const Running& it : self.running_) {
        if (goes(it)) self.end_output(work_name(it.state, it.part));
      }
      std::erase_if(self.running_, goes);
    }
  };
  std::visit(Follow{*this, std::string(event.around)}, event.what);
}

Progress::Running* Progress::find(std::string_view state, std::string_view part) {
  const auto it =
      std::ranges::find_if(running_, [&](const Running& one) { return one.state == state && one.part == part; });
  return it != running_.end() ? &*it : nullptr;
}

// On a terminal the live line shows it.
void Progress::count(Running& state) {
  const SteadyTime now = clock_.steady();
  if (setting_.live || setting_.detail == Detail::kQuiet || now - state.counted < kCountEvery) return;
  const bool first = std::exchange(state.counted, now) == SteadyTime{};
  if (first && now - state.since < kCountEvery) return;
  const auto elapsed = std::chrono::duration_cast<Millis>(now - state.since);
  std::string line = fmt::format("{}: {}{}", state.state, state.counts->text(), state.counts->pace(elapsed));
  if (state.until) line += ", goes on at " + format_time(*state.until);
  say(line);
}

// Lines are written when the loop is idle: a flow whose states do not wait would spend its time here.
void Progress::say(std::string_view line) {
  pending_ += line;
  pending_ += '\n';
  if (pending_.size() > kMostPending) return flush();
  if (flush_posted_) return;
  flush_posted_ = true;
  asio::post(timer_.get_executor(), [this, alive = alive_] {
    if (*alive) flush();
  });
}

void Progress::flush() {
  flush_posted_ = false;
  if (pending_.empty()) return;
  erase();
  err_.write(pending_);
  pending_.clear();
  draw();
}

void Progress::tick() {
  ticks_ = true;
  timer_.expires_after(kFrame);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    flush();
    ++frame_;
    erase();
    draw();
    tick();
  });
}

std::vector<std::string> Progress::live_lines(std::size_t width) const {
  std::vector<std::string> lines;
  std::size_t parts = 0;
  for (const Running& it : running_) {
    if (!it.part.empty() && ++parts > kMostParts) continue;
    lines.push_back(one_line(live_line(it), width));
  }
  if (parts > kMostParts) lines.push_back(one_line(fmt::format("  … and {} more", parts - kMostParts), width));
  return lines;
}

std::string Progress::live_line(const Running& running) const {
  const auto elapsed = std::chrono::duration_cast<Millis>(clock_.steady() - running.since);
  std::string line = fmt::format("{} {} {}", kSpinner[frame_ % kSpinner.size()], work_name(running.state, running.part),
                                 human_duration(whole_frames(elapsed)));
  if (running.counts) {
    const std::string bar = running.counts->bar();
    line +=
        fmt::format("  {}{}{}{}", bar, bar.empty() ? "" : " ", running.counts->text(), running.counts->pace(elapsed));
  }
  if (!running.now.empty()) line += "  " + running.now;
  if (running.until) line += " " + human_duration(whole_frames(*running.until - clock_.now()));
  return line;
}

void Progress::erase() {
  std::string back;
  for (; drawn_ > 0; --drawn_) back += "\x1b[1A\x1b[2K";
  if (!back.empty()) err_.write(back + "\r");
}

void Progress::draw() {
  if (!setting_.live || running_.empty()) return;
  // A line that fills the last column would wrap on some terminals.
  const auto lines = live_lines(err_.width() - 1);
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  err_.write(out);
  drawn_ = lines.size();
}

void Progress::finish() {
  timer_.cancel();
  ticks_ = false;
  while (!half_lines_.empty()) end_output(std::string(half_lines_.begin()->first));
  running_.clear();
  flush();
  erase();
}

void Progress::take_output(const std::string& work, std::string_view bytes) {
  auto half = half_lines_.find(work);
  if (half == half_lines_.end()) half = half_lines_.emplace(work, std::string()).first;
  half->second += bytes;
  const std::string_view text = half->second;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    say_output(work, text.substr(begin, end - begin));
  }
  half->second.erase(0, begin);
  if (half->second.size() > kLongestLine) end_output(work);
}

// What has no end of line yet is told as it is.
void Progress::end_output(const std::string& work) {
  const auto half = half_lines_.find(work);
  if (half == half_lines_.end()) return;
  if (!half->second.empty()) say_output(work, half->second);
  half_lines_.erase(half);
}

void Progress::say_output(std::string_view work, std::string_view line) {
  const std::string text = printable(last_overwrite(line));
  say(setting_.live ? setting_.style.dim(fmt::format("  {} │ {}", work, text)) : fmt::format("{} | {}", work, text));
}

}  // namespace canorun::cli
