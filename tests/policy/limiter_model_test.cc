// Limits beside simple ones that keep every call and count by brute force.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <ostream>
#include <variant>
#include <vector>

#include "engine/policy/limiter.h"
#include "support/property.h"

namespace canorun::policy {

static std::ostream& operator<<(std::ostream& out, const Bucket& rule) {
  return out << rule.tokens << " per " << rule.per.count() << " ms, burst " << rule.burst;
}

static std::ostream& operator<<(std::ostream& out, const Window& rule) {
  return out << rule.limit << " in " << rule.window.count() << " ms";
}

namespace {

__extension__ using Wide = __int128;

constexpr Wide kNanosPerMilli = 1'000'000;
constexpr Millis kCentury{36'525LL * 86'400'000};
/// Nothing here goes on for longer: 292 years are the end of what counts nanoseconds.
constexpr Wide kEnd = Wide{4} * kCentury.count() * kNanosPerMilli / 3;

Wide rounded_up(Wide number, Wide by) { return (number + by - 1) / by; }

/// One time for all: nanoseconds.
SteadyTime steady(Wide now) { return SteadyTime{std::chrono::nanoseconds{static_cast<std::int64_t>(now)}}; }
WallTime wall(Wide now) { return WallTime{Millis{static_cast<std::int64_t>(now / kNanosPerMilli)}}; }

/// A bucket by what it promises: in no time that begins with a call are more let through than it holds and than come
/// back in that time.
class BucketModel {
 public:
  explicit BucketModel(const Bucket& rule, Wide begun = 0) : rule_(rule), last_(begun) {}

  /// The first time at which a call of this cost is let through.
  Wide earliest(Wide now, std::int64_t cost) const {
    const Wide soonest = std::max(now, last_);
    Wide time = soonest;
    std::int64_t total = cost;
    for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
      total += call->second.cost;
      const Wide over = std::max<std::int64_t>(0, total - rule_.capacity());
      time = std::max(time, call->second.at + rounded_up(over * rule_.per.count() * kNanosPerMilli, rule_.tokens));
    }
    return time == soonest ? now : time;
  }
  bool has_room(Wide now, std::int64_t cost) const { return earliest(now, cost) == now; }
  Millis wait(Wide now, std::int64_t cost) const {
    const Wide millis = rounded_up(earliest(now, cost) - now, kNanosPerMilli);
    return std::min(kCentury, Millis{static_cast<std::int64_t>(millis)});
  }

  void add(std::size_t number, Wide now, std::int64_t cost) {
    come_to(now);
    calls_[number] = {.at = last_, .cost = cost};
  }
  void come_to(Wide now) { last_ = std::max(now, last_); }
  void remove(std::size_t number) { calls_.erase(number); }

 private:
  struct Call {
    Wide at = 0;
    std::int64_t cost = 0;
  };

  Bucket rule_;
  Wide last_;  ///< time does not go back behind it
  std::map<std::size_t, Call> calls_;
};

/// A window after the other, each with its calls.
class WindowModel {
 public:
  explicit WindowModel(const Window& rule) : rule_(rule) {}

  Millis wait(WallTime now, std::int64_t cost) const {
    if (left(now) >= cost) return Millis{0};
    return std::min(rule_.window, windows_.back().opened + rule_.window - now);
  }
  std::int64_t left(WallTime now) const { return rule_.limit - (is_open(now) ? windows_.back().used() : 0); }

  void add(std::size_t number, WallTime now, std::int64_t cost) {
    if (!is_open(now)) windows_.push_back({.opened = now});
    windows_.back().opened = std::min(windows_.back().opened, now);
    windows_.back().calls[number] = cost;
    RC_ASSERT(windows_.back().used() <= rule_.limit);
  }
  void remove(std::size_t number) { windows_.back().calls.erase(number); }
  /// The clock is seen to have been set back.
  bool follow_clock(WallTime now) {
    if (windows_.empty() || windows_.back().calls.empty() || windows_.back().opened <= now) return false;
    windows_.back().opened = now;
    return true;
  }

 private:
  struct Opened {
    WallTime opened{};
    std::map<std::size_t, std::int64_t> calls = {};  ///< their costs
    std::int64_t used() const {
      return std::accumulate(calls.begin(), calls.end(), std::int64_t{0},
                             [](std::int64_t sum, const auto& call) { return sum + call.second; });
    }
  };
  bool is_open(WallTime now) const {
    return !windows_.empty() && !windows_.back().calls.empty() && now < windows_.back().opened + rule_.window;
  }

