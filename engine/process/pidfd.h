// References to processes that outlive their numbers. By system call: the header of glibc 2.36 lacks C linkage.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "engine/base/fd.h"

namespace canorun::process {

/// Close-on-exec; empty with errno set when there is no such process.
inline Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

/// False when it is gone, or may not be signalled.
inline bool signal_pidfd(const Fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

}  // namespace canorun::process
