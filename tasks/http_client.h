// HTTP requests on the event loop. libcurl does the work; nothing of it shows here.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace canorun::tasks {

struct HttpRequest {
  std::string method;
  std::string url;  ///< http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  bool follow = true;   ///< redirects, ten at most; a POST becomes a GET where browsers do so
  std::string ca_file;  ///< empty: the system's certificates
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case, repeated ones joined by ", "
};

/// Whether the rest of the body is wanted. `kEnough` ends the transfer as if it was complete.
enum class Appetite : std::uint8_t { kMore, kEnough };

/// Takes a piece of the body of the answer (its head is complete, redirects are not shown). An error
/// ends the transfer and becomes its result.
using BodySink = std::function<Result<Appetite>(const HttpResponse& response, std::string_view bytes)>;

/// Sends a request and waits for the whole answer, whatever its status. Runs on an io_context; both
/// arguments must live until it has returned. Cancellation drops the connection and throws
/// `operation_aborted`.
boost::asio::awaitable<Result<HttpResponse>> fetch(const HttpRequest& request, const BodySink& sink);

/// How long a `Retry-After` value asks to wait, in seconds or until a date; 0 when it says neither.
Millis parse_retry_after(std::string_view value, WallTime now);

}  // namespace canorun::tasks
