// What is wrong with a flow file: where, what, and how to mend it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/source.h"
#include "engine/base/value.h"

namespace canorun {

/// Every code a diagnostic can have. The names are in `diagnostic.cc`, in this order.
enum class Code : std::uint8_t {
  kUnreadableFile,
  kYamlSyntax,
  kFileTooLarge,
  kDuplicateKey,
  kUnknownKey,
  kMissingKey,
  kWrongType,
  kBadValue,
  kMisplacedTemplate,
  kNotYetRun,
  kMaybeNotRun,
  kUnknownState,
  kUnreachableState,
  kNoExit,
  kNoPathToExit,
  kUnknownKind,
  kUnknownParameter,
  kUnknownInput,
  kUnknownVariable,
  kUnknownName,
  kExpressionSyntax,
  kExpressionType,
  kImpossibleJoin,
  kUnknownBreaker,
  kUnknownRateLimit,
  kImpossibleCost,
  kTimeoutTooShort,
  kQuotedTemplate,
  kNoUnconditionalNext,
  kUnguardedLoop,
  kShadowedTransition,
};

/// `unknown-state` and the like.
std::string_view code_name(Code code);

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  Code code;
  Severity severity = Severity::kError;
  /// The text the span is in; null when no text could be read.
  std::shared_ptr<const Source> source;
  Span span;
  std::string message;
  std::string hint = {};
  /// The file's name, for when there is no source.
  std::string file = {};
};

/// Sorted by place within each file; files keep the order in which they were first seen.
void sort_by_place(std::vector<Diagnostic>& diagnostics);

bool has_errors(const std::vector<Diagnostic>& diagnostics);

/// `file:line:column: error: message [code]`, the line, a caret line with the hint. Ends in a newline.
/// Long lines are cut around the caret; control characters are shown as U+FFFD.
std::string render(const Diagnostic& diagnostic, bool color);

/// `{file, line, column, severity, code, message, hint}`.
Json to_json(const Diagnostic& diagnostic);

}  // namespace canorun
