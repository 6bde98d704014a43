// `logs`: what commands wrote, as bytes with a header per attempt, or as JSON lines.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/text.h"
#include "engine/run/attempt_log.h"

namespace canorun::cli {

/// Bytes go out as they were written, also to a terminal, as `cat` does it; there, stderr is painted.
class LogView {
 public:
  enum class Form : std::uint8_t { kHeaders, kBytes, kJson };
  /// The visit of the state that was entered by a row.
  using VisitOf = std::function<std::uint64_t(std::uint64_t row)>;

  LogView(Output& out, Form form, Style style, VisitOf visit_of)
      : out_(out), form_(form), style_(style), visit_of_(std::move(visit_of)) {}

  void chunk(const run::AttemptName& name, const run::Chunk& chunk);
  /// So many bytes of the log were not kept.
  void gap(const run::AttemptName& name, std::uint64_t left_out);
  /// Ends a line that was begun.
  void finish();

 private:
  void header(const run::AttemptName& name);
  Json about(const run::AttemptName& name) const;

  Output& out_;
  Form form_;
  Style style_;
  VisitOf visit_of_;
  std::string current_;  ///< the attempt whose header was printed last
  bool line_begun_ = false;
  std::map<std::string, std::string> halves_;  ///< by stream: a character that goes on in the next chunk
};

/// How many bytes at the end of `text` begin a UTF-8 character without ending it.
std::size_t unfinished_bytes(std::string_view text);

}  // namespace canorun::cli
