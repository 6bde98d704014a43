// What hides secrets in text: every occurrence becomes `***`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"

namespace canorun {

/// What stands where a secret was.
inline constexpr std::string_view kMasked = "***";
/// Characters of the shortest secret: what is shorter would be found everywhere.
inline constexpr std::size_t kShortestSecret = 6;

/// Made from secrets; immutable, and safe from several threads. What it finds:
/// - a secret, and the same without the blanks around it;
/// - the lines of one with several, those of `kShortestSecret` characters and more;
/// - these as they stand inside of JSON strings, and percent-encoded;
/// - the beginning of any of these where it was cut with `…`.
/// Occurrences that overlap are one. What is derived from a secret in another way (base64, a hash) is not found.
class Masker {
 public:
  /// Finds nothing, and costs nothing.
  Masker() = default;
  explicit Masker(std::vector<std::string> secrets);

  bool empty() const { return nodes_.empty(); }
  const std::vector<std::string>& secrets() const { return secrets_; }

  void mask(std::string& text) const;
  /// All strings and keys, and numbers that are a secret as a whole, which become strings. Of keys that become the same
  /// one is left. Does not recurse.
  void mask(Json& value) const;

 private:
  friend class MaskedStream;

  // Aho and Corasick's automaton. Node 0 is its root, and stands for none.
  struct Node {
    std::uint32_t child = 0;
    std::uint32_t sibling = 0;
    std::uint32_t fail = 0;     ///< the longest proper suffix that something begins with
    std::uint32_t depth = 0;    ///< so many bytes lead here
    std::uint32_t longest = 0;  ///< what ends here has so many bytes; 0: nothing does
    unsigned char byte = 0;
  };

  void add_forms(std::string_view text);
  void add(std::string_view text);
  void add_cut(std::string_view text);
  std::uint32_t grow(std::uint32_t from, std::string_view bytes);
  std::uint32_t child_of(std::uint32_t node, unsigned char byte) const;
  void link();
  std::uint32_t step(std::uint32_t node, unsigned char byte) const;
  bool occurs_in(std::string_view text) const;
  void mask_keys(Json& object) const;

  std::vector<std::string> secrets_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> first_;  ///< the root's children by byte
  bool has_number_ = false;
};

/// Masks nothing.
inline const Masker kNoSecrets;

/// Masks bytes that come in pieces, as if they had come at once, and what was begun at their end. What may be the
/// beginning of an occurrence is held back until it is known; that is always a suffix, and shorter than the longest
/// occurrence.
class MaskedStream {
 public:
  /// The masker outlives it.
  explicit MaskedStream(const Masker& masker) : masker_(masker) {}

  /// What can be told now; `bytes` itself where nothing has to be changed. Valid until the next call and as long as
  /// `bytes` is.
  std::string_view take(std::string_view bytes);
  /// What was held back: there is no more. `kShortestSecret` bytes and more of an occurrence's beginning are masked:
  /// who wrote them may have been ended in the middle. It can begin anew.
  std::string_view finish();

 private:
  friend class Masker;

  struct Span {
    std::size_t begin;
    std::size_t end;
    bool told;  ///< the mask stands before what is held
  };

  void hold(char byte);
  void cover(std::size_t length);  ///< the end of what is held
  std::string_view rest();         ///< as `finish`, and what was begun only is told
  void settle(std::size_t count);

  const Masker& masker_;
  std::uint32_t node_ = 0;
  std::string held_;
  std::vector<Span> spans_;  ///< of `held_`, in order, apart from each other
  std::string out_;
};

}  // namespace canorun
