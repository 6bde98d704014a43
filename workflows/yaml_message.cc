#include "workflows/yaml_message.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace canorun::workflows {
namespace {

struct Row {
  std::string_view theirs;
  std::string_view message;
  std::string_view hint;
  char opened_by = '\0';
};

constexpr std::string_view kQuote =
    "a text that holds ': ' or ' #', or begins with one of & * ! % @ ` { [, must be quoted";
constexpr std::string_view kIndent = "check the indentation: the keys of one map begin in the same column";

constexpr std::array kRows{
    Row{"illegal map value", "a ':' where none can stand", kQuote},
    Row{"illegal map key", "a key where none can stand", kQuote},
    Row{"illegal block entry", "a list element where none can stand", "check the indentation; tabs cannot indent"},
    Row{"illegal tab when looking for indentation", "a tab indents this line", "indent with spaces"},
    Row{"illegal flow end", "a bracket that nothing opened", kQuote},
    Row{"end of map not found", "this does not fit into the map above it", kIndent},
    Row{"end of sequence not found", "this does not fit into the list above it", kIndent},
    Row{"end of map flow not found", "this '{' is not closed", "close it with '}', or quote the text it stands in",
        '{'},
    Row{"end of sequence flow not found", "this '[' is not closed", "close it with ']', or quote the text it stands in",
        '['},
    Row{"illegal EOF in scalar", "a quoted text is not closed", "close the quote that opened it"},
    Row{"illegal document indicator in scalar", "a quoted text is not closed", "close the quote that opened it"},
    Row{"unknown escape character: ", "this escape is not known inside double quotes",
        "write \\\\ for a backslash, or use single quotes"},
    Row{"bad character found while scanning hex number", "this escape needs more hex digits",
        "\\x41, \\u00E9, \\U0001F600"},
    Row{"invalid unicode: ", "this escape names no character", "\\x41, \\u00E9, \\U0001F600"},
    Row{"the referenced anchor is not defined", "no anchor has this name", kQuote},
    Row{"alias not found after *", "a '*' without a name", kQuote},
    Row{"anchor not found after &", "a '&' without a name", kQuote},
    Row{"illegal character found while scanning alias", "no anchor can have this name", kQuote},
    Row{"illegal character found while scanning anchor", "no anchor can have this name", kQuote},
    Row{"unknown token", "no value can begin with this character", kQuote},
    Row{"unexpected character in block scalar", "only an indentation or a chomping indicator can follow here",
        "begin the text on the next line"},
    Row{"cannot set zero indentation for a block scalar", "a block text cannot be indented by 0",
        "leave the digit out"},
};

// The line in which `at` stands.
std::string_view line_around(std::string_view source, std::size_t at) {
  const auto before = source.substr(0, at).rfind('\n');
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return source.substr(begin, source.find('\n', begin) - begin);
}

}  // namespace

YamlMessage explain_yaml_error(std::string_view text, std::string_view source, std::uint32_t at) {
  const std::string_view line = line_around(source, at);
  const std::size_t tab = line.substr(0, line.find_first_not_of(" \t")).find('\t');
  if (tab != std::string_view::npos) {
    const auto place = static_cast<std::uint32_t>(line.data() - source.data()) + static_cast<std::uint32_t>(tab);
    return {"a tab indents this line", "indent with spaces", place};
  }
  // Some of their texts go on with what was found.
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) { return text.starts_with(r.theirs); });
  if (row == kRows.end()) return {text, {}, at};
  // Braces end a text inside a flow collection.
  const bool cut_template = line.find("${{") != std::string_view::npos;
  return {row->message, cut_template ? "inside { } and [ ], quote a text that holds '${{ }}'" : row->hint, at,
          row->opened_by};
}

}  // namespace canorun::workflows
