#include "cli/input_values.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/base/value.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kMostInput = std::size_t{16} << 20;

}  // namespace

OrRefusal<std::string> read_all(int fd, const std::string& name) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(RefusalKind::kUsage, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostInput) return refuse(RefusalKind::kUsage, fmt::format("{} is larger than 16 MiB", name));
  }
}

std::unexpected<Refusal> refuse_inputs(std::vector<Error> problems) {
  if (problems.size() == 1) return refuse(RefusalKind::kInvalidInputs, problems[0].message, problems[0].hint);
  return std::unexpected(Refusal{.kind = RefusalKind::kInvalidInputs,
                                 .message = fmt::format("{} inputs are wrong: nothing was run", problems.size()),
                                 .problems = std::move(problems)});
}

OrRefusal<std::vector<std::pair<std::string, std::string>>> split_inputs(const std::vector<std::string>& pairs) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return refuse(RefusalKind::kUsage, "-i takes NAME=VALUE, and one of them is something else");
    }
    out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return out;
}

OrRefusal<Json> read_input_file(const std::string& path) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "stdin" : to_utf8(path);
  const int fd = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse(RefusalKind::kUsage, fmt::format("cannot open {}: {}", name, std::strerror(errno)));
  const auto text = read_all(fd, name);
  if (!is_stdin) ::close(fd);
  if (!text) return std::unexpected(text.error());
  return parse_object(*text, name);
}

OrRefusal<Json> parse_object(std::string_view text, std::string_view what) {
  auto value = parse_json(text);
  if (!value)
    return refuse(RefusalKind::kUsage, fmt::format("{}: {}", what, value.error().message), "write a JSON object");
  if (!value->is_object()) {
    return refuse(RefusalKind::kUsage, fmt::format("{} must be a JSON object, not {}", what, type_name(*value)));
  }
  return std::move(*value);
}

}  // namespace canorun::cli
