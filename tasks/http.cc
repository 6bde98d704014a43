#include "tasks/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/base/duration.h"
#include "engine/base/path.h"
#include "engine/model/task.h"
#include "tasks/capture.h"
#include "tasks/http_client.h"
#include "tasks/http_spec.h"
#include "tasks/save_file.h"

namespace canorun::tasks {
namespace {

using model::TaskContext;

/// How much of an unexpected answer is kept to be shown.
constexpr std::size_t kPreview = 4096;

bool is_json(const HttpResponse& response) {
  const auto found = response.headers.find("content-type");
  if (found == response.headers.end()) return false;
  std::string type = found->second.substr(0, found->second.find_first_of("; ,"));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

// Servers that call a plain text JSON are met every day: what cannot be parsed stays text.
Json read_body(const HttpResponse& response, const std::string& body) {
  if (is_json(response)) {
    if (body.empty()) return nullptr;
    if (auto parsed = parse_json(body)) return std::move(*parsed);
  }
  return to_utf8(body);
}

/// Where the body of one answer goes: into memory, masked, or into a file, as it is; what was not expected is only
/// looked at.
class Answer {
 public:
  Answer(const HttpSpec& spec, TaskContext& context)
      : spec_(spec), save_to_(path_in(context.folder(), spec.save_to)), masked_(context.masker()) {
    if (!spec.save_to.empty()) file_.emplace(save_to_, context.idempotency_key());
  }

  bool expected(int status) const {
    return std::ranges::any_of(spec_.expect,
                               [&](StatusRange range) { return range.from <= status && status <= range.to; });
  }

  Result<Appetite> take(const HttpResponse& response, std::string_view bytes) {
    if (!expected(response.status)) {
      body_.append(masked_.take(bytes));
      return body_.size() < kPreview ? Appetite::kMore : Appetite::kEnough;
    }
    size_ += bytes.size();
    if (size_ > spec_.max_body) {
      return fail(fmt::format("the answer is larger than {}", human_size(spec_.max_body)), "raise `max_body`");
    }
    if (!file_) {
      body_.append(masked_.take(bytes));
    } else if (auto written = file_->write(bytes); !written) {
      return not_saved(std::move(written.error()));
    }
    return Appetite::kMore;
  }

  /// The output of an answer that was expected.
  Result<Json> finish(const HttpResponse& response, Millis duration) {
    body_.append(masked_.finish());
    if (file_) {
      if (auto saved = file_->commit(); !saved) return not_saved(std::move(saved.error()));
    }
    Json headers = Json::object();
    for (const auto& [name, value] : response.headers) headers[to_utf8(name)] = to_utf8(value);
    return Json{{"status", response.status},
                {"headers", std::move(headers)},
                {"body", file_ ? Json() : read_body(response, body_)},
                {"duration_ms", duration.count()}};
  }

  /// Of one that was not.
  std::string_view preview() {
    body_.append(masked_.finish());
    return std::string_view(body_).substr(0, kPreview);
  }

 private:
  std::unexpected<Error> not_saved(Error error) const {
    return fail(fmt::format("cannot save to {}: {}", save_to_, error.message), std::move(error.hint));
  }

  const HttpSpec& spec_;
  std::string save_to_;
  std::uint64_t size_ = 0;
  MaskedStream masked_;
  std::string body_;
  std::optional<SaveFile> file_;
};

class HttpTask final : public model::Task {
 public:
  explicit HttpTask(HttpSpec spec) : spec_(std::move(spec)) {}

  boost::asio::awaitable<model::Outcome> run(TaskContext& context) override {
    complete_request(context);
    shown_ = spec_.request.url;
    context.masker().mask(shown_);
    shown_ = without_user(shown_);
    const SteadyTime began = context.clock().steady();
    Answer answer(spec_, context);
    const BodySink sink = [&answer](const HttpResponse& response, std::string_view bytes) {
      return answer.take(response, bytes);
    };
    const auto response = co_await fetch(spec_.request, sink);
    if (!response) co_return failed(response.error());
    if (!answer.expected(response->status)) co_return unexpected(*response, answer, context.clock().now());
    auto output = answer.finish(*response, std::chrono::duration_cast<Millis>(context.clock().steady() - began));
    if (!output) co_return failed(output.error());
    co_return model::Success{std::move(*output)};
  }

 private:
  void complete_request(const TaskContext& context) {
    HttpRequest& request = spec_.request;
    if (!request.ca_file.empty()) request.ca_file = path_in(context.folder(), request.ca_file);
    const bool changes = request.method == "POST" || request.method == "PATCH";
    if (changes && !has_header(request, "Idempotency-Key")) {
      request.headers.emplace_back("Idempotency-Key", context.idempotency_key());
    }
  }

  model::Failure failed(const Error& error) const {
    return model::task_failure({fmt::format("{} {}: {}", spec_.request.method, shown_, error.message), error.hint});
  }

  model::Failure unexpected(const HttpResponse& response, Answer& answer, WallTime now) const {
    auto failure = model::failure(model::kind::kHttpStatus, fmt::format("HTTP {} from {}", response.status, shown_));
    failure.error.stderr_tail = first_lines(answer.preview());
    if (const auto after = response.headers.find("retry-after"); after != response.headers.end()) {
      failure.error.retry_after = parse_retry_after(after->second, now);
    }
    return failure;
  }

  HttpSpec spec_;
  std::string shown_;  ///< the url for messages
};

}  // namespace

Result<std::unique_ptr<model::Task>> make_http(Json params) {
  if (auto good = check_http(params); !good) return std::unexpected(std::move(good.error()));
  return std::make_unique<HttpTask>(read_http_spec(params));
}

}  // namespace canorun::tasks
