// The breaker beside a simple one that keeps everything that happened and counts it anew each time.
#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

#include "engine/policy/breaker.h"
#include "support/property.h"

namespace canorun::policy {

static std::ostream& operator<<(std::ostream& out, const BreakerRule& rule) {
  return out << rule.failure_threshold << " failures, " << rule.reset_timeout.count() << " ms, "
             << rule.half_open_max_calls << " trials";
}

namespace {

/// One call that was let through.
struct Call {
  std::string owner;
  bool under_way = true;
  std::optional<CallOutcome> outcome = {};
};

/// A time in one phase. The number of an era is its epoch.
struct Era {
  BreakerPhase phase = BreakerPhase::kClosed;
  WallTime began{};
  std::vector<Call> calls = {};
  std::vector<CallOutcome> outcomes = {};  ///< in the order in which they were told
};

/// Which call of which era.
struct Ticket {
  std::size_t era = 0;
  std::size_t call = 0;
};

class Model {
 public:
  /// The call that was let through, or how long it is refused for.
  std::expected<Ticket, Millis> acquire(const BreakerRule& rule, WallTime now, const std::string& owner) {
    if (era().phase == BreakerPhase::kOpen) {
      era().began = std::min(era().began, now);
      const WallTime end = era().began + rule.reset_timeout;
      if (now < end) return std::unexpected(end - now);
      eras_.push_back({.phase = BreakerPhase::kHalfOpen, .began = now});
    }
    if (era().phase == BreakerPhase::kHalfOpen) {
      const auto running = under_way().size();
      if (running > 0 && running + successes() >= rule.half_open_max_calls) return std::unexpected(Millis{0});
    }
    era().calls.push_back({.owner = owner});
    return Ticket{.era = eras_.size() - 1, .call = era().calls.size() - 1};
  }

  void record(const BreakerRule& rule, const Ticket& ticket, CallOutcome outcome, WallTime now) {
    Call& call = eras_[ticket.era].calls[ticket.call];
    if (ticket.era + 1 != eras_.size() || !call.under_way) return;
    call.under_way = false;
    if (outcome != CallOutcome::kNone) era().outcomes.push_back(outcome);
    if (outcome == CallOutcome::kFailure && failures() >= failures_borne(rule)) {
      eras_.push_back({.phase = BreakerPhase::kOpen, .began = now});
    } else if (era().phase == BreakerPhase::kHalfOpen && outcome == CallOutcome::kSuccess &&
               successes() >= rule.half_open_max_calls) {
      eras_.push_back({.phase = BreakerPhase::kClosed, .began = now});
    }
  }

  void die(const std::string& owner) {
    if (era().phase != BreakerPhase::kHalfOpen) return;
    for (Call& call : era().calls) {
      if (call.owner == owner) call.under_way = false;
    }
  }

  bool was_told(const Ticket& ticket) const { return !eras_[ticket.era].calls[ticket.call].under_way; }

  void check(const BreakerState& state) const {
    RC_ASSERT(state.epoch == eras_.size() - 1);
    RC_ASSERT(static_cast<int>(state.phase) == static_cast<int>(era().phase));
    const bool closed = era().phase == BreakerPhase::kClosed;
    const bool half_open = era().phase == BreakerPhase::kHalfOpen;
    RC_ASSERT(state.failures == (closed ? failures() : 0));
    RC_ASSERT(state.successes == (half_open ? successes() : 0));
    std::vector<std::string> owners;
    for (const Trial& trial : state.trials) owners.push_back(trial.owner);
    RC_ASSERT(owners == (half_open ? under_way() : std::vector<std::string>{}));
    const auto opened =
        std::ranges::find(eras_.rbegin(), eras_.rend(), BreakerPhase::kOpen, [](const Era& any) { return any.phase; });
    if (opened != eras_.rend()) RC_ASSERT(state.opened_at.time_since_epoch() == opened->began.time_since_epoch());
  }

 private:
  Era& era() { return eras_.back(); }
  const Era& era() const { return eras_.back(); }

