#include "tasks/pump.h"

#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <cerrno>

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;

// As much as a pipe holds. Reads are done with before anything else runs, so one buffer serves them all.
constexpr std::size_t kChunk = std::size_t{64} << 10;
// Chunks read before others have their turn.
constexpr int kTurn = 16;

std::array<char, kChunk>& chunk_buffer() {
  thread_local std::array<char, kChunk> buffer;
  return buffer;
}

}  // namespace

OutputPump::OutputPump(const asio::any_io_executor& executor, Fd pipe, std::function<void(std::string_view)> sink)
    : pipe_(executor, pipe.release()), sink_(std::move(sink)) {}

void OutputPump::start() {
  if (ended()) return;
  pipe_.async_wait(asio::posix::descriptor_base::wait_read,
                   [self = shared_from_this()](const boost::system::error_code& error) {
                     if (error) return;
                     self->read_some();
                     self->start();
                   });
}

void OutputPump::read_some() {
  if (ended()) return;
  for (int chunk = 0; chunk < kTurn; ++chunk) {
    auto& buffer = chunk_buffer();
    const ssize_t count = ::read(pipe_.native_handle(), buffer.data(), buffer.size());
    if (count > 0) {
      sink_(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || errno != EAGAIN) end();
    return;
  }
}

void OutputPump::end() {
  close();
  if (const auto callback = std::exchange(on_end_, nullptr)) callback();
}

void OutputPump::close() {
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

InputFeed::InputFeed(const asio::any_io_executor& executor, Fd pipe, std::string text)
    : pipe_(executor, pipe.release()), text_(std::move(text)) {}

void InputFeed::start() {
  while (written_ < text_.size()) {
    const ssize_t count = ::write(pipe_.native_handle(), text_.data() + written_, text_.size() - written_);
    if (count >= 0) {
      written_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pipe_.async_wait(asio::posix::descriptor_base::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && self->pipe_.is_open()) self->start();
                       });
      return;
    } else if (errno != EINTR) {
      break;
    }
  }
  close();
}

void InputFeed::close() {
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

}  // namespace canorun::tasks
