// How breakers and limits are asked and told: the same for every store, over whatever it keeps entries in.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/store/shared.h"

namespace canorun::store {

/// One table, inside a transaction.
class Entries {
 public:
  using Entry = std::pair<std::string, std::string>;
  virtual ~Entries() = default;
  virtual std::optional<std::string> get(std::string_view key) = 0;
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
  /// The first entry whose key begins with `prefix` and is not before `from`.
  virtual std::optional<Entry> first(std::string_view prefix, std::string_view from) = 0;
};

using IsAlive = std::function<bool(std::string_view owner)>;

/// Who asks, and how others are looked at.
struct Asker {
  std::string owner;
  IsAlive is_alive;
};

/// What can be answered without a change; none: `ask` must be asked.
std::optional<Admission> look_at_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                                         WallTime now);
Admission ask_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule, WallTime now,
                      const Asker& asker);
/// What `tell_breaker` would give, where it would change nothing; none: it must be told.
std::optional<Millis> look_at_outcome(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                                      const policy::Permit& permit, policy::CallOutcome outcome, WallTime now);
Millis tell_breaker(Entries& breakers, std::string_view key, const policy::BreakerRule& rule,
                    const policy::Permit& permit, policy::CallOutcome outcome, WallTime now);
bool reset_breaker(Entries& breakers, std::string_view key);
std::vector<BreakerRecord> all_breakers(Entries& breakers);

/// `windows` may be null where a request has none.
struct LimitTables {
  Entries* windows = nullptr;
  Entries* buckets = nullptr;
  Entries* queue = nullptr;
};

bool has_windows(const std::vector<LimitCost>& costs);

/// `woken`: the owners of those who stand first now, where that has changed, or where there is more for them.
using Woken = std::set<std::string>;
LimitAnswer take_limits(const LimitTables& tables, const LimitRequest& request, const Asker& asker, Woken& woken);
void leave_queue(Entries& queue, const std::vector<LimitCost>& costs, Ticket ticket, Woken& woken);
void give_back_limits(const LimitTables& tables, const std::vector<LimitCost>& costs, const Moment& taken,
                      Woken& woken);
std::vector<LimitRecord> all_limits(const LimitTables& tables, const IsAlive& is_alive);

/// Takes away what is a run's own.
void erase_own(Entries& table, std::string_view run);

}  // namespace canorun::store
