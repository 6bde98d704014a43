// The lines of a file as a stream's source, to its end or as it grows.
#pragma once

#include <memory>
#include <string>

#include "engine/model/task.h"

namespace canorun::run {

/// Reads a regular file from a byte on. Without `follow` it has ended at the file's end, and what stands there without
/// a newline is a line; a file that is not there is a failure.
///
/// With `follow` it never ends. It waits for a file that is not there, and for the end of a line that has none. A file
/// that became shorter than what was read of it is read from its beginning. When another file has taken its name, it
/// is read to its end first, the rest of it being a line, and then the other one from its beginning. It is woken by
/// inotify, and looks by itself now and then, for what inotify does not tell.
class FileLines final : public model::LineSource {
 public:
  /// `path` is absolute.
  FileLines(std::string path, std::uint64_t place, bool follow);
  FileLines(const FileLines&) = delete;
  FileLines& operator=(const FileLines&) = delete;
  ~FileLines() override;

  std::optional<model::Failure> start(model::TaskContext& context, std::function<void()> ready) override;
  model::NextLine next() override;
  boost::asio::awaitable<void> end() override;

 private:
  class Watch;
  enum class Found : std::uint8_t { kNothing, kMore, kOther };

  std::optional<model::Failure> open();
  std::optional<model::Failure> read_some(bool& more);
  Found look();
  model::Line line(std::string bytes, bool with_newline);

  std::string path_;
  std::uint64_t place_;  ///< behind the last line that was taken
  bool follow_;
  std::unique_ptr<struct OpenFile> file_;  ///< none: it is not there
  std::shared_ptr<Watch> watch_;           ///< with `follow`
};

}  // namespace canorun::run
