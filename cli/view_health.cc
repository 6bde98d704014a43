#include "cli/view_health.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/report.h"
#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

using Status = run::Health::Status;

constexpr std::size_t kMessage = 100;

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kNone: return "none";
    case Status::kHealthy: return "healthy";
    case Status::kUnhealthy: return "unhealthy";
  }
  return {};
}

std::string painted(Status status, const Style& style) {
  switch (status) {
    case Status::kNone: return style.dim(status_name(status));
    case Status::kHealthy: return style.good(status_name(status));
    case Status::kUnhealthy: return style.bad(status_name(status));
  }
  return {};
}

}  // namespace

bool is_healthy(const std::vector<run::Health>& services) {
  return std::ranges::none_of(services, [](const run::Health& health) { return health.status == Status::kUnhealthy; });
}

std::string health_text(const std::vector<run::Health>& services, const Style& style) {
  Table table;
  table.row(
      {{"SERVICE", style.dim("SERVICE")}, {"HEALTH", style.dim("HEALTH")}, {"TIME", style.dim("TIME"), true}, {}});
  for (const run::Health& health : services) {
    table.row({{health.service},
               {std::string(status_name(health.status)), painted(health.status, style)},
               {health.status == Status::kNone ? std::string() : human_duration(health.duration), {}, true},
               {health.error ? one_line(health.error->message, kMessage) : std::string()}});
  }
  return table.text();
}

std::string health_report(const std::vector<run::Health>& services, const Style& style) {
  std::string out;
  for (const run::Health& health : services) {
    if (!health.error) continue;
    const model::RunError& error = *health.error;
    const std::string after = error.attempts > 1 ? fmt::format(" after {} attempts", error.attempts) : std::string();
    out += style.error("error:") +
           fmt::format(" service '{}' is unhealthy{}: {}\n", health.service, after, printable(error.message));
    out += tail_text(error.kind, error.stderr_tail, style);
  }
  return out;
}

Json health_json(std::string_view flow, const std::vector<run::Health>& services) {
  Json all = Json::array();
  for (const run::Health& health : services) {
    const bool asked = health.status != Status::kNone;
    Json& added = all.emplace_back(Json{{"name", health.service},
                                        {"status", status_name(health.status)},
                                        {"duration_ms", asked ? Json(health.duration.count()) : Json()}});
    if (health.error) added["error"] = health.error->to_json();
  }
  return {{"flow", flow}, {"healthy", is_healthy(services)}, {"services", std::move(all)}};
}

}  // namespace canorun::cli
