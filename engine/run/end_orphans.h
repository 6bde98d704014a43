// Processes that an earlier process of a run left behind.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/run/run.h"

namespace canorun::run {

/// The tokens of the processes that were there when it was first asked: one look for a run and all below it, which
/// earlier processes may have left behind.
class Leftovers {
 public:
  bool has(const std::string& token);

 private:
  std::optional<std::set<std::string>> tokens_;
};

/// Ends what an earlier process left of a visit's work, if one worked on the run.
boost::asio::awaitable<void> end_left(RunContext& context, const std::string& state, std::uint64_t visit);

/// Ends every process that carries the token: TERM, 5 s, KILL, until none is left. An interrupt does
/// not cut it short: a run that is being ended must not leave them either.
boost::asio::awaitable<void> end_orphans(Runtime& runtime, const Under& under, std::string_view run,
                                         std::string_view state, std::string token);

}  // namespace canorun::run
