// Bytes as they come, taken line by line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace canorun {

/// A line ends at its newline, which is not part of it. The longest is 1 MiB: once a longer one comes, nothing
/// can be taken any more.
class LineBuffer {
 public:
  static constexpr std::size_t kLongest = std::size_t{1} << 20;

  void add(std::string_view bytes) {
    if (begin_ > 0) bytes_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    bytes_.append(bytes);
  }

  /// The next whole line. None: the rest has no end yet, or is too long.
  std::optional<std::string> take() {
    if (too_long_) return std::nullopt;
    const std::size_t end = bytes_.find('\n', searched_);
    const bool whole = end != std::string::npos;
    too_long_ = (whole ? end : bytes_.size()) - begin_ > kLongest;
    searched_ = whole ? begin_ : bytes_.size();
    if (!whole || too_long_) return std::nullopt;
    std::string line = bytes_.substr(begin_, end - begin_);
    begin_ = searched_ = end + 1;
    return line;
  }
  bool too_long() const { return too_long_; }

  /// What has no end, and leaves nothing behind. None: there is nothing.
  std::optional<std::string> take_rest() {
    std::string rest = bytes_.substr(begin_);
    *this = {};
    return rest.empty() ? std::nullopt : std::optional(std::move(rest));
  }

  /// Bytes that were not taken.
  std::size_t size() const { return bytes_.size() - begin_; }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;     ///< of the next line
  std::size_t searched_ = 0;  ///< no newline from there back to `begin_`
  bool too_long_ = false;
};

}  // namespace canorun
