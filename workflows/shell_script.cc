#include "workflows/shell_script.h"

#include <fmt/format.h>

#include "workflows/shell_scanner.h"

namespace canorun::workflows {

std::vector<HolePlace> scan_shell_script(std::string_view script) { return ShellScanner(script).run(); }

std::string shell_reference(Quoting quoting, std::size_t number) {
  const std::string reference = fmt::format("${{CANORUN_V{}}}", number);
  return quoting == Quoting::kUnquoted ? '"' + reference + '"' : reference;
}

}  // namespace canorun::workflows
