#include "tasks/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/blanks.h"
#include "engine/base/duration.h"
#include "engine/base/fd.h"
#include "engine/base/ids.h"
#include "tasks/file_access.h"

namespace canorun::tasks {
namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 20;

std::unexpected<Error> unreadable(const std::unexpected<Error>& reason) {
  return fail(fmt::format("CANORUN_OUTPUT cannot be read: {}", reason.error().message));
}

Result<Json> parse_lines(std::string_view text) {
  Json values = Json::object();
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto equals = line.find('=');
    const std::string_view key = line.substr(0, equals);
    if (equals == std::string_view::npos || !is_name(key)) {
      return fail(fmt::format("CANORUN_OUTPUT line {} is no key=value: {}", number, to_utf8(line.substr(0, 80))),
                  "a key is a name of letters, digits and _; a JSON object can have others, and values of many lines");
    }
    values[std::string(key)] = to_utf8(line.substr(equals + 1));
  }
  return values;
}

}  // namespace

Result<Json> parse_output_values(std::string_view text) {
  if (!trimmed(text).starts_with('{')) return parse_lines(text);
  auto object = parse_json(text);
  if (!object) return fail(fmt::format("CANORUN_OUTPUT is no JSON object: {}", object.error().message));
  return object;
}

Result<Json> read_output_file(const std::string& path, const Masker& masker) {
  // Not blocking: the command may have made a pipe of it.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    if (errno == ENOENT) return Json::object();
    return unreadable(system_failure(errno));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return unreadable(system_failure(errno));
  if (!S_ISREG(status.st_mode)) return fail("CANORUN_OUTPUT is not a file any more");
  if (status.st_size == 0) return Json::object();
  auto text = read_at_most(file, kMaxSize + 1);
  if (!text) return unreadable(std::unexpected(text.error()));
  if (text->size() > kMaxSize) return fail(fmt::format("CANORUN_OUTPUT holds more than {}", human_size(kMaxSize)));
  masker.mask(*text);
  return parse_output_values(*text);
}

}  // namespace canorun::tasks
