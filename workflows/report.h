// Collects what is wrong with one source.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/base/diagnostic.h"

namespace canorun::workflows {

/// What a name that is not known was probably meant to be.
struct Guess {
  std::optional<std::string_view> name;
  std::string hint;
};

/// Bounded: a hostile file has as many mistakes as bytes.
class Report {
 public:
  /// What comes after so many is counted, not kept.
  static constexpr std::size_t kMost = 500;

  explicit Report(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  /// The same problem at the same place (a node reached by two aliases) is kept once.
  void error(Code code, Span span, std::string message, std::string hint = {});
  void warning(Code code, Span span, std::string message, std::string hint = {});

  /// Looks among `known`; gives up, without a hint, once a file has asked for too much of it.
  Guess guess(std::string_view name, std::span<const std::string_view> known);
  /// False: a guess among so many names would give up.
  bool may_guess(std::size_t names) const { return names <= letters_left_ && !full(); }

  bool has_errors() const { return errors_; }
  bool full() const { return kept_.size() >= kMost; }

  /// All of them by place, and how many more there were.
  std::vector<Diagnostic> take();

 private:
  void add(Severity severity, Code code, Span span, std::string message, std::string hint);

  std::shared_ptr<const Source> source_;
  std::vector<Diagnostic> kept_;
  std::set<std::tuple<Code, std::uint32_t, std::string>> seen_;
  std::size_t dropped_ = 0;
  std::size_t letters_left_ = 50'000'000;  ///< to be compared with letters
  bool errors_ = false;
};

}  // namespace canorun::workflows
