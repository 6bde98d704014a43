// How one attempt ended.
#pragma once

#include <variant>

#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/model/error.h"

namespace canorun::model {

struct Success {
  Json output;
};

struct Failure {
  RunError error;
};

/// Cancellation is no outcome: it travels as an exception until someone who asked for it catches it.
using Outcome = std::variant<Success, Failure>;

inline Failure failure(std::string_view kind, std::string message) {
  return Failure{RunError{.kind = std::string(kind), .message = std::move(message)}};
}

/// A failure of kind `task`: what went wrong, and in brackets what to do next.
inline Failure task_failure(const Error& error) {
  return failure(kind::kTask, error.hint.empty() ? error.message : error.message + " (" + error.hint + ")");
}

}  // namespace canorun::model
