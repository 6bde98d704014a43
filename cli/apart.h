// Work in a process of its own, for what may end a process.
#pragma once

#include <functional>
#include <string>

namespace canorun::cli {

struct Apart {
  int signal = 0;          ///< what ended it
  std::string said = {};   ///< what the work gave
  std::string error = {};  ///< of the system, where it could not be done
};

/// Does the work in a copy of this process, which has one thread, and waits for it. A failure of the copy is not
/// written anywhere, and leaves no core file.
Apart apart(const std::function<std::string()>& work);

}  // namespace canorun::cli
