// Names and ids: what they may look like, and how new ones are made.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/random.h"

namespace canorun {

/// What names look like, as regular expressions for those who check files without this program.
inline constexpr std::string_view kFlowNamePattern = "[a-z0-9][a-z0-9_-]{0,62}";
inline constexpr std::string_view kNamePattern = "[A-Za-z_][A-Za-z0-9_]{0,62}";
inline constexpr std::string_view kSignalNamePattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}";
/// The same for people.
inline constexpr std::string_view kFlowNameForm = "a to z and 0 to 9, then also _ and -, at most 63";
inline constexpr std::string_view kNameForm = "a letter or _, then letters, digits and _, at most 63";

inline constexpr std::string_view kSignalNameForm = "a letter or a digit, then also . _ and -, at most 128";

/// `kFlowNamePattern`
bool is_flow_name(std::string_view text);

/// States, variables, inputs: `kNamePattern`
bool is_name(std::string_view text);

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`
bool is_run_id(std::string_view text);

/// `kSignalNamePattern`
bool is_signal_name(std::string_view text);

/// `FLOW-YYYYMMDD-HHMMSS-xxxx`, in UTC.
std::string make_run_id(std::string_view flow, WallTime now, Random& random);

/// `PARENT.N`: the id of a child, which may be too long for one.
std::string child_run_id(std::string_view parent, std::uint64_t number);

/// The N of such an id; none where it is no other run's child.
std::optional<std::uint64_t> child_number(std::string_view parent, std::string_view id);

/// How messages call a state's work, or a part of it: `gather`, `gather/eu`.
std::string work_name(std::string_view state, std::string_view part);

/// 128 random bits that a run is given once, as a UUID (version 4).
std::string make_nonce(Random& random);

/// The idempotency key of one piece of work: a UUID (version 5, RFC 4122) of `work` in the name space
/// of the run's nonce. Two runs never share a key, even if they share an id in different stores.
std::string idempotency_key(std::string_view nonce, std::string_view work);

/// SHA-256 in hex: what a flow's text is stored under.
std::string digest(std::string_view text);

}  // namespace canorun
