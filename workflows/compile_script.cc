#include <fmt/format.h>

#include "workflows/compile.h"
#include "workflows/shell_command.h"
#include "workflows/shell_script.h"

namespace canorun::workflows {
namespace {

std::string_view basename(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The program that reads the script. Nothing is known of it where `shell` has a wrong value, which is
// reported elsewhere.
std::string_view program(const Node* shell) {
  if (shell == nullptr || shell->list.empty() || shell->list.front()->text.empty()) return "sh";
  return basename(shell->list.front()->text);
}

}  // namespace

std::optional<CompiledScript> compile_script(Reader& reader, Expressions& expressions, const Node& node,
                                             const Place& place, const Node* shell) {
  if (node.text.find('\0') != std::string::npos) {
    reader.error(Code::kBadValue, node, "a script cannot hold a NUL character");
    return std::nullopt;
  }
  const Expressions::Pieces read = expressions.pieces(node, place);
  std::string marked;
  for (const expr::Template::Piece& piece : read.all) {
    if (piece.expression) {
      marked += kHole;
    } else {
      marked += piece.text;
    }
  }
  if (read.whole && read.whole->is_literal()) return CompiledScript{std::move(marked), {}};

  CompiledScript script;
  const auto places = scan_shell_script(marked);
  std::size_t number = 0;
  bool good = read.whole.has_value();
  for (const expr::Template::Piece& piece : read.all) {
    if (!piece.expression) {
      script.text += piece.text;
      continue;
    }
    if (program(shell) != "sh") {
      reader.report.error(Code::kQuotedTemplate, reader.document.part(node, piece.span),
                          fmt::format("a template cannot stand in a script for '{}'", program(shell)),
                          std::string(instead::kUseEnv));
      return std::nullopt;
    }
    ++number;
    const HolePlace& hole = places[number - 1];
    if (hole.quoting == Quoting::kRefused) {
      reader.report.error(Code::kQuotedTemplate, reader.document.part(node, piece.span),
                          fmt::format("a template cannot stand in {}", hole.why), std::string(hole.hint));
      good = false;
    }
    script.text += shell_reference(hole.quoting, number);
    const std::string_view text =
        std::string_view(node.text).substr(piece.span.begin, piece.span.end - piece.span.begin);
    if (good) script.values.push_back(expr::Tree::of(*expr::Template::compile(text, *place.environment)));
  }
  return good ? std::optional(std::move(script)) : std::nullopt;
}

}  // namespace canorun::workflows
