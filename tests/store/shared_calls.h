// What tests of shared state share: calls that wait, and what they gave in a line.
#pragma once

#include <string>
#include <vector>

#include "engine/store/shared.h"
#include "support.h"

namespace canorun::store::test {

/// They throw where the store fails.
Admission ask(SharedState& shared, const BreakerCall& call);
Millis tell(SharedState& shared, const BreakerCall& call, policy::Permit permit, policy::CallOutcome outcome);
LimitAnswer take(SharedState& shared, const LimitRequest& request);
void give_back(SharedState& shared, std::vector<LimitCost> costs, Moment taken);
void leave(SharedState& shared, const std::vector<LimitCost>& costs, Ticket ticket);

/// `let through`, `trial 3`, `refused for 500`.
std::string said(const Admission& admission);
/// `taken`; `ticket 4: 500 for api`, `ticket 4: 500 for api, behind others`; `refused: 500 for api`.
std::string said(const LimitAnswer& answer);

/// `mail closed 0: 1 failures, 0 successes, trials ; payments half-open 2: 0 failures, 1 successes, trials 0`: what
/// each is, in their order.
std::string said(const StoreResult<std::vector<BreakerRecord>>& breakers);
/// `api 5 missing, 2 waiting; plan 3 used, 0 waiting`.
std::string said(const StoreResult<std::vector<LimitRecord>>& limits);

/// The ticket of who has to wait; the test ends where it does not.
Ticket ticket_of(const LimitAnswer& answer);

}  // namespace canorun::store::test
