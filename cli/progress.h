// Tells on stderr what happens in a run, while it happens.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/counts.h"
#include "cli/event_line.h"
#include "cli/output.h"
#include "cli/text.h"
#include "engine/base/clock.h"
#include "engine/model/event.h"

namespace canorun::cli {

/// One line per event; what is counted, at most once a second. On a terminal, also one line at the bottom for
/// every state and branch that runs, drawn anew as time passes. With `kVerbose`, what commands write, line by line.
/// Event-loop thread only.
class Progress final : public model::Observer {
 public:
  struct Setting {
    Detail detail = Detail::kNormal;
    bool live = false;  ///< a person watches
    Style style = {};
  };

  Progress(boost::asio::any_io_executor executor, Output& err, const Clock& clock, Setting setting);
  ~Progress() override;

  void on_event(const model::Event& event) override;

  /// Writes what is still to be written, and takes the live lines away.
  void finish();

  /// The live lines as they are now, without escapes, each at most `width` columns.
  std::vector<std::string> live_lines(std::size_t width) const;

 private:
  struct Running {
    std::string state;
    std::string part;  ///< a branch; empty: the state
    SteadyTime since;
    std::string now;                ///< what it does: `attempt 2 of 5`
    std::optional<WallTime> until;  ///< it waits
    std::optional<Counts> counts = {};
    SteadyTime counted = {};  ///< when the counts were said last
  };

  void tell(const model::Event& event);
  void follow(const model::Event& event);
  void say(std::string_view line);
  void tick();
  void erase();
  void draw();
  void flush();
  /// Null: it does not run, or not in sight.
  Running* find(std::string_view state, std::string_view part = {});
  void count(Running& state);
  std::string live_line(const Running& running) const;
  void take_output(const std::string& work, std::string_view bytes);
  void end_output(const std::string& work);
  void say_output(std::string_view work, std::string_view line);

  Output& err_;
  const Clock& clock_;
  Setting setting_;
  boost::asio::steady_timer timer_;
  std::vector<Running> running_;
  std::string pending_;  ///< lines not written yet
  bool flush_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::size_t drawn_ = 0;  ///< live lines on the terminal
  std::size_t frame_ = 0;
  bool ticks_ = false;
  std::map<std::string, std::string, std::less<>> half_lines_;  ///< by work: output whose line has not ended
};

}  // namespace canorun::cli
