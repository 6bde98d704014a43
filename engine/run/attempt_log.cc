#include "engine/run/attempt_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

namespace canorun::run {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 16;
constexpr std::uint8_t kGap = 2;
constexpr std::uint32_t kLongestChunk = 1U << 20;

void put_little_endian(char* out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8) out[i] = static_cast<char>(value & 0xFF);
}

std::uint64_t get_little_endian(const char* in, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

// Writes all of it or nothing more: false when the file cannot take it.
bool write_all(int fd, std::string_view header, std::string_view bytes) {
  std::array<iovec, 2> parts{
      {{const_cast<char*>(header.data()), header.size()}, {const_cast<char*>(bytes.data()), bytes.size()}}};
  std::size_t left = header.size() + bytes.size();
  while (left > 0) {
    const ssize_t wrote = ::writev(fd, parts.data(), 2);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    left -= static_cast<std::size_t>(wrote);
    auto rest = static_cast<std::size_t>(wrote);
    for (iovec& part : parts) {
      const std::size_t done = std::min(rest, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + done;
      part.iov_len -= done;
      rest -= done;
    }
  }
  return true;
}

std::optional<AttemptName> parse_name(std::string_view text) {
  AttemptName name;
  const auto number = [&](auto& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end == text.data() + text.size() || *end != '-') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
  };
  if (!number(name.row) || !number(name.resumes) || !number(name.attempt) || text.empty()) return std::nullopt;
  const auto plus = text.find('+');
  name.state = text.substr(0, plus);
  if (plus != std::string_view::npos) name.part = text.substr(plus + 1);
  return name;
}

// What a tail says was left out before it was begun.
std::uint64_t gap_of(const std::string& path) {
  std::array<char, kHeader> header{};
  std::ifstream in(path, std::ios::binary);
  const bool is_gap = in.read(header.data(), header.size()) && static_cast<std::uint8_t>(header[12]) == kGap;
  return is_gap ? get_little_endian(header.data(), 8) : 0;
}

}  // namespace

std::string AttemptName::file_name() const {
  std::string name = fmt::format("{:08}-{:04}-{:04}-{}", row, resumes, attempt, state);
  if (!part.empty()) name += '+' + part;
  return name;
}

Result<void> make_log_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return fail(fmt::format("cannot make the folder {}: {}", folder, error.message()));
  return {};
}

AttemptLog::AttemptLog(std::string folder, AttemptName name, const Clock& clock)
    : folder_(std::move(folder)), name_(std::move(name)), clock_(clock), given_up_(folder_.empty()) {}

AttemptLog::~AttemptLog() {
  if (fd_ >= 0) ::close(fd_);
}

bool AttemptLog::next_part() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  if (part_ < 0 && !make_log_folder(folder_)) return false;
  part_ = part_ < 2 ? part_ + 1 : 1;
  std::string path = fmt::format("{}/{}.log", folder_, name_.file_name());
  if (part_ > 0) path += fmt::format(".{}", part_);
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_ = 0;
  const auto index = static_cast<std::size_t>(part_);
  const std::uint64_t emptied = std::exchange(payload_[index], 0);
  dropped_ += emptied;
  if (fd_ >= 0 && part_ > 0) put(dropped_, kGap, {});
  return fd_ >= 0;
}

void AttemptLog::put(std::uint64_t time, std::uint8_t stream, std::string_view bytes) {
  std::array<char, kHeader> header{};
  put_little_endian(header.data(), time, 8);
  put_little_endian(header.data() + 8, bytes.size(), 4);
  header[12] = static_cast<char>(stream);
  if (!write_all(fd_, {header.data(), header.size()}, bytes)) given_up_ = true;
  size_ += header.size() + bytes.size();
  payload_[static_cast<std::size_t>(part_)] += bytes.size();
}

void AttemptLog::write(model::Stream stream, std::string_view bytes) {
  while (!bytes.empty() && !given_up_) {
    const std::string_view chunk = bytes.substr(0, kLongestChunk);
    bytes.remove_prefix(chunk.size());
    if ((fd_ < 0 || size_ + kHeader + chunk.size() > kPart) && !next_part()) {
      given_up_ = true;
      return;
    }
    put(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()), static_cast<std::uint8_t>(stream), chunk);
  }
}

std::vector<LogFile> find_logs(const std::string& folder, std::string_view state) {
  std::map<std::string, LogFile> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string file = it->path().filename().string();
    const std::size_t ending = file.find(".log");
    if (ending == std::string::npos) continue;
    auto name = parse_name(std::string_view(file).substr(0, ending));
    if (!name || (!state.empty() && name->state != state)) continue;
    LogFile& log = found[file.substr(0, ending)];
    log.name = std::move(*name);
    log.parts.push_back(it->path().string());
  }
  std::vector<LogFile> logs;
  for (auto& [name, log] : found) {
    std::sort(log.parts.begin(), log.parts.end());
    // Of the two tails, the one that was begun after more had been left out is the newer.
    if (log.parts.size() == 3) {
      const std::uint64_t one = gap_of(log.parts[1]);
      const std::uint64_t two = gap_of(log.parts[2]);
      if (one > two) std::swap(log.parts[1], log.parts[2]);
      log.left_out = std::max(one, two);
    }
    logs.push_back(std::move(log));
  }
  return logs;
}

void remove_logs(const std::string& folder, std::string_view state,
                 const std::function<bool(const AttemptName&)>& is_old) {
  for (const LogFile& log : find_logs(folder, state)) {
    if (!is_old(log.name)) continue;
    for (const std::string& path : log.parts) ::unlink(path.c_str());
  }
}

Result<std::uint64_t> read_log(const std::string& path, std::uint64_t offset,
                               const std::function<void(const Chunk&)>& take) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  in.seekg(static_cast<std::streamoff>(offset));
  std::array<char, kHeader> header{};
  std::string bytes;
  while (in.read(header.data(), header.size())) {
    const auto length = static_cast<std::size_t>(get_little_endian(header.data() + 8, 4));
    if (length > kLongestChunk) return fail(fmt::format("{} is damaged at byte {}", path, offset));
    bytes.resize(length);
    if (length > 0 && !in.read(bytes.data(), static_cast<std::streamsize>(length))) break;
    const std::uint64_t time = get_little_endian(header.data(), 8);
    const auto stream = static_cast<std::uint8_t>(header[12]);
    if (stream != kGap)
      take({WallTime{Millis{static_cast<std::int64_t>(time)}}, static_cast<model::Stream>(stream), bytes});
    offset += kHeader + length;
  }
  return offset;
}

}  // namespace canorun::run