  /// How many failures in a row are too many now.
  std::size_t failures_borne(const BreakerRule& rule) const {
    return era().phase == BreakerPhase::kHalfOpen ? 1 : rule.failure_threshold;
  }
  /// In a row, up to the last outcome.
  std::size_t failures() const {
    const auto& told = era().outcomes;
    return static_cast<std::size_t>(std::ranges::find(told.rbegin(), told.rend(), CallOutcome::kSuccess) -
                                    told.rbegin());
  }
  std::size_t successes() const {
    return static_cast<std::size_t>(std::ranges::count(era().outcomes, CallOutcome::kSuccess));
  }
  std::vector<std::string> under_way() const {
    std::vector<std::string> owners;
    for (const Call& call : era().calls) {
      if (call.under_way) owners.push_back(call.owner);
    }
    return owners;
  }

  std::vector<Era> eras_{Era{}};
};

enum class Kind : std::uint8_t { kAcquire, kRecord, kDie, kAdvance, kSetBack };

struct Step {
  Kind kind = Kind::kAcquire;
  std::size_t rule = 0;    ///< who does it: each has a rule of its own
  std::size_t choice = 0;  ///< of the calls, or of the owners
  CallOutcome outcome = CallOutcome::kNone;
  Millis time{0};
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array kOutcomes{"none", "success", "failure"};
  switch (step.kind) {
    case Kind::kAcquire: return out << "acquire(" << step.rule << ", owner " << step.choice % 3 << ")";
    case Kind::kRecord:
      return out << "record(" << step.rule << ", call " << step.choice << ", "
                 << kOutcomes[static_cast<std::size_t>(step.outcome)] << ")";
    case Kind::kDie: return out << "die(owner " << step.choice % 3 << ")";
    case Kind::kAdvance: return out << "advance(" << step.time.count() << ")";
    case Kind::kSetBack: return out << "set_back(" << step.time.count() << ")";
  }
  return out;
}

rc::Gen<BreakerRule> any_rule() {
  return rc::gen::build<BreakerRule>(
      rc::gen::set(&BreakerRule::failure_threshold, rc::gen::inRange<std::uint32_t>(1, 4)),
      rc::gen::set(&BreakerRule::reset_timeout,
                   rc::gen::map(rc::gen::inRange(1, 50), [](int ms) { return Millis{ms}; })),
      rc::gen::set(&BreakerRule::half_open_max_calls, rc::gen::inRange<std::uint32_t>(1, 4)));
}

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(
      rc::gen::set(
          &Step::kind,
          rc::gen::weightedElement<Kind>(
              {{8, Kind::kAcquire}, {8, Kind::kRecord}, {1, Kind::kDie}, {4, Kind::kAdvance}, {1, Kind::kSetBack}})),
      rc::gen::set(&Step::rule, rc::gen::inRange<std::size_t>(0, 2)),
      rc::gen::set(&Step::choice, rc::gen::inRange<std::size_t>(0, 6)),
      rc::gen::set(&Step::outcome,
                   rc::gen::weightedElement<CallOutcome>(
                       {{1, CallOutcome::kNone}, {3, CallOutcome::kSuccess}, {4, CallOutcome::kFailure}})),
      rc::gen::set(&Step::time, rc::gen::map(rc::gen::inRange(0, 40), [](int ms) { return Millis{ms}; })));
}

/// Both, and who was let through by them.
struct Pair {
  BreakerState state;
  Model model;
  WallTime now{std::chrono::hours{1}};
  std::vector<std::pair<Permit, Ticket>> calls;

