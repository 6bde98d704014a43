#include "cli/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/source.h"

namespace canorun::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A C1 control (U+0080 to U+009F) begins at `text`: such can move a terminal's cursor as well.
bool is_c1(std::string_view text) {
  return text.size() >= 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string Style::paint(std::string_view code, std::string_view text) const {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string printable(std::string_view text) {
  const std::string clean = to_utf8(text);
  std::string out;
  out.reserve(clean.size());
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      out += kReplacement;
    } else if (is_c1(std::string_view(clean).substr(i))) {
      out += kReplacement;
      ++i;
    } else {
      out += clean[i];
    }
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t most) {
  // What lies far behind the cut need not be looked at: outputs may have many megabytes.
  std::string out = printable(text.substr(0, 4 * most + 4));
  for (char& c : out) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  std::size_t characters = 0;
  std::size_t cut = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (is_continuation(out[i])) continue;
    if (characters + 1 == most) cut = i;
    if (++characters > most) return out.substr(0, cut) + "…";
  }
  return out;
}

std::string brief(const Json& value, std::size_t most) { return one_line(to_json_text(value), most); }

std::size_t widest(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    if (!is_continuation(c)) columns += static_cast<unsigned char>(c) < 0x80 ? 1 : 2;
  }
  return columns;
}

std::string shell_word(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:=@%+,").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string visit_note(std::uint64_t visit) { return visit > 1 ? fmt::format(", visit {}", visit) : std::string(); }

std::string listed(const std::vector<std::string_view>& all, std::size_t most) {
  const std::size_t shown = std::min(all.size(), most);
  std::string out = fmt::format("{}", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < all.size()) out += fmt::format(" and {} more", all.size() - shown);
  return out;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Table::text(std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max<std::size_t>(widths[i], count_characters(cells[i].text));
    }
  }
  std::string out;
  for (const auto& cells : rows_) {
    std::string line(indent);
    std::size_t owed = 0;  // blanks that are only written when something follows
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Cell& cell = cells[i];
      const std::size_t gap = widths[i] - count_characters(cell.text);
      if (!cell.text.empty()) {
        line.append(owed + (cell.right ? gap : 0), ' ');
        line += cell.painted.empty() ? cell.text : cell.painted;
        owed = cell.right ? 2 : gap + 2;
      } else {
        owed += gap + 2;
      }
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace canorun::cli
