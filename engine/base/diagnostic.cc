#include "engine/base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "engine/base/display_width.h"

namespace canorun {
namespace {

constexpr std::array<std::string_view, 31> kCodeNames{
    "unreadable-file",       "yaml-syntax",     "file-too-large",      "duplicate-key",
    "unknown-key",           "missing-key",     "wrong-type",          "bad-value",
    "misplaced-template",    "not-yet-run",     "maybe-not-run",       "unknown-state",
    "unreachable-state",     "no-exit",         "no-path-to-exit",     "unknown-kind",
    "unknown-parameter",     "unknown-input",   "unknown-variable",    "unknown-name",
    "expression-syntax",     "expression-type", "impossible-join",     "unknown-breaker",
    "unknown-rate-limit",    "impossible-cost", "timeout-too-short",   "quoted-template",
    "no-unconditional-next", "unguarded-loop",  "shadowed-transition",
};
static_assert(kCodeNames.size() == static_cast<std::size_t>(Code::kShadowedTransition) + 1);

constexpr std::size_t kWidestLine = 160;

// The characters of a line, each as it may be shown.
std::vector<std::string> printable_characters(std::string_view line) {
  std::vector<std::string> out;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !out.empty()) {
      out.back() += c;
    } else if (byte == '\t') {
      out.emplace_back(" ");
    } else if (byte < 0x20 || byte == 0x7F) {
      out.emplace_back("\xEF\xBF\xBD");
    } else {
      out.emplace_back(1, c);
    }
  }
  for (std::string& character : out) {
    // C1 controls (U+0080 to U+009F) can move a terminal's cursor as well.
    if (!is_utf8(character) ||
        (character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0)) {
      character = "\xEF\xBF\xBD";
    }
  }
  return out;
}

// A message may quote what a flow file holds: nothing of it may move a terminal's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const std::string& character : printable_characters(text)) out += character;
  return out;
}

std::string_view severity_name(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

std::string_view file_of(const Diagnostic& diagnostic) {
  return diagnostic.source ? std::string_view(diagnostic.source->name()) : std::string_view(diagnostic.file);
}

void append_quote(std::string& out, const Diagnostic& diagnostic, Position at, std::string_view paint,
                  std::string_view plain) {
  const Source& source = *diagnostic.source;
  const Position end = source.position(diagnostic.span.end);
  std::string_view near = source.line(at.line);
  std::size_t cut = 0;
  // A line may be megabytes long: only what is near the caret is looked at, four times what is shown,
  // for characters take up to four bytes.
  if (near.size() > 8 * kWidestLine) {
    const std::size_t caret = std::min<std::size_t>(diagnostic.span.begin - source.line_begin(at.line), near.size());
    std::size_t from = caret > 4 * kWidestLine ? caret - 4 * kWidestLine : 0;
    while (from > 0 && (static_cast<unsigned char>(near[from]) & 0xC0) == 0x80) --from;
    cut = count_characters(near.substr(0, from));
    near = near.substr(from, 8 * kWidestLine);
  }
  auto line = printable_characters(near);
  std::size_t first = std::min<std::size_t>(at.column - 1 - cut, line.size());
  std::size_t length = end.line == at.line && end.column > at.column ? end.column - at.column
                       : end.line > at.line                          ? line.size() - first
                                                                     : 1;
  if (line.size() > kWidestLine) {
    const std::size_t from = first > kWidestLine / 2 ? first - kWidestLine / 2 : 0;
    const std::size_t to = std::min(line.size(), from + kWidestLine);
    const bool is_cut = to < line.size();
    line = {line.begin() + static_cast<std::ptrdiff_t>(from), line.begin() + static_cast<std::ptrdiff_t>(to)};
    first -= from;
    if (from > 0) {
      line.insert(line.begin(), "…");
      ++first;
    }
    length = std::min(length, line.size() - std::min(first, line.size()) + 1);
    if (is_cut) line.emplace_back("…");
  }
  std::string shown;
  for (const std::string& character : line) shown += character;
  const auto columns = [&](std::size_t from, std::size_t to) {
    std::size_t sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += i < line.size() ? display_width(line[i]) : 1;
    return sum;
  };
  out += shown.empty() ? fmt::format("{:>5} |\n", at.line) : fmt::format("{:>5} | {}\n", at.line, shown);
  out += fmt::format("      | {}{}{}{}", std::string(columns(0, first), ' '), paint,
                     std::string(std::max<std::size_t>(columns(first, first + length), 1), '^'), plain);
  if (!diagnostic.hint.empty()) out += " " + printable(diagnostic.hint);
  out += "\n";
}

}  // namespace

std::string_view code_name(Code code) { return kCodeNames[static_cast<std::size_t>(code)]; }

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::map<std::string_view, std::size_t> order;
  for (const Diagnostic& diagnostic : diagnostics) order.emplace(file_of(diagnostic), order.size());
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(order[file_of(a)], a.span.begin) < std::pair(order[file_of(b)], b.span.begin);
  });
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

std::string render(const Diagnostic& diagnostic, bool color) {
  const bool error = diagnostic.severity == Severity::kError;
  const std::string_view paint = !color ? "" : error ? "\x1b[1;31m" : "\x1b[1;35m";
  const std::string_view bold = color ? "\x1b[1m" : "";
  const std::string_view plain = color ? "\x1b[0m" : "";
  const std::string_view severity = severity_name(diagnostic.severity);
  std::string out = fmt::format("{}{}", bold, printable(file_of(diagnostic)));
  if (!diagnostic.source) {
    out += fmt::format(":{} {}{}:{} {} [{}]\n", plain, paint, severity, plain, printable(diagnostic.message),
                       code_name(diagnostic.code));
    if (!diagnostic.hint.empty()) out += fmt::format("      {}\n", printable(diagnostic.hint));
    return out;
  }
  const Position at = diagnostic.source->position(diagnostic.span.begin);
  out += fmt::format(":{}:{}:{} {}{}:{} {} [{}]\n", at.line, at.column, plain, paint, severity, plain,
                     printable(diagnostic.message), code_name(diagnostic.code));
  append_quote(out, diagnostic, at, paint, plain);
  return out;
}

Json to_json(const Diagnostic& diagnostic) {
  const Position at = diagnostic.source ? diagnostic.source->position(diagnostic.span.begin) : Position{};
  return {{"file", to_utf8(file_of(diagnostic))},
          {"line", at.line},
          {"column", at.column},
          {"severity", severity_name(diagnostic.severity)},
          {"code", code_name(diagnostic.code)},
          {"message", diagnostic.message},
          {"hint", diagnostic.hint}};
}

}  // namespace canorun
