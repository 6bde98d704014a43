// What may fail is said in the type: `Result<T>` is a value or an `Error`.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace canorun {

/// A failure for a person: what went wrong, and what to do next (may be empty).
/// Code never tells errors apart by these texts; where it must, a closed kind goes along.
struct Error {
  std::string message;
  std::string hint = {};
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

inline std::unexpected<Error> fail(std::string message, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(hint)});
}

}  // namespace canorun
