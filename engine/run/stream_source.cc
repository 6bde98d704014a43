#include "engine/run/stream_source.h"

#include <fmt/format.h>

#include "engine/base/path.h"
#include "engine/run/file_lines.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// The byte of a file that a cursor says.
Result<std::uint64_t, model::Failure> place_of(const Json& cursor) {
  if (cursor.is_null()) return 0;
  if (cursor.is_number_integer() && (cursor.is_number_unsigned() || cursor.get<std::int64_t>() >= 0)) {
    return cursor.get<std::uint64_t>();
  }
  const std::string what = cursor.is_number() ? to_json_text(cursor) : std::string(type_name(cursor));
  return std::unexpected(
      bad_params("stream.cursor", {fmt::format("the cursor of a file is a byte of it, not {}", what)}));
}

}  // namespace

StreamSource::StreamSource(RunContext& context, const model::State& state, const model::StreamShape& stream,
                           std::function<void()> ready)
    : context_(context),
      stream_(stream),
      ready_(std::move(ready)),
      piece_{state,
             std::holds_alternative<model::Action>(stream.source) ? std::get<model::Action>(stream.source) : no_action_,
             context.interrupt(), "source"},
      view_(context.run(), piece_.state.name, piece_.part, nullptr),
      guards_(Guards::of(context, piece_)) {}

StreamSource::~StreamSource() = default;

asio::awaitable<std::optional<model::Failure>> StreamSource::open(const Json& cursor) {
  view_.attempt = ++attempt_;
  cursor_ = cursor;
  scope_ = context_.scope();
  slot(scope_, model::Slot::kAction) = expr::Value::object(view_);
  slot(scope_, model::Slot::kCursor) = expr::Value::view(cursor_);
  if (guards_) {
    auto refused = co_await guards_->enter();
    if (refused) co_return refused;
  }
  auto failure = start();
  if (failure && guards_) {
    const model::Outcome outcome = *failure;
    co_await guards_->leave(outcome);
  }
  co_return failure;
}

std::optional<model::Failure> StreamSource::start() {
  context_.tell(model::AttemptBegan{piece_.state.name, attempt_, piece_.action.retry.policy.attempts(), piece_.part});
  const auto* file = std::get_if<model::StreamShape::File>(&stream_.source);
  auto made = file != nullptr ? make(*file) : make(piece_.action);
  if (!made) return std::move(made.error());
  current_ = std::make_unique<Attempt>(context_, piece_, view_, environment_);
  if (auto failure = (*made)->start(*current_, ready_)) {
    current_.reset();
    return failure;
  }
  lines_ = std::move(*made);
  return std::nullopt;
}

Result<std::unique_ptr<model::LineSource>, model::Failure> StreamSource::make(const model::Action& action) {
  auto environment = make_environment(context_, action, scope_);
  if (!environment) return std::unexpected(std::move(environment.error()));
  environment_ = std::move(*environment);
  auto params = make_params(action, scope_);
  if (!params) return std::unexpected(std::move(params.error()));
  auto lines = action.kind->make_lines(std::move(*params));
  if (!lines) return std::unexpected(bad_params("parameters", lines.error()));
  return std::move(*lines);
}

Result<std::unique_ptr<model::LineSource>, model::Failure> StreamSource::make(const model::StreamShape::File& file) {
  const auto path = file.path.evaluate(scope_);
  if (!path) return std::unexpected(bad_params("stream.source", {path.error().message, path.error().hint}));
  const auto place = place_of(cursor_);
  if (!place) return std::unexpected(place.error());
  return std::make_unique<FileLines>(path_in(context_.flow().folder, to_text(*path)), *place, file.follow);
}

model::NextLine StreamSource::next() {
  model::NextLine next = lines_->next();
  if (auto* line = std::get_if<model::Line>(&next)) context_.masker().mask(line->bytes);
  return next;
}

asio::awaitable<void> StreamSource::end() {
  co_await close();
  if (guards_) guards_->give_back();
}

asio::awaitable<void> StreamSource::end(const model::Outcome& outcome) {
  co_await close();
  if (guards_) co_await guards_->leave(outcome);
}

asio::awaitable<void> StreamSource::kept() {
  if (guards_) co_await guards_->goes_well();
}

asio::awaitable<void> StreamSource::close() {
  if (!lines_) co_return;
  co_await deaf();
  co_await lines_->end();
  co_await calm();
  lines_.reset();
  current_.reset();
}

std::optional<Millis> StreamSource::failed(model::Failure& failure) {
  return after_failure(context_, piece_, guards_.get(), attempt_, scope_, failure);
}

}  // namespace canorun::run
