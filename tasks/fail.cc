#include "tasks/fail.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/model/task.h"

namespace canorun::tasks {
namespace {

class FailTask final : public model::Task {
 public:
  explicit FailTask(model::Failure failure) : failure_(std::move(failure)) {}

  boost::asio::awaitable<model::Outcome> run(model::TaskContext&) override { co_return std::move(failure_); }

 private:
  model::Failure failure_;
};

bool is_error_kind(std::string_view text) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto rest = [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && lower(text[0]) && std::ranges::all_of(text, rest);
}

}  // namespace

Result<void> check_fail(const Json& literals) {
  const auto kind = literals.value("kind", std::string(model::kind::kTask));
  if (!is_error_kind(kind)) {
    return fail(fmt::format("'{}' cannot be an error's kind", kind),
                "a lower-case letter, then lower-case letters, digits and _");
  }
  if (model::is_final(kind)) return fail(fmt::format("only the engine fails with '{}'", kind), "choose another name");
  return {};
}

Result<std::unique_ptr<model::Task>> make_fail(Json params) {
  if (auto good = check_fail(params); !good) return std::unexpected(std::move(good.error()));
  return std::make_unique<FailTask>(
      model::failure(params.value("kind", std::string(model::kind::kTask)), params.at("message").get<std::string>()));
}

}  // namespace canorun::tasks
