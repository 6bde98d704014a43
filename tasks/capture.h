// What is kept of what a command writes, in bounded memory: its beginning, and its last lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/masker.h"
#include "engine/model/task.h"

namespace canorun::tasks {

class Capture {
 public:
  explicit Capture(std::size_t limit) : limit_(limit) {}

  void take(std::string_view bytes);

  bool truncated() const { return truncated_; }
  /// The first `limit` bytes.
  std::string_view bytes() const { return kept_; }
  /// The first `limit` bytes as UTF-8, without the end newline, and without half a character where it was cut.
  std::string text() const;
  /// The last lines, 20 and 4 KiB at most, as UTF-8.
  std::string tail() const;

 private:
  std::size_t limit_;
  bool truncated_ = false;
  std::string kept_;
  std::string overflow_;  ///< the end of what did not fit
};

/// One stream of a command: masked as it comes, then captured and logged. The context outlives it.
class CapturedStream {
 public:
  CapturedStream(model::TaskContext& context, model::Stream stream, std::size_t limit)
      : context_(context), stream_(stream), capture_(limit), masked_(context.masker()) {}

  void take(std::string_view bytes) { keep(masked_.take(bytes)); }
  /// There is no more. Until then some of the end may be missing.
  void finish() { keep(masked_.finish()); }

  const Capture& capture() const { return capture_; }

 private:
  void keep(std::string_view bytes);

  model::TaskContext& context_;
  model::Stream stream_;
  Capture capture_;
  MaskedStream masked_;
};

/// The first and the last lines of a text, 20 and 4 KiB at most, as UTF-8 without the end newline.
std::string first_lines(std::string_view text);
std::string last_lines(std::string_view text);

}  // namespace canorun::tasks
