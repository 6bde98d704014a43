#include "cli/torture.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/view_run.h"
#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

constexpr Millis kLongestWait{10 * 60'000};

bool has_ended(const Seen& seen) { return seen.is_there && store::has_ended(seen.status); }

std::string last_words(const SelfEnded& ended) {
  if (ended.status.signalled) return process::signal_name(ended.status.value) + " ended it";
  return ended.err.empty() ? fmt::format("exit code {}", ended.status.value) : one_line(ended.err, 500);
}

class Torture {
 public:
  Torture(TortureBench& bench, StopSignals& stop, std::optional<Millis> patience)
      : bench_(bench), stop_(stop), patience_(patience) {}

  OrRefusal<TortureReport> perform(const Tell& tell) {
    auto first = first_whole();
    if (!first) return std::unexpected(first.error());
    const auto rows = bench_.rows();
    if (!rows) return std::unexpected(rows.error());
    if (const auto gone = bench_.missing()) {
      return refuse(RefusalKind::kUsage, fmt::format("a run leaves nothing that is called '{}'", to_utf8(*gone)),
                    "--compare takes a folder or a file, relative to the flow's folder");
    }
    Baseline baseline(std::move(*first));
    if (auto second = learn(baseline); !second) return std::unexpected(second.error());
    if (!patience_) patience_ = std::max(Millis{60'000}, 10 * report_.took);
    const std::vector<Kill> kills = kills_of(*rows);
    report_.kills = kills.size();
    for (std::size_t number = 0; number < kills.size(); ++number) {
      const auto same = kill_once(baseline, kills[number]);
      if (!same) return std::unexpected(same.error());
      tell(number + 1, report_.kills, kills[number], *same);
    }
    conclude(baseline);
    return std::move(report_);
  }

 private:
  /// A kill that led to another end.
  struct Odd {
    Step step;
    Kill kill;
    End end;
  };

  // Before and after every row of every run.
  static std::vector<Kill> kills_of(const std::vector<TortureBench::Rows>& runs) {
    std::vector<Kill> kills;
    for (const auto& [run, names] : runs) {
      for (std::uint64_t row = 0; row < names.size(); ++row) {
        for (const bool after : {false, true})
          kills.push_back({after, row, names[row], run == TortureBench::kRun ? std::string() : run});
      }
    }
    return kills;
  }

  std::unexpected<Refusal> stopped() const {
    return refuse(RefusalKind::kCancelled, report_.kills == 0
                                               ? "interrupted before the first kill"
                                               : fmt::format("interrupted after {} of {} kills", done_, report_.kills));
  }

  OrRefusal<SelfEnded> run(const TortureBench::How& how) {
    if (stop_.came()) return stopped();
    auto ended = bench_.work(how);
    if (ended && stop_.came()) return stopped();
    return ended;
  }

  // Also finds out whether it ends by itself.
  OrRefusal<End> first_whole() {
    auto end = whole({.suspends = true});
    if (end || seen_.status != store::Status::kWaiting || !seen_.waits_for) return end;
    const store::WaitsFor& waits = *seen_.waits_for;
    const bool soon = waits.until && *waits.until - SystemClock().now() < kLongestWait && waits.signal.empty();
    if (soon) return whole();
    return refuse(RefusalKind::kUsage, fmt::format("at '{}' it {}", seen_.end.state, waits_text(waits)),
                  "only a flow that ends by itself can be tortured: give it inputs by which it does not wait");
  }

  // A run that is left alone.
  OrRefusal<End> whole(const TortureBench::How& how = {}) {
    if (auto anew = bench_.begin_anew(); !anew) return std::unexpected(anew.error());
    const auto ended = run(how);
    if (!ended) return std::unexpected(ended.error());
    auto seen = bench_.look();
    if (!seen) return std::unexpected(seen.error());
    seen_ = std::move(*seen);
    if (!has_ended(seen_)) {
      const bool refused = !ended->status.signalled && ended->status.value == 2;
      return refuse(refused ? RefusalKind::kInvalidFlow : RefusalKind::kFault,
                    "a run that was left alone came to no end: " + last_words(*ended));
    }
    report_.took = std::max(report_.took, ended->took);
    return with_files(seen_.end);
  }

  OrRefusal<void> learn(Baseline& baseline) {
    const auto another = whole();
    if (!another) return std::unexpected(another.error());
    baseline.learn(*another);
    return {};
  }

  End with_files(End end) const {
    end.files = bench_.files();
    return end;
  }

  // Gives whether it came to the same end.
  OrRefusal<bool> kill_once(Baseline& baseline, const Kill& kill) {
    if (auto anew = bench_.begin_anew(); !anew) return std::unexpected(anew.error());
    const auto killed = run({.crash = fmt::format("{}:{}@{}", kill.after ? "after" : "before", kill.row,
                                                  kill.run.empty() ? TortureBench::kRun : kill.run),
                             .patience = patience_});
    if (!killed) return std::unexpected(killed.error());
    const auto cut_off = bench_.look();
    if (!cut_off) return std::unexpected(cut_off.error());
    const bool was_killed = killed->status == process::ExitStatus{true, SIGKILL} && !killed->impatient;
    if (!was_killed) ++report_.unkilled;
    auto end = has_ended(*cut_off) ? with_files(cut_off->end) : resumed(*killed);
    if (!end) return std::unexpected(end.error());
    ++done_;
    const auto judged = judge(baseline, *end);
    if (!judged) return std::unexpected(judged.error());
    if (!*judged) odd_.push_back({cut_off->step, kill, std::move(*end)});
    return *judged;
  }

  // What differs for the first time is held against one more run that is left alone, after it: a time of day, say, is
  // the same in runs that follow each other at once, and another a little later.
  OrRefusal<bool> judge(Baseline& baseline, const End& end) {
    auto differences = baseline.differences(end);
    const bool known = std::ranges::includes(confirmed_, std::set(differences.begin(), differences.end()));
    if (!known && end.trouble.empty()) {
      if (auto learnt = learn(baseline); !learnt) return std::unexpected(learnt.error());
      differences = baseline.differences(end);
    }
    confirmed_.insert(differences.begin(), differences.end());
    return differences.empty();
  }

  OrRefusal<End> resumed(const SelfEnded& killed) {
    End end;
    const auto late = [&] {
      end.trouble = fmt::format("it did not end within {}", human_duration(*patience_));
      return end;
    };
    if (killed.impatient) return late();
    const auto ended = run({.patience = patience_});
    if (!ended) return std::unexpected(ended.error());
    if (ended->impatient) return late();
    const auto seen = bench_.look();
    if (!seen) return std::unexpected(seen.error());
    if (has_ended(*seen)) return with_files(seen->end);
    end.trouble = "it could not be resumed: " + last_words(*ended);
    return end;
  }

  // By all that was learnt in the end.
  void conclude(const Baseline& baseline) {
    report_.whole = baseline.end();
    report_.left_out = baseline.left_out();
    report_.same = report_.kills;
    for (const Odd& odd : odd_) {
      auto differences = baseline.differences(odd.end);
      if (differences.empty()) continue;
      --report_.same;
      add(odd, std::move(differences));
    }
  }

  void add(const Odd& odd, std::vector<Difference> differences) {
    auto& findings = report_.findings;
    auto known = std::ranges::find_if(
        findings, [&](const Finding& one) { return one.step == odd.step && one.differences == differences; });
    if (known == findings.end()) known = findings.insert(known, {odd.step, std::move(differences), {}});
    known->kills.push_back(odd.kill);
  }

  TortureBench& bench_;
  StopSignals& stop_;
  std::optional<Millis> patience_;
  TortureReport report_;
  Seen seen_;  ///< of the last run that was left alone
  std::vector<Odd> odd_;
  std::set<Difference> confirmed_;  ///< that were held against another run
  std::size_t done_ = 0;
};

}  // namespace

OrRefusal<TortureReport> torture(TortureBench& bench, StopSignals& stop, std::optional<Millis> patience,
                                 const Tell& tell) {
  return Torture(bench, stop, patience).perform(tell);
}

}  // namespace canorun::cli
