#include "engine/process/proc_stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>

#include "engine/base/fd.h"

namespace canorun::process {
namespace {

// Fields as proc(5) counts them: 1 is the pid, 2 the name in parentheses, 3 the first after it.
constexpr int kState = 3;
constexpr int kGroup = 5;
constexpr int kFlags = 9;
constexpr int kStarted = 22;
constexpr int kEnvironmentBegin = 50;
constexpr int kEnvironmentEnd = 51;
constexpr std::uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD

template <class Number>
Number number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  // The name may hold anything, also parentheses and blanks.
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcStat stat;
  for (int field = kState; !text.empty(); ++field) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view value = text.substr(0, end);
    if (field == kState) stat.dead = value == "Z" || value == "X";
    if (field == kGroup) stat.group = number<pid_t>(value);
    if (field == kFlags) stat.kernel_thread = (number<std::uint64_t>(value) & kKernelThread) != 0;
    if (field == kStarted) stat.started = number<std::uint64_t>(value);
    if (field == kEnvironmentBegin) stat.environment_begin = number<std::uint64_t>(value);
    if (field == kEnvironmentEnd) stat.environment_end = number<std::uint64_t>(value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return stat;
}

std::optional<ProcStat> read_proc_stat(pid_t pid) {
  const Fd file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, 2048> text;
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size <= 0) return std::nullopt;
  return parse_proc_stat(std::string_view(text.data(), static_cast<std::size_t>(size)));
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, decltype([](DIR* dir) { ::closedir(dir); })> entries(::opendir("/proc"));
  if (!entries) return found;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) found.push_back(pid);
  }
  return found;
}

}  // namespace canorun::process
