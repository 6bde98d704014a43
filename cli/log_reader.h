// Reads the logs of a run's attempts as they grow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "engine/run/attempt_log.h"

namespace canorun::cli {

/// Remembers how far each log was read. A log that cannot be read is passed over.
class LogReader {
 public:
  /// `state` empty: of all states.
  LogReader(std::string folder, std::string state) : folder_(std::move(folder)), state_(std::move(state)) {}

  struct Taker {
    std::function<void(const run::AttemptName&, const run::Chunk&)> chunk;
    std::function<void(const run::AttemptName&, std::uint64_t left_out)> gap = nullptr;
  };

  /// Hands out what was added since the last call, attempt by attempt.
  void read(const Taker& taker);

 private:
  std::string folder_;
  std::string state_;
  std::map<std::string, std::uint64_t> offsets_;  ///< by path
};

}  // namespace canorun::cli
