// Rows of runs that never ran, at fixed times.
#pragma once

#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/error.h"
#include "engine/store/store.h"

namespace canorun::test {

/// 2026-11-23T08:15:00Z and so many milliseconds.
inline WallTime at(int ms) { return *parse_time("2026-11-23T08:15:00Z") + Millis{ms}; }

inline std::string typed(std::string_view words) { return "canorun " + std::string(words); }

inline store::Row started(int ms) {
  return {at(ms), store::RunStarted{.flow = "order",
                                    .version = 2,
                                    .digest = "d1",
                                    .file = "/srv/order.yaml",
                                    .folder = "/srv",
                                    .nonce = "n",
                                    .inputs = {{"amount", 42.0}, {"order_id", "A1"}},
                                    .vars = {{"tries", 0}}}};
}

inline store::Row entered(int ms, std::string state, std::uint64_t visit = 1, std::vector<std::string> via = {}) {
  return {at(ms), store::StateEntered{.state = std::move(state), .visit = visit, .via = std::move(via)}};
}

inline store::Row ended_well(int ms, std::string state, int took, Json output, std::uint64_t visit = 1) {
  return {at(ms), store::StateEnded{.state = std::move(state),
                                    .visit = visit,
                                    .attempts = 1,
                                    .duration = Millis{took},
                                    .output = std::move(output)}};
}

inline Json exit_error(const std::string& state, std::uint32_t attempts, int code) {
  return model::RunError{.kind = "exit",
                         .message = "exit code " + std::to_string(code),
                         .state = state,
                         .attempts = attempts,
                         .exit_code = code}
      .to_json();
}

inline store::Row ended_badly(int ms, const std::string& state, int took, std::uint32_t attempts,
                              std::string tail = {}) {
  return {at(ms), store::StateEnded{.state = state,
                                    .attempts = attempts,
                                    .duration = Millis{took},
                                    .error = exit_error(state, attempts, 3),
                                    .stderr_tail = std::move(tail)}};
}

/// What a store gives for these rows.
inline store::RunRecord record(std::vector<store::Row> rows) {
  store::RunRecord out;
  out.summary.id = "order-20261123-081500-k3f9";
  for (const store::Row& row : rows) store::apply(out.summary, row);
  out.rows = std::move(rows);
  return out;
}

/// Reserved, routed, then failed to ship in the third attempt.
inline store::RunRecord failed_run() {
  return record(
      {started(0),
       entered(0, "reserve"),
       ended_well(1200, "reserve", 1200, {{"exit_code", 0}, {"stdout", "R-7"}}),
       entered(1200, "ship", 1, {"choose"}),
       ended_badly(2456, "ship", 1256, 3, "connecting\n\x1b[31mrefused\n"),
       {at(2456),
        store::RunEnded{.status = store::Status::kFailed, .state = "ship", .error = exit_error("ship", 3, 3)}}});
}

/// The same with nothing wrong.
inline store::RunRecord good_run() {
  return record({started(0),
                 entered(0, "reserve"),
                 ended_well(1200, "reserve", 1200, {{"exit_code", 0}, {"stdout", "R-7"}}),
                 {at(1200), store::RunEnded{.status = store::Status::kSucceeded,
                                            .state = "done",
                                            .via = {"choose"},
                                            .entered = true,
                                            .output = {{"order", "A1"}}}}});
}

}  // namespace canorun::test