  Window rule_;
  std::vector<Opened> windows_;
};

/// A limit, its model, and what they must agree on.
struct BucketTier {
  explicit BucketTier(const Bucket& any) : rule(any), model(any) {}

  /// In which steps it is worth to let time pass: a sixth of a token, rounded.
  Wide step() const { return kNanosPerMilli * rule.per.count() / rule.tokens / 6; }
  Millis wait(Wide now, std::int64_t cost) const {
    const Millis wait = time_until(rule, state, steady(now), cost);
    RC_ASSERT(wait == model.wait(now, cost));
    return wait;
  }
  void take(std::size_t number, Wide now, std::int64_t cost) {
    policy::take(rule, state, steady(now), cost);
    model.add(number, now, cost);
  }
  void take_and_give_back(Wide now, std::int64_t cost) {
    policy::take(rule, state, steady(now), cost);
    policy::give_back(rule, state, state.at, cost);
    model.come_to(now);
  }
  void check(Wide now, std::int64_t cost) const {
    const std::int64_t there = available(rule, state, steady(now));
    RC_ASSERT((there >= 0 && there <= rule.capacity()));
    RC_ASSERT((there == 0 || model.has_room(now, there)));
    RC_ASSERT((there == rule.capacity() || !model.has_room(now, there + 1)));
    const Wide earliest = model.earliest(now, cost);
    if (earliest == now || earliest > kEnd) return;
    RC_ASSERT(time_until(rule, state, steady(earliest), cost) == Millis{0});
    RC_ASSERT(time_until(rule, state, steady(earliest - 1), cost) == Millis{1});
  }

  Bucket rule;
  BucketState state = {};
  BucketModel model;
};

struct WindowTier {
  explicit WindowTier(const Window& any) : rule(any), model(any) {}

  Wide step() const { return kNanosPerMilli * rule.window.count() / 6; }
  Millis wait(Wide now, std::int64_t cost) const {
    const Millis wait = time_until(rule, state, wall(now), cost);
    RC_ASSERT(wait == model.wait(wall(now), cost));
    RC_ASSERT(wait <= rule.window);
    return wait;
  }
  void take(std::size_t number, Wide now, std::int64_t cost) {
    policy::take(rule, state, wall(now), cost);
    model.add(number, wall(now), cost);
  }
  void take_and_give_back(Wide now, std::int64_t cost) {
    policy::take(rule, state, wall(now), cost);
    policy::give_back(rule, state, wall(now), cost);
  }
  void check(Wide now, std::int64_t) const { RC_ASSERT(available(rule, state, wall(now)) == model.left(wall(now))); }

  Window rule;
  WindowState state = {};
  WindowModel model;
};

enum class Kind : std::uint8_t { kTake, kTakeAndGiveBack, kGiveBack, kAdvance, kAwait, kSetBack };

struct Step {
  Kind kind = Kind::kTake;
  std::int64_t cost = 0;   ///< in sixths of the capacity, at least one call
  std::int64_t steps = 0;  ///< of the limit's
  std::int64_t nanos = 0;  ///< and so many more, or fewer
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array kNames{"take", "take and give back", "give back", "advance", "await", "set back"};
  return out << kNames[static_cast<std::size_t>(step.kind)] << "(cost " << step.cost << ", steps " << step.steps << " "
             << step.nanos << ")";
}

rc::Gen<std::vector<Step>> steps_of(const std::vector<Kind>& kinds) {
  return rc::gen::scale(
      2,
      rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
          rc::gen::set(&Step::kind, rc::gen::elementOf(kinds)),
          rc::gen::set(&Step::cost, rc::gen::weightedOneOf<std::int64_t>({{2, rc::gen::just<std::int64_t>(0)},
                                                                          {1, rc::gen::inRange<std::int64_t>(1, 7)}})),
          rc::gen::set(&Step::steps, rc::gen::inRange<std::int64_t>(0, 13)),
          rc::gen::set(&Step::nanos, rc::gen::inRange<std::int64_t>(-1, 2)))));
}

rc::Gen<Millis> millis(std::int64_t from, std::int64_t to) {
  return rc::gen::map(rc::gen::inRange(from, to + 1), [](std::int64_t count) { return Millis{count}; });
}

rc::Gen<Bucket> buckets(std::int64_t tokens, Millis per, std::int64_t burst) {
  return rc::gen::build<Bucket>(rc::gen::set(&Bucket::tokens, rc::gen::inRange<std::int64_t>(1, tokens + 1)),
                                rc::gen::set(&Bucket::per, millis(1, per.count())),
                                rc::gen::set(&Bucket::burst, rc::gen::inRange<std::int64_t>(0, burst + 1)));
}

