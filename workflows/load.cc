#include "workflows/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "workflows/compile.h"
#include "workflows/read.h"
#include "workflows/text_check.h"

namespace canorun::workflows {
namespace {

struct OpenFile {
  int fd;
  explicit OpenFile(int opened) : fd(opened) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
};

std::string reason(int error) { return std::generic_category().message(error); }

Result<std::string> read_bounded(const OpenFile& file) {
  std::string text;
  constexpr std::size_t kMost = kMaxFileSize + 1;
  for (std::size_t step = 64 << 10; text.size() < kMost;) {
    const std::size_t begin = text.size();
    text.resize(std::min(begin + step, kMost));
    const ssize_t count = ::read(file.fd, text.data() + begin, text.size() - begin);
    text.resize(begin + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno != EINTR) return fail(fmt::format("cannot be read: {}", reason(errno)));
    if (count == 0) break;
  }
  return text;
}

Result<std::string> read_file(const std::string& path) {
  // Not blocking: opening a FIFO would wait for a writer.
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd < 0) {
    if (errno == ENOENT) return fail("there is no such file", "give the path of a flow file");
    return fail(fmt::format("cannot be opened: {}", reason(errno)));
  }
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) return fail(fmt::format("cannot be read: {}", reason(errno)));
  if (S_ISDIR(status.st_mode)) return fail("this is a folder", "give the path of a flow file in it");
  if (!S_ISREG(status.st_mode)) return fail("this is no regular file", "give the path of a flow file");
  return read_bounded(file);
}

// The folder with its links resolved, so that a run finds it again from anywhere.
Result<std::string> real_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  char* const resolved = ::realpath(folder.c_str(), nullptr);
  if (resolved == nullptr) return fail(fmt::format("its folder cannot be found: {}", reason(errno)));
  std::string text = resolved;
  ::free(resolved);
  return text;
}

// A file of which nothing is shown.
Loaded unreadable(const std::string& path, Error error, Code code = Code::kUnreadableFile) {
  Loaded loaded;
  loaded.diagnostics.push_back({.code = code,
                                .source = nullptr,
                                .span = {},
                                .message = std::move(error.message),
                                .hint = std::move(error.hint),
                                .file = path});
  return loaded;
}

}  // namespace

Loaded load_text(std::string name, std::string text, std::string file, std::string folder, model::Catalog catalog) {
  text.erase(0, byte_order_mark(text));
  const auto source = std::make_shared<const Source>(std::move(name), std::move(text));
  Report report(source);
  Loaded loaded;
  if (const auto document = Document::parse(source, report)) {
    Reader reader(*document, report, catalog);
    const Definition definition = read_flow(reader);
    model::Flow flow = compile_flow(reader, definition);
    if (!report.has_errors()) {
      flow.text = source->text();
      flow.digest = digest(source->text());
      flow.file = std::move(file);
      flow.folder = std::move(folder);
      loaded.flow = std::make_shared<const model::Flow>(std::move(flow));
    }
  }
  loaded.diagnostics = report.take();
  return loaded;
}

Loaded load_file(const std::string& path, model::Catalog catalog) {
  auto text = read_file(path);
  if (!text) return unreadable(path, std::move(text.error()));
  auto folder = real_folder(path);
  if (!folder) return unreadable(path, std::move(folder.error()));
  if (auto problem = check_size(*text)) {
    return unreadable(path, {std::move(problem->message), std::move(problem->hint)}, problem->code);
  }
  const std::string file = (*folder == "/" ? "" : *folder) + "/" + path.substr(path.rfind('/') + 1);
  return load_text(path, std::move(*text), file, std::move(*folder), catalog);
}

}  // namespace canorun::workflows
