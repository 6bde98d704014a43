#include "tasks/file.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/duration.h"
#include "engine/base/path.h"
#include "engine/model/task.h"
#include "tasks/file_work.h"

namespace canorun::tasks {
namespace {

class FileTask final : public model::Task {
 public:
  explicit FileTask(FileWork work) : work_(std::move(work)) {}

  boost::asio::awaitable<model::Outcome> run(model::TaskContext& context) override {
    if (auto placed = place(context); !placed) co_return model::task_failure(placed.error());
    BlockingWork doing = [work = std::move(work_)](const Stop& stop) { return do_file_work(work, stop); };
    auto output = co_await in_background(std::move(doing));
    if (!output) co_return model::task_failure(output.error());
    co_return model::Success{std::move(*output)};
  }

 private:
  Result<void> place(model::TaskContext& context) {
    work_.path = path_in(context.folder(), work_.path);
    if (!work_.to.empty()) work_.to = path_in(context.folder(), work_.to);
    work_.key = context.idempotency_key();
    work_.masker = &context.masker();
    if (!needs_note(work_.op)) return {};
    auto note = context.kept_file();
    if (!note) return std::unexpected(std::move(note.error()));
    work_.note = std::move(*note);
    return {};
  }

  FileWork work_;
};

FileWork read_work(const Json& params) {
  FileWork work;
  work.op = static_cast<FileOp>(std::ranges::find(kFileOps, params.at("op").get<std::string>()) - kFileOps.begin());
  work.path = params.at("path").get<std::string>();
  work.to = params.value("to", std::string{});
  if (const auto content = params.find("content"); content != params.end()) work.content = to_text(*content);
  if (const auto size = params.find("max_size"); size != params.end()) {
    work.max_size = parse_size(to_text(*size)).value_or(work.max_size);
  }
  work.parse = read_parse(params);
  return work;
}

}  // namespace

Result<void> check_file(const Json& literals) {
  for (const char* name : {"path", "to"}) {
    const auto path = literals.find(name);
    if (path == literals.end()) continue;
    const auto& text = path->get_ref<const std::string&>();
    if (text.empty()) return fail(fmt::format("'{}' is empty", name), "name a file");
    if (text.find('\0') != std::string::npos) return fail(fmt::format("'{}' holds a NUL byte", name));
  }
  return {};
}

Result<std::unique_ptr<model::Task>> make_file(Json params) {
  if (auto good = check_file(params); !good) return std::unexpected(std::move(good.error()));
  return std::make_unique<FileTask>(read_work(params));
}

}  // namespace canorun::tasks
