#include "cli/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace canorun::cli {

Output::Output(int fd) : fd_(fd), terminal_(::isatty(fd) == 1) {}

void Output::write(std::string_view text) {
  while (!text.empty() && !over_) {
    const ssize_t wrote = ::write(fd_, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {  // whoever started us made it non-blocking
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      over_ = true;
      if (errno != EPIPE) error_ = errno;
    }
  }
}

bool Output::moves_cursor() const {
  const char* kind = std::getenv("TERM");
  return terminal_ && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

std::size_t Output::width() const {
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace canorun::cli