rc::Gen<Bucket> any_bucket() {
  return rc::gen::weightedOneOf<Bucket>({{6, buckets(7, Millis{20}, 5)},
                                         {1, buckets(1'000, kCentury, 0)},
                                         {1, buckets(kMostCalls, Millis{1}, kMostCalls)},
                                         {1, rc::gen::just(Bucket{kMostCalls, kCentury, kMostCalls})}});
}

rc::Gen<Window> any_window() {
  return rc::gen::build<Window>(rc::gen::set(&Window::limit, rc::gen::inRange<std::int64_t>(1, 8)),
                                rc::gen::set(&Window::window, millis(1, 50)));
}

std::int64_t cost_of(const Step& step, std::int64_t capacity) {
  return std::clamp<std::int64_t>(capacity * step.cost / 6, 1, capacity);
}

/// From `now`, by a step that is never below 0, and not to the end of all times.
Wide advanced(Wide now, Wide by) { return now + by > kEnd ? now : now + std::max<Wide>(0, by); }

/// All tiers or none. What is asked of each is its own cost.
template <class Tier>
struct Tiers {
  std::vector<Tier> tiers;
  Wide now = kNanosPerMilli * 1'000'000;
  std::size_t calls = 0;

  template <class Function>
  void each(const Step& step, Function&& function) {
    for (Tier& tier : tiers) {
      const auto call = [&](auto& one) { function(one, cost_of(step, one.rule.capacity())); };
      if constexpr (requires { tier.rule; }) {
        call(tier);
      } else {
        std::visit(call, tier);
      }
    }
  }

  Millis wait(const Step& step) {
    Millis longest{0};
    each(step, [&](auto& tier, std::int64_t cost) { longest = std::max(longest, tier.wait(now, cost)); });
    return longest;
  }
  bool take(const Step& step) {
    if (wait(step) > Millis{0}) return false;
    each(step, [&](auto& tier, std::int64_t cost) { tier.take(calls, now, cost); });
    ++calls;
    return true;
  }
  void take_and_give_back(const Step& step) {
    if (wait(step) > Millis{0}) return;
    each(step, [&](auto& tier, std::int64_t cost) { tier.take_and_give_back(now, cost); });
  }
  /// A call is refused for as long as was said, and no longer.
  void await(const Step& step) {
    const Millis left = wait(step);
    const Wide then = now + kNanosPerMilli * left.count();
    if (left == Millis{0} || left == kCentury || then > kEnd) return;
    now = then - kNanosPerMilli;
    RC_ASSERT(!take(step));
    now = then;
    RC_ASSERT(take(step));
  }
  Wide step() {
    Wide shortest = kEnd;
    each({}, [&](auto& tier, std::int64_t) { shortest = std::min(shortest, tier.step()); });
    return shortest;
  }

  void make(const Step& step) {
    const Wide by = step.steps * this->step() + step.nanos;
    switch (step.kind) {
      case Kind::kTake: (void)take(step); break;
      case Kind::kTakeAndGiveBack: take_and_give_back(step); break;
      case Kind::kAwait: await(step); break;
      case Kind::kAdvance: now = advanced(now, by); break;
      case Kind::kSetBack: now = std::max(Wide{0}, now - by); break;
      case Kind::kGiveBack: break;
    }
    each(step, [&](auto& tier, std::int64_t cost) { tier.check(now, cost); });
  }
};

}  // namespace

TEST_CASE("a bucket lets through all that its promise allows, and nothing more") {
  test::check_property([] {
    Tiers<BucketTier> tiers{.tiers = {BucketTier(*any_bucket())}};
    for (const Step& step : *steps_of({Kind::kTake, Kind::kTake, Kind::kTake, Kind::kTakeAndGiveBack, Kind::kAdvance,
                                       Kind::kAwait, Kind::kSetBack})) {
      tiers.make(step);
    }
  });
}

// What the bucket knows then lies between what it would be without the calls that were given back, and with them.
TEST_CASE("a bucket keeps its promise and loses nothing, though calls are given back late and rules change") {
  test::check_property([] {
    struct Given {
      std::size_t number = 0;
      Wide at = 0;
      std::int64_t cost = 0;
    };
    Wide now = kNanosPerMilli * 1'000'000;
    std::size_t calls = 0;
    BucketState state;
    for (const Bucket& rule : *rc::gen::resize(5, rc::gen::container<std::vector<Bucket>>(any_bucket()))) {
      const Wide begun = std::chrono::nanoseconds(state.at.time_since_epoch()).count();
      BucketModel fullest(rule, begun);
      BucketModel emptiest(rule, begun);
      emptiest.add(calls++, begun, rule.capacity());
      std::vector<Given> given;
      const Wide a_step = BucketTier(rule).step();
      for (const Step& step : *steps_of({Kind::kTake, Kind::kTake, Kind::kTake, Kind::kGiveBack, Kind::kAdvance,
                                         Kind::kAdvance, Kind::kSetBack})) {
        const std::int64_t cost = cost_of(step, rule.capacity());
        const Wide by = step.steps * a_step + step.nanos;
        if (step.kind == Kind::kAdvance) now = advanced(now, by);
        if (step.kind == Kind::kSetBack) now = std::max(Wide{0}, now - by);
        if (step.kind == Kind::kTake && time_until(rule, state, steady(now), cost) == Millis{0}) {
          take(rule, state, steady(now), cost);
          for (BucketModel* model : {&fullest, &emptiest}) model->add(calls, now, cost);
          given.push_back({calls++, now, cost});
        }
        if (step.kind == Kind::kGiveBack && !given.empty()) {
          const Given back = given[static_cast<std::size_t>(step.steps) % given.size()];
          std::erase_if(given, [&](const Given& any) { return any.number == back.number; });
          give_back(rule, state, steady(back.at), back.cost);
          fullest.remove(back.number);
        }
        for (const std::int64_t any : {cost, std::int64_t{1}, rule.capacity()}) {
          const Millis wait = time_until(rule, state, steady(now), any);
          RC_ASSERT(wait >= fullest.wait(now, any));
          RC_ASSERT(wait <= emptiest.wait(now, any));
        }
      }
    }
  });
}

TEST_CASE("in no window are more calls than its limit, and no call waits that has room") {
  test::check_property([] {
    Tiers<WindowTier> tiers{.tiers = {WindowTier(*any_window())}};
    WindowTier& tier = tiers.tiers[0];
    std::map<std::size_t, std::pair<Wide, std::int64_t>> given;
    for (const Step& step :
         *steps_of({Kind::kTake, Kind::kTake, Kind::kTakeAndGiveBack, Kind::kGiveBack, Kind::kAdvance, Kind::kAwait})) {
      const std::size_t before = tiers.calls;
      tiers.make(step);
      if (tiers.calls > before) given[before] = {tiers.now, cost_of(step, tier.rule.limit)};
      if (step.kind == Kind::kGiveBack && !given.empty()) {
        const auto back = std::next(given.begin(), step.steps % static_cast<std::ptrdiff_t>(given.size()));
        give_back(tier.rule, tier.state, wall(back->second.first), back->second.second);
        tier.model.remove(back->first);
        given.erase(back);
        tier.check(tiers.now, 1);
      }
    }
  });
}

TEST_CASE("a window ends its length after the clock was set back, at the latest") {
  test::check_property([] {
    Tiers<WindowTier> tiers{.tiers = {WindowTier(*any_window())}};
    WindowTier& tier = tiers.tiers[0];
    for (const Step& step : *steps_of({Kind::kTake, Kind::kTake, Kind::kAdvance, Kind::kAwait, Kind::kSetBack})) {
      if (step.kind != Kind::kAwait) {
        tiers.make(step);
        continue;
      }
      RC_ASSERT(follow_clock(tier.state, wall(tiers.now)) == tier.model.follow_clock(wall(tiers.now)));
      tiers.make(step);
    }
  });
}

TEST_CASE("of several tiers all let a call through or none counts it, and it waits for the slowest") {
  using Tier = std::variant<BucketTier, WindowTier>;
  test::check_property([] {
    const auto count = *rc::gen::inRange<std::size_t>(1, 4);
    Tiers<Tier> tiers;
    for (std::size_t i = 0; i < count; ++i) {
      if (*rc::gen::arbitrary<bool>()) {
        tiers.tiers.emplace_back(BucketTier(*buckets(7, Millis{20}, 5)));
      } else {
        tiers.tiers.emplace_back(WindowTier(*any_window()));
      }
    }
    for (const Step& step :
         *steps_of({Kind::kTake, Kind::kTake, Kind::kTake, Kind::kTakeAndGiveBack, Kind::kAdvance, Kind::kAwait})) {
      tiers.make(step);
    }
  });
}

}  // namespace canorun::policy
