#include "workflows/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "engine/base/ids.h"
#include "engine/base/path.h"
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

// What the author of a flow calls a flow file, without `.` and `..`.
std::string normal_path(const std::string& folder, std::string_view file) {
  return std::filesystem::path(path_in(folder, std::string(file))).lexically_normal();
}

std::string folder_of(const std::string& path) { return std::filesystem::path(path).parent_path(); }

// The nodes that name flow files, in one action.
struct FlowFiles {
  model::Catalog catalog;
  std::vector<const Node*> found = {};

  void operator()(const ActionDef& action) {
    const Node* const file = flow_file(action, catalog);
    const bool names_one = file != nullptr && file->is_scalar() && !file->text.empty();
    if (names_one && find_template(*file) == nullptr) found.push_back(file);
  }
  void operator()(const InnerAction& action) {
    if (action) (*this)(*action);
  }
  void operator()(const SplitDef& split) {
    for (const SplitDef::Branch& branch : split.branches) (*this)(branch.action);
    (*this)(split.each);
  }
  void operator()(const BatchDef& batch) { (*this)(batch.each); }
  void operator()(const PollDef& poll) { (*this)(poll.ask); }
  void operator()(const SteppedDef& stepped) { (*this)(stepped.step); }
  void operator()(const StreamDef& stream) {
    (*this)(stream.each);
    (*this)(stream.flush);
  }
  void operator()(const auto&) {}
};

constexpr std::size_t kMostFiles = 256;

// A flow file and all that may run below it, each read once.
class Loader {
 public:
  Loader(model::Catalog catalog, const TextOf& text_of) : catalog_(catalog), text_of_(text_of) {}

  Loaded load(std::string name, std::string text, std::string file, std::string folder) {
    add({.name = std::move(name), .path = std::move(file), .folder = std::move(folder)}, std::move(text));
    for (std::size_t i = 0; i < files_.size(); ++i) read_children(files_[i]);  // grows meanwhile
    for (File& one : files_) compile(one);
    Loaded loaded;
    bool good = true;
    for (File& one : files_) {
      good = good && !one.report->has_errors();
      std::ranges::move(one.report->take(), std::back_inserter(loaded.diagnostics));
    }
    if (!good) return loaded;
    link();
    loaded.flow = {flows_, &flows_->front()};
    return loaded;
  }

 private:
  struct File {
    std::string name;
    std::string path;
    std::string folder;
    std::size_t depth = 0;
    std::size_t place = 0;
    std::shared_ptr<const Source> source = {};
    std::unique_ptr<Report> report = {};
    std::unique_ptr<const Document> document = {};
    std::unique_ptr<Reader> reader = {};
    std::optional<Definition> definition = {};                        ///< none: there is no document
    std::unordered_map<std::string_view, std::size_t> children = {};  ///< places in files_
    bool sound = false;                                               ///< it was read without an error
  };

  void add(File file, std::string text) {
    text.erase(0, byte_order_mark(text));
    file.source = std::make_shared<const Source>(file.name, std::move(text));
    file.report = std::make_unique<Report>(file.source);
    file.document = Document::parse(file.source, *file.report);
    if (file.document) {
      file.reader = std::make_unique<Reader>(*file.document, *file.report, catalog_);
      file.definition = read_flow(*file.reader);
      file.sound = !file.report->has_errors();
    }
    file.place = files_.size();
    if (!file.path.empty()) places_.emplace(file.path, file.place);
    files_.push_back(std::move(file));
    flows_->emplace_back();
  }

  void read_children(File& file) {
    if (!file.definition) return;
    FlowFiles named{catalog_};
    for (const StateDef& state : file.definition->states) std::visit(named, state.shape);
    for (const Node* node : named.found) {
      if (const auto child = find_child(file, *node)) file.children.emplace(node->text, *child);
    }
  }

  std::optional<std::size_t> find_child(File& file, const Node& node) {
    std::string path = normal_path(file.folder, node.text);
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    const auto refuse = [&](const Error& error) {
      file.reader->error(Code::kUnreadableFile, node, fmt::format("flow file '{}': {}", node.text, error.message),
                         error.hint);
      return std::nullopt;
    };
    if (file.depth == model::kMostNestedRuns) {
      return refuse({fmt::format("flows run flows more than {} levels deep here", model::kMostNestedRuns)});
    }
    if (files_.size() == kMostFiles) {
      return refuse({fmt::format("a run reads at most {} flow files", kMostFiles)});
    }
    auto text = text_of_(path);
    if (!text) return refuse(text.error());
    if (auto problem = check_size(*text)) return refuse({std::move(problem->message), std::move(problem->hint)});
    const std::string around = folder_of(file.name);
    std::string name = around.empty() ? std::string(node.text) : normal_path(around, node.text);
    std::string folder = folder_of(path);
    add({.name = std::move(name), .path = std::move(path), .folder = std::move(folder), .depth = file.depth + 1},
        std::move(*text));
    return files_.size() - 1;
  }

  void compile(File& file) {
    if (!file.definition) return;
    ChildFlows children;
    for (const auto& [name, child] : file.children) {
      if (files_[child].sound) children.emplace(name, &*files_[child].definition);
    }
    model::Flow& flow = (*flows_)[file.place];
    flow = compile_flow(*file.reader, *file.definition, children);
    flow.text = file.source->text();
    flow.digest = digest(flow.text);
    flow.file = file.path;
    flow.folder = file.folder;
  }

  void link() {
    for (File& file : files_) {
      model::Flow& flow = (*flows_)[file.place];
      for (const auto& [name, child] : file.children) flow.children.emplace(name, &(*flows_)[child]);
    }
    for (model::Flow& flow : *flows_) {
      std::vector<const model::Flow*>& below = flow.descendants;
      std::unordered_set<const model::Flow*> seen;
      const auto take = [&](const model::Flow& parent) {
        for (const auto& [name, child] : parent.children) {
          if (seen.insert(child).second) below.push_back(child);
        }
      };
      take(flow);
      for (std::size_t i = 0; i < below.size(); ++i) take(*below[i]);
    }
  }

  model::Catalog catalog_;
  const TextOf& text_of_;
  std::deque<File> files_;
  std::shared_ptr<std::deque<model::Flow>> flows_ = std::make_shared<std::deque<model::Flow>>();  ///< in their order
  std::unordered_map<std::string, std::size_t> places_;
};

Result<std::string> no_other_file(const std::string&) { return fail("there is no such file"); }

}  // namespace

Loaded load_text(std::string name, std::string text, std::string file, std::string folder, model::Catalog catalog,
                 const TextOf& text_of) {
  const TextOf none = no_other_file;
  return Loader(catalog, text_of ? text_of : none)
      .load(std::move(name), std::move(text), std::move(file), std::move(folder));
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
  return load_text(path, std::move(*text), file, std::move(*folder), catalog, read_file);
}

}  // namespace canorun::workflows
