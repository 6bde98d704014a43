// Asks the services of a flow whether they are well, outside of any run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/error.h"
#include "engine/model/flow.h"
#include "engine/run/interrupt.h"
#include "engine/run/runtime.h"

namespace canorun::run {

/// What is known of one service.
struct Health {
  enum class Status : std::uint8_t { kNone, kHealthy, kUnhealthy };

  std::string service;
  Status status = Status::kNone;              ///< kNone: it has no probe
  std::optional<model::RunError> error = {};  ///< why it is unhealthy
  Millis duration{0};                         ///< of all attempts
};

struct Probed {
  std::vector<Health> services;  ///< in the order of the file
  bool cut_off = false;          ///< by the interrupt; `services` has those that were asked before
  std::optional<Error> refused;  ///< none was asked, as an expression of `env` or `vars` failed
};

/// Asks with bound inputs, one after another: a service may need those before it. Nothing of it is kept in the
/// runtime's store, which lends breakers and limits. Spawned with the slot of its interrupt bound, on the runtime's
/// executor.
boost::asio::awaitable<Probed> probe(Runtime& runtime, std::shared_ptr<const model::Flow> flow, Json inputs,
                                     Interrupt& interrupt);

}  // namespace canorun::run
