// Files as the kinds use them: opened without waiting for anything, written whole, made durable by name, and
// what is said when that fails. Blocking; from any thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace canorun::tasks {

/// Where symbolic links lead, also to a file that is not there yet. Where they go round, opening it tells.
std::string behind_links(std::string path);

/// Why a call failed, in the system's words, and what can be done about it.
std::unexpected<Error> system_failure(int error);

/// Opens a file to be read. What is no regular file is an error: a pipe would be waited for.
Result<Fd> open_to_read(const std::string& path);

/// The bytes from where the file stands, at most `limit`.
Result<std::string> read_at_most(const Fd& file, std::uint64_t limit);

/// Looks at a file that is about to be written, through symbolic links; none where there is none yet. What
/// is there and no regular file is an error.
Result<std::optional<struct stat>> look_before_writing(const std::string& path);

/// Why a file could not be made or opened to be written. Of the path it tells nothing: in a part, a secret is not
/// found.
std::unexpected<Error> cannot_open_to_write(int error);

/// After an error, `bytes` is what was not written.
Result<void> write_all(const Fd& file, std::string_view& bytes);

/// Gives a file the owner and the mode of `model`, as far as that is allowed: nobody gets a right that was
/// another's. False, with errno, when it cannot have that mode.
bool inherit(const Fd& file, const struct stat& model);

/// Makes durable which names the folder of `path` has. A file system that cannot is let be.
Result<void> sync_folder_of(const std::string& path);

}  // namespace canorun::tasks
