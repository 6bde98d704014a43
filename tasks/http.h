// The kind `http`: one HTTP request and its answer.
#pragma once

#include <array>

#include "engine/model/task_kind.h"

namespace canorun::tasks {

Result<void> check_http(const Json& literals);
Result<std::unique_ptr<model::Task>> make_http(Json params);

inline constexpr std::array<std::string_view, 7> kHttpMethods{"GET",   "HEAD",   "POST",   "PUT",
                                                              "PATCH", "DELETE", "OPTIONS"};

inline constexpr std::array kHttpParams{
    model::Param{
        .name = "body", .type = model::ParamType::kString, .doc = "text to send; only one of `body`, `form`, `json`"},
    model::Param{.name = "ca_file",
                 .type = model::ParamType::kString,
                 .doc = "certificates to trust (PEM), from the flow file's folder; default: the system's"},
    model::Param{
        .name = "expect", .type = model::ParamType::kStatusList, .doc = "statuses that are success; default [200-299]"},
    model::Param{.name = "follow",
                 .type = model::ParamType::kBool,
                 .doc = "whether redirects are followed, ten at most; default true"},
    model::Param{.name = "form", .type = model::ParamType::kStringMap, .doc = "fields to send as a form"},
    model::Param{.name = "headers", .type = model::ParamType::kStringMap, .doc = "headers to send"},
    model::Param{.name = "json", .type = model::ParamType::kAny, .doc = "value to send as JSON"},
    model::Param{.name = "max_body",
                 .type = model::ParamType::kSize,
                 .doc = "the largest answer that is taken, also with `save_to`; default 10MiB"},
    model::Param{.name = "method",
                 .type = model::ParamType::kString,
                 .doc = "default GET, or POST when there is something to send",
                 .one_of = kHttpMethods},
    model::Param{.name = "query", .type = model::ParamType::kStringMap, .doc = "added to the url, encoded"},
    model::Param{.name = "save_to",
                 .type = model::ParamType::kString,
                 .doc = "file for the answer's body, from the flow file's folder; it appears whole or not at all"},
    model::Param{.name = "url", .type = model::ParamType::kString, .doc = "http:// or https://", .required = true},
};

inline constexpr std::array kHttpOutputs{
    model::Field{.name = "body",
                 .type = model::FieldType::kAny,
                 .doc = "a value when the answer is JSON, otherwise text; null with `save_to`"},
    model::Field{.name = "duration_ms", .type = model::FieldType::kInt, .doc = "how long request and answer took"},
    model::Field{.name = "headers",
                 .type = model::FieldType::kStringMap,
                 .doc = "names in lower case; repeated ones joined by a comma"},
    model::Field{.name = "status", .type = model::FieldType::kInt, .doc = "the HTTP status"},
};

inline constexpr model::TaskKind kHttp{
    .name = "http",
    .doc = "Sends one HTTP request. TLS certificates are verified. POST and PATCH carry an Idempotency-Key.",
    .params = kHttpParams,
    .outputs = kHttpOutputs,
    .example = R"(charge:
  task: http
  with:
    url: https://payments.example/charge
    json: {order: "${{ inputs.order_id }}"}
  retry: {max: 4, when: error.kind != 'http_status'}
  timeout: 5s
  next: done
)",
    .check = check_http,
    .make = make_http,
};

}  // namespace canorun::tasks
