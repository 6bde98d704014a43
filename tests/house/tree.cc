#include "house/tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace canorun::test {
namespace {

namespace fs = std::filesystem;

const fs::path kTop = CANORUN_SOURCE_DIR;

void collect(const fs::path& folder, std::vector<SourceFile>& files) {
  for (const auto& entry : fs::recursive_directory_iterator(kTop / folder)) {
    const auto ending = entry.path().extension();
    if (ending != ".h" && ending != ".cc") continue;
    const std::string path = entry.path().lexically_relative(kTop).string();
    files.push_back({path, read_text(path)});
  }
}

// Where the literal or comment that begins at `at` ends; `at` itself when none begins there.
std::size_t skip_from(std::string_view text, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  if (rest.starts_with("R\"")) {
    const auto open = text.find('(', at);
    if (open == std::string_view::npos) return text.size();
    return behind(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
  }
  const char quote = rest.front();
  const bool digit_separator = quote == '\'' && at > 0 && std::isxdigit(static_cast<unsigned char>(text[at - 1])) != 0;
  if ((quote != '"' && quote != '\'') || digit_separator) return at;
  for (std::size_t end = at + 1; end < text.size(); ++end) {
    if (text[end] == '\\')
      ++end;
    else if (text[end] == quote || text[end] == '\n')
      return end + 1;
  }
  return text.size();
}

}  // namespace

std::vector<SourceFile> source_files(bool tests) {
  std::vector<SourceFile> files;
  for (const char* folder : {"engine", "tasks", "workflows", "cli"}) collect(folder, files);
  if (tests) collect("tests", files);
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::string read_text(std::string_view path) {
  std::ifstream in(kTop / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Include> includes(std::string_view text) {
  std::vector<Include> found;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (!line.starts_with("#include ")) continue;
    const auto open = line.find_first_of("<\"");
    const auto close = line.find_last_of(">\"");
    if (open < close) found.push_back({number, line.substr(open + 1, close - open - 1)});
  }
  return found;
}

std::string code_only(std::string_view text) {
  std::string code(text);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = skip_from(text, at);
    for (std::size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

std::vector<std::string> readme_blocks(std::string_view language) {
  std::vector<std::string> blocks;
  std::istringstream lines(read_text("README.md"));
  std::string line;
  for (bool inside = false; std::getline(lines, line);) {
    const bool fence = line.starts_with("```");
    if (inside && !fence) blocks.back() += line + '\n';
    if (!fence) continue;
    inside = !inside && std::string_view(line).substr(3) == language;
    if (inside) blocks.emplace_back();
  }
  return blocks;
}

}  // namespace canorun::test
