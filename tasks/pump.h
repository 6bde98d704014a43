// The pipes of a command on the event loop: what it writes is read as it comes, what it reads is fed to it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/fd.h"

namespace canorun::tasks {

/// Reads a non-blocking pipe to its end. It keeps itself alive while it waits; what it was given is not
/// called after `close`. Event-loop thread only.
class OutputPump : public std::enable_shared_from_this<OutputPump> {
 public:
  /// `sink` gets every chunk, valid during the call.
  OutputPump(const boost::asio::any_io_executor& executor, Fd pipe, std::function<void(std::string_view)> sink);

  void start();
  /// Takes what the pipe holds now; bounded, since a writer may be faster.
  void read_some();
  bool ended() const { return !pipe_.is_open(); }
  /// Calls back once, when the pipe has ended.
  void on_end(std::function<void()> callback) { on_end_ = std::move(callback); }
  void close();

 private:
  void end();

  boost::asio::posix::stream_descriptor pipe_;
  std::function<void(std::string_view)> sink_;
  std::function<void()> on_end_;
};

/// Writes a text into a non-blocking pipe and closes it; a reader that does not want it all is no error.
class InputFeed : public std::enable_shared_from_this<InputFeed> {
 public:
  InputFeed(const boost::asio::any_io_executor& executor, Fd pipe, std::string text);

  /// Writes what the pipe takes, then goes on when it takes more.
  void start();
  void close();

 private:
  boost::asio::posix::stream_descriptor pipe_;
  std::string text_;
  std::size_t written_ = 0;
};

}  // namespace canorun::tasks
