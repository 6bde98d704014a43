// Where the parts of a scalar's value stand in the YAML source: quotes, escapes, folds, indentation.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/source.h"

namespace canorun::workflows {

enum class ScalarStyle : std::uint8_t { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral, kFolded };

/// Told by the character a scalar begins with.
ScalarStyle scalar_style(std::string_view source, std::uint32_t begin);

/// For each byte of a scalar's value the bytes of the source that it came from. Made when a problem
/// is to be shown, by walking source and value side by side: nothing is decoded a second time, and
/// where the two do not agree every part is the whole scalar.
class ScalarMap {
 public:
  /// `begin` is the scalar's first character: the quote, the `|`, or the text. `value` is what the
  /// parser made of it.
  ScalarMap(std::string_view source, std::uint32_t begin, std::string_view value);

  /// The scalar with its quotes; a block scalar from its `|` to its last character.
  Span whole() const { return whole_; }

  /// Where bytes of the value came from. Parts past the end are taken as the end.
  Span part(Span in_value) const;

 private:
  friend class ScalarWalk;
  std::vector<Span> origin_;  ///< one per byte of the value; empty when it could not be followed
  Span whole_;
};

}  // namespace canorun::workflows
