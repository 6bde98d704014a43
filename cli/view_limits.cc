#include "cli/view_limits.h"

#include <fmt/format.h>

#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

struct Left {
  std::int64_t available = 0;
  Millis full_in{0};
};

Left left_of(const store::LimitRecord& limit, const store::Moment& now) {
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    const auto& state = std::get<policy::BucketState>(limit.state);
    return {policy::available(*bucket, state, now.steady),
            policy::time_until(*bucket, state, now.steady, bucket->capacity())};
  }
  const auto& window = std::get<policy::Window>(limit.rule);
  const auto& state = std::get<policy::WindowState>(limit.state);
  return {policy::available(window, state, now.wall), policy::time_until(window, state, now.wall, window.capacity())};
}

std::string rule_text(const policy::LimitRule& rule) {
  if (const auto* window = std::get_if<policy::Window>(&rule)) {
    return fmt::format("{} in {}", window->limit, format_duration(window->window));
  }
  const auto& bucket = std::get<policy::Bucket>(rule);
  std::string text = fmt::format("{} per {}", bucket.tokens, format_duration(bucket.per));
  if (bucket.burst > 0) text += fmt::format(", burst {}", bucket.burst);
  return text;
}

std::string when_text(const policy::LimitRule& rule, Millis full_in) {
  if (full_in == Millis{0}) return {};
  const bool is_window = std::holds_alternative<policy::Window>(rule);
  return fmt::format("{} in {}", is_window ? "resets" : "full", human_duration(full_in));
}

}  // namespace

std::string limits_text(const std::vector<store::LimitRecord>& limits, store::Moment now, const Style& style) {
  Table table;
  const auto head = [&](std::string text, bool right = false) {
    std::string painted = style.dim(text);
    return Table::Cell{std::move(text), std::move(painted), right};
  };
  table.row({head("NAME"), head("ALLOWS"), head("AVAILABLE", true), head("WAITING", true), {}});
  for (const store::LimitRecord& limit : limits) {
    const Left left = left_of(limit, now);
    std::string available = fmt::format("{} of {}", left.available, policy::capacity(limit.rule));
    std::string painted = left.available == 0 ? style.pending(available) : std::string();
    table.row({{limit.key},
               {rule_text(limit.rule)},
               {std::move(available), std::move(painted), true},
               {std::to_string(limit.waiting), {}, true},
               {when_text(limit.rule, left.full_in)}});
  }
  return table.text();
}

Json to_json(const store::LimitRecord& limit, store::Moment now) {
  const Left left = left_of(limit, now);
  const std::string_view run = store::owner_run(limit.key);
  Json out{{"name", store::plain_name(limit.key)},
           {"run", run.empty() ? Json() : Json(run)},
           {"capacity", policy::capacity(limit.rule)},
           {"available", left.available},
           {"waiting", limit.waiting},
           {"full_at", left.full_in > Millis{0} ? Json(format_time(now.wall + left.full_in)) : Json()},
           {"full_in_ms", left.full_in > Millis{0} ? Json(left.full_in.count()) : Json()}};
  if (const auto* bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    out.update(
        {{"kind", "bucket"}, {"tokens", bucket->tokens}, {"per_ms", bucket->per.count()}, {"burst", bucket->burst}});
  } else {
    const auto& window = std::get<policy::Window>(limit.rule);
    out.update({{"kind", "window"}, {"limit", window.limit}, {"window_ms", window.window.count()}});
  }
  return out;
}

}  // namespace canorun::cli
