// What an `http` task is asked to do: its parameters, read and checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "tasks/http_client.h"

namespace canorun::tasks {

struct StatusRange {
  int from;
  int to;
};

/// A request and what is expected of its answer.
struct HttpSpec {
  HttpRequest request;
  std::vector<StatusRange> expect;
  std::uint64_t max_body = std::uint64_t{10} << 20;
  std::string save_to;  ///< empty: the body goes into the output
};

/// Reads checked parameters; paths stay as they were written.
HttpSpec read_http_spec(const Json& params);

/// Names of headers are the same in any case.
bool has_header(const HttpRequest& request, std::string_view name);

/// The url for messages: without user and password. A secret is masked before: it may be all of the url.
std::string without_user(const std::string& url);

}  // namespace canorun::tasks
