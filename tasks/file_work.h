// What a `file` task does, where it may block.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/masker.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "tasks/background.h"
#include "tasks/parse.h"

namespace canorun::tasks {

enum class FileOp : std::uint8_t { kRead, kWrite, kAppend, kCopy, kMove, kRemove, kStat };

/// One piece of work on a file. Paths are absolute; what the operation does not use is empty.
struct FileWork {
  FileOp op = FileOp::kStat;
  std::string path = {};
  std::string to = {};
  std::string content = {};
  std::uint64_t max_size = std::uint64_t{1} << 20;
  Parse parse = Parse::kNone;
  std::string key = {};                ///< the idempotency key
  std::string note = {};               ///< where the work can keep a note until its success is recorded
  const Masker* masker = &kNoSecrets;  ///< hides secrets in what is read, and in the note
};

/// Whether an operation needs a note to tell, when it is done again, what it has done already: the file
/// alone does not say.
bool needs_note(FileOp op);

/// Does it, and gives the task's output. It may be done again after it was cut off at any instruction, by
/// a `stop`, by a signal or by the power: the files are then what they would be had it been done once.
Result<Json> do_file_work(const FileWork& work, const Stop& stop);

// The parts of it. Their errors say only why; of `path` or of `to`, where there are both.

Result<Json> append_file(const FileWork& work, const Stop& stop);
Result<Json> move_file(const FileWork& work, const Stop& stop);

/// The error is about this path.
std::unexpected<Error> at_path(const std::string& path, Error error);

/// Copies all that is behind `from` to the end of `to`.
Result<void> copy_content(const Fd& from, const Fd& to, const Stop& stop);

}  // namespace canorun::tasks
