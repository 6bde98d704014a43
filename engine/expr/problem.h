// What is wrong with an expression, or went wrong in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/diagnostic.h"
#include "engine/base/source.h"

namespace canorun::expr {

class Record;

enum class ProblemKind : std::uint8_t {
  kSyntax,        ///< not an expression
  kUnknownName,   ///< a name or function that is not there
  kType,          ///< known, before evaluation, not to fit
  kUnknownField,  ///< a field that a record does not have
  kEvaluation,    ///< failed while it was evaluated
};

/// What a diagnostic of such a problem says.
Code code_of(ProblemKind kind);

/// `span` is in the text the expression was compiled from.
struct Problem {
  ProblemKind kind;
  std::string message;
  std::string hint = {};
  Span span = {};
  /// Of an unknown field: where it is missing. It has no hint: the host knows how many names it may compare.
  std::shared_ptr<const Record> record = {};
  std::string field = {};  ///< its name
};

/// Of one expression so many problems of names are kept, and as many of types: nobody reads more.
inline constexpr std::size_t kMostProblems = 500;

}  // namespace canorun::expr
