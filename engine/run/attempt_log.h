// What the commands of a run wrote: one log per attempt, kept beside the store.
//
// A log is a file of chunks. A chunk is 16 bytes, little-endian: u64 time (Unix milliseconds), u32
// length, u8 stream (0 stdout, 1 stderr, 2 gap), 3 bytes of zero; then `length` bytes as they were
// written. A gap chunk opens each tail; its time is how many bytes had been left out by then, and its
// length is 0.
//
// The first 32 MiB go to `NAME.log`; what follows goes in turns to `NAME.log.1` and `NAME.log.2`, each
// of 32 MiB, the older of which is emptied when the newer is full: so the last 32 MiB are always there.
// NAME is `RRRRRRRR-GGGG-AAAA-STATE`: the row that entered the state, how often the run had been
// resumed, the attempt; and `+PART` where it is only a part of the state's work. Names sort in the order in which
// things happened.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/model/task.h"

namespace canorun::run {

struct AttemptName {
  std::uint64_t row = 0;
  std::uint64_t resumes = 0;
  std::uint32_t attempt = 1;
  std::string state;
  std::string part = {};  ///< empty: the state's own action

  std::string file_name() const;  ///< without an ending
};

/// Writes one attempt's log. Nothing is made on disk before the first byte. A log that cannot be
/// written is given up silently: it must never fail the work.
class AttemptLog {
 public:
  /// `folder` empty: keeps nothing.
  AttemptLog(std::string folder, AttemptName name, const Clock& clock);
  AttemptLog(const AttemptLog&) = delete;
  AttemptLog& operator=(const AttemptLog&) = delete;
  ~AttemptLog();

  void write(model::Stream stream, std::string_view bytes);

  static constexpr std::uint64_t kPart = 32ULL << 20;

 private:
  void put(std::uint64_t time, std::uint8_t stream, std::string_view bytes);
  bool next_part();

  std::string folder_;
  AttemptName name_;
  const Clock& clock_;
  int fd_ = -1;
  bool given_up_ = false;
  int part_ = -1;                           ///< 0: the head; then 1 and 2 in turns
  std::uint64_t size_ = 0;                  ///< of the part being written
  std::array<std::uint64_t, 3> payload_{};  ///< bytes of output in each part
  std::uint64_t dropped_ = 0;
};

/// One attempt's log as it is found in a run's folder.
struct LogFile {
  AttemptName name;
  std::vector<std::string> parts;  ///< paths, in the order of what they hold
  std::uint64_t left_out = 0;      ///< bytes between the first part and the second
};

/// The logs of a run, in the order in which things happened; of one state, if `state` is not empty.
std::vector<LogFile> find_logs(const std::string& folder, std::string_view state = {});

/// Removes those of a state's logs that `is_old` says.
void remove_logs(const std::string& folder, std::string_view state,
                 const std::function<bool(const AttemptName&)>& is_old);

struct Chunk {
  WallTime at{};
  model::Stream stream = model::Stream::kStdout;
  std::string_view bytes;
};

/// Reads the output in a part from `offset` on: whole chunks only, so a log that is being written can be followed.
/// Gives the offset behind the last whole chunk.
Result<std::uint64_t> read_log(const std::string& path, std::uint64_t offset,
                               const std::function<void(const Chunk&)>& take);

/// The folder of a run's logs, made if it is not there; 0700.
Result<void> make_log_folder(const std::string& folder);

}  // namespace canorun::run
