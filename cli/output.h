// stdout or stderr, written without a buffer.
#pragma once

#include <cstddef>
#include <string_view>

namespace canorun::cli {

/// Writes text to a file descriptor that it does not own. A reader that has gone (`| head`) is no
/// error: what follows is dropped. Needs SIGPIPE ignored.
class Output {
 public:
  explicit Output(int fd);

  void write(std::string_view text);

  /// Nobody reads any more, or the file cannot take it: there is no sense in going on.
  bool is_over() const { return over_; }
  /// The error number of the write that failed, other than for a reader that has gone; 0 if none did.
  int error() const { return error_; }
  bool is_terminal() const { return terminal_; }
  /// A terminal whose cursor can be moved, going by TERM.
  bool moves_cursor() const;
  /// Columns of the terminal as it is now; 80 when it does not tell.
  std::size_t width() const;

 private:
  int fd_;
  bool terminal_;
  bool over_ = false;
  int error_ = 0;
};

}  // namespace canorun::cli
