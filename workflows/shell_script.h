// Where templates stand in a shell script: so that their values can be referred to and never become code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace canorun::workflows {

enum class Quoting : std::uint8_t {
  kUnquoted,      ///< a word or a part of one: the reference brings its own quotes
  kDoubleQuoted,  ///< inside double quotes or a here-document that is expanded
  kRefused,       ///< no reference is safe, or none would mean the value
};

struct HolePlace {
  Quoting quoting = Quoting::kRefused;
  std::string why = {};        ///< where it stands, when refused: "single quotes"
  std::string_view hint = {};  ///< what to do instead, when refused
};

/// Stands for a template in a script that is scanned.
inline constexpr char kHole = '\0';

/// Reads a script as a POSIX shell does and tells for each hole, in order, where it stands. Where a
/// value would be read as code (`eval`, a command's name, arithmetic, an array index) the hole is
/// refused. Behind what dash, bash, and bash as sh might read differently all holes are. What a script
/// does with a value later (`x=… ; eval "$x"`), and what programs do with their arguments, is not seen.
/// Takes time in proportion to the script.
std::vector<HolePlace> scan_shell_script(std::string_view script);

/// What a template in that place becomes: a reference to CANORUN_V<number>.
std::string shell_reference(Quoting quoting, std::size_t number);

}  // namespace canorun::workflows