  /// Whether it was let through.
  std::expected<void, Millis> acquire(const BreakerRule& rule, const std::string& owner) {
    const Millis left = time_to_half_open(rule, state, now);
    const auto permit = policy::acquire(rule, state, now, owner);
    const auto ticket = model.acquire(rule, now, owner);
    RC_ASSERT(permit.has_value() == ticket.has_value());
    if (!permit) {
      RC_ASSERT(permit.error() == ticket.error());
      RC_ASSERT(left == ticket.error());
      return std::unexpected(permit.error());
    }
    RC_ASSERT(left == Millis{0});
    RC_ASSERT(permit->epoch == ticket->era);
    RC_ASSERT(permit->trial.has_value() == (state.phase == BreakerPhase::kHalfOpen));
    calls.emplace_back(*permit, *ticket);
    return {};
  }

  /// Of one of the last calls, whatever became of it; but only a trial can be told from another one, so that what is
  /// told twice changes nothing.
  void record(const BreakerRule& rule, std::size_t choice, CallOutcome outcome) {
    if (choice >= calls.size()) return;
    const auto& [permit, ticket] = calls[calls.size() - 1 - choice];
    if (!permit.trial && model.was_told(ticket)) return;
    policy::record(rule, state, permit, outcome, now);
    model.record(rule, ticket, outcome, now);
  }

  void die(const std::string& owner) {
    give_back_trials(state, [&](std::string_view any) { return any == owner; });
    model.die(owner);
  }

  void make(const Step& step, const std::vector<BreakerRule>& rules) {
    const BreakerRule& rule = rules[step.rule];
    const std::string owner = std::to_string(step.choice % 3);
    switch (step.kind) {
      case Kind::kAcquire: (void)acquire(rule, owner); break;
      case Kind::kRecord: record(rule, step.choice, step.outcome); break;
      case Kind::kDie: die(owner); break;
      case Kind::kAdvance: now += step.time; break;
      case Kind::kSetBack: now -= step.time * 10; break;
    }
    model.check(state);
  }
};

Pair after(const std::vector<Step>& steps, const std::vector<BreakerRule>& rules) {
  Pair pair;
  for (const Step& step : steps) pair.make(step, rules);
  return pair;
}

const auto kSteps = rc::gen::scale(3, rc::gen::container<std::vector<Step>>(any_step()));
const auto kRules = rc::gen::container<std::vector<BreakerRule>>(2, any_rule());

}  // namespace

TEST_CASE("a breaker does what one does that counts everything anew each time") {
  test::check_property([] { after(*kSteps, *kRules); });
}

TEST_CASE("whatever happened, a breaker refuses for as long as it says and no longer") {
  test::check_property([] {
    const auto rules = *kRules;
    Pair pair = after(*kSteps, rules);
    const auto refused = pair.acquire(rules[0], "a");
    if (refused) return;
    const Millis wait = refused.error();
    RC_ASSERT((wait >= Millis{0} && wait <= rules[0].reset_timeout));
    if (wait == Millis{0}) {
      RC_ASSERT(!pair.state.trials.empty());
      return;
    }
    pair.now += wait - Millis{1};
    RC_ASSERT(pair.acquire(rules[0], "a").error() == Millis{1});
    pair.now += Millis{1};
    RC_ASSERT(pair.acquire(rules[0], "a").has_value());
  });
}

TEST_CASE("whatever happened, a breaker closes once its trials have ended and the next ones succeed") {
  test::check_property([] {
    const auto rules = *kRules;
    Pair pair = after(*kSteps, rules);
    for (const std::string owner : {"0", "1", "2"}) pair.die(owner);
    if (const auto refused = pair.acquire(rules[0], "a"); !refused) {
      pair.now += refused.error();
      RC_ASSERT(pair.acquire(rules[0], "a").has_value());
    }
    pair.record(rules[0], 0, CallOutcome::kSuccess);
    for (std::uint32_t i = 1; i < rules[0].half_open_max_calls && pair.state.phase != BreakerPhase::kClosed; ++i) {
      RC_ASSERT(pair.acquire(rules[0], "a").has_value());
      pair.record(rules[0], 0, CallOutcome::kSuccess);
    }
    RC_ASSERT(static_cast<int>(pair.state.phase) == static_cast<int>(BreakerPhase::kClosed));
  });
}

}  // namespace canorun::policy
