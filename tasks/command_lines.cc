#include "tasks/command_lines.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <cerrno>

#include "engine/base/duration.h"
#include "engine/base/line_buffer.h"
#include "tasks/capture.h"
#include "tasks/pump.h"
#include "tasks/started.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;
using asio::posix::descriptor_base;

// As much as a pipe holds.
constexpr std::size_t kChunk = std::size_t{64} << 10;
// Of stderr: enough for what an error quotes.
constexpr std::size_t kKept = std::size_t{8} << 10;

}  // namespace

// Shared with the coroutine that sees to its end, which may outlive the source by a moment.
struct CommandLines::Source : Started, std::enable_shared_from_this<Source> {
  Source(model::TaskContext& context, const CommandSpec& spec, process::Child started, std::function<void()> when_ready)
      : Started(context.executor(), std::move(started)),
        ready(std::move(when_ready)),
        pipe(context.executor(), child.stdout_pipe.release()),
        err(context, model::Stream::kStderr, kKept),
        ended(context.executor(), asio::steady_timer::time_point::max()) {
    listen();
    stderr_pump = std::make_shared<OutputPump>(context.executor(), std::move(child.stderr_pipe),
                                               [this](std::string_view bytes) { err.take(bytes); });
    stderr_pump->start();
    if (!child.stdin_pipe) return;
    stdin_feed = std::make_shared<InputFeed>(context.executor(), std::move(child.stdin_pipe), spec.input.value_or(""));
    stdin_feed->start();
  }

  void tell() const {
    if (ready) ready();
  }

  void close_pipe() {
    boost::system::error_code ignored;
    pipe.close(ignored);
  }

  void end() {
    ending = true;
    leader.cancel();
  }

  // Nothing of it refers to what its owner has any more.
  void close() {
    ready = nullptr;
    close_pipe();
    stderr_pump->close();
    if (stdin_feed) stdin_feed->close();
  }

  // What it wrote to stderr is complete.
  void finish() {
    stderr_pump->read_some();
    stderr_pump->close();
    err.finish();
  }

  // Takes what one read gives; false when there is nothing now.
  bool read_some() {
    for (;;) {
      std::array<char, kChunk> chunk;
      const ssize_t count = ::read(pipe.native_handle(), chunk.data(), chunk.size());
      if (count < 0 && errno == EINTR) continue;
      if (count > 0) lines.add({chunk.data(), static_cast<std::size_t>(count)});
      if (count == 0 || (count < 0 && errno != EAGAIN) || (count < 0 && holders_ignored)) close_pipe();
      return count >= 0 || !pipe.is_open();
    }
  }

  void wait_for_more() {
    if (std::exchange(waiting, true)) return;
    pipe.async_wait(descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      self->waiting = false;
      if (!error) self->tell();
    });
  }

  std::function<void()> ready;
  asio::posix::stream_descriptor pipe;
  LineBuffer lines;
  CapturedStream err;
  std::shared_ptr<OutputPump> stderr_pump;
  std::shared_ptr<InputFeed> stdin_feed;
  asio::steady_timer ended;  ///< cancelled once `over` is true
  bool waiting = false;
  bool ending = false;           ///< whether its leader exits or not
  bool over = false;             ///< nothing of the command runs any more
  bool holders_ignored = false;  ///< who still holds the pipe open has had its time
  std::uint64_t taken = 0;

  // The one place that ends the command, whether its leader exits or the source is told to end.
  static asio::awaitable<void> see_to_its_end(std::shared_ptr<Source> self, Grace grace) {
    boost::system::error_code ignored;
    if (!self->ending) {
      co_await self->leader.async_wait(descriptor_base::wait_read, asio::redirect_error(asio::use_awaitable, ignored));
    }
    // Before the leader is reaped, so that the number can only mean its group. Mostly nobody is left.
    process::signal_group(self->child.pid, SIGTERM);
    if (!self->gone()) co_await end_group(*self, grace.term);
    self->stderr_pump->read_some();
    self->over = true;
    self->ended.cancel();
    self->tell();
    if (!self->pipe.is_open()) co_return;
    self->timer.expires_after(grace.drain);
    co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    self->holders_ignored = true;
    self->tell();
  }
};

CommandLines::~CommandLines() {
  if (!source_) return;
  source_->close();
  if (source_->over) {
    source_->timer.cancel();
    return;
  }
  process::signal_group(source_->child.pid, SIGKILL);
  source_->end();
}

std::optional<model::Failure> CommandLines::start(model::TaskContext& context, std::function<void()> ready) {
  const auto output_path = context.scratch_file("output");
  if (!output_path) return model::task_failure(output_path.error());
  auto child = launch(context, spec_, *output_path);
  if (!child) return std::move(child.error());
  source_ = std::make_shared<Source>(context, spec_, std::move(*child), std::move(ready));
  asio::co_spawn(context.executor(), Source::see_to_its_end(source_, grace_), asio::detached);
  return std::nullopt;
}

model::NextLine CommandLines::next() {
  Source& source = *source_;
  for (;;) {
    if (auto line = source.lines.take()) {
      ++source.taken;
      return model::Line{std::move(*line)};
    }
    if (source.lines.too_long()) {
      return model::failure(model::kind::kTask, fmt::format("line {} of the source is longer than {}", source.taken + 1,
                                                            human_size(LineBuffer::kLongest)));
    }
    if (!source.pipe.is_open()) return ended();
    if (!source.read_some()) {
      source.wait_for_more();
      return model::Nothing{};
    }
  }
}

model::NextLine CommandLines::ended() {
  if (!source_->over) return model::Nothing{};
  source_->finish();
  // One that hangs in the kernel has none yet.
  const auto status = source_->status.value_or(process::ExitStatus{.signalled = true, .value = SIGKILL});
  if (auto failed = failure_of(spec_, status, source_->err.capture().tail())) return std::move(*failed);
  if (auto rest = source_->lines.take_rest()) return model::Line{std::move(*rest)};
  return model::Success{};
}

asio::awaitable<void> CommandLines::end() {
  source_->close_pipe();
  source_->end();
  boost::system::error_code ignored;
  if (!source_->over) co_await source_->ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  source_->timer.cancel();
  source_->finish();
}

}  // namespace canorun::tasks
