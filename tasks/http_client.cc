#include "tasks/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <cctype>
#include <charconv>
#include <memory>

#include "engine/base/blanks.h"
#include "engine/base/value.h"
#include "engine/model/task.h"
#include "tasks/http_curl.h"
#include "tasks/http_loop.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;

constexpr long kMaxRedirects = 10;
// A text of libcurl's that comes so near to its limit is one that was cut; newer versions end it with dots.
constexpr std::size_t kWholeText = CURL_ERROR_SIZE - 16;

/// One transfer: libcurl's handle and what its callbacks fill. Leaves the loop when it goes.
class Transfer {
 public:
  Transfer(HttpLoop& loop, const HttpRequest& request, const BodySink& sink)
      : curl_(*curl()), loop_(loop), request_(request), sink_(sink), easy_(curl_.easy_init()) {
    set_target();
    set_headers();
    set_content();
    set_callbacks();
  }
  ~Transfer() {
    loop_.remove(easy_);
    curl_.easy_cleanup(easy_);
    curl_.slist_free_all(headers_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return easy_; }

  Result<HttpResponse> result(CURLcode code) {
    if (refused_) return std::unexpected(std::move(*refused_));
    if (code == CURLE_OK || has_enough_) return std::move(response_);
    return fail(error_text_[0] != '\0' ? beginning(error_text_.data(), kWholeText) : curl_.easy_strerror(code));
  }

 private:
  void set_target() {
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");  // also of what a redirect names
    set(CURLOPT_FOLLOWLOCATION, request_.follow ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, kMaxRedirects);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // to end a transfer must not wait for its resolver thread
    // An attempt without a timeout still notices a peer that is gone.
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    if (!request_.ca_file.empty()) set(CURLOPT_CAINFO, request_.ca_file.c_str());
  }

  void set_headers() {
    for (const auto& [name, value] : request_.headers) {
      // `Name;` is how libcurl wants a header that is there and empty.
      append(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
    }
    if (sends_content() && !request_.body) append("Content-Type:");  // libcurl would call it a form
    append("Expect:");  // servers that do not know 100-continue would cost a second
    set(CURLOPT_HTTPHEADER, headers_);
  }

  // Also an empty body is announced with its length where servers ask for one.
  bool sends_content() const {
    return request_.body || request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH";
  }

  void append(const std::string& header) { headers_ = curl_.slist_append(headers_, header.c_str()); }

  void set_content() {
    const std::string& method = request_.method;
    if (sends_content()) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body ? request_.body->size() : 0));
      set(CURLOPT_POSTFIELDS, request_.body ? request_.body->c_str() : "");
      // A custom method would be kept on every redirect.
      if (method != "POST") set(CURLOPT_CUSTOMREQUEST, method.c_str());
    } else if (method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (method != "GET") {
      set(CURLOPT_CUSTOMREQUEST, method.c_str());
    }
  }

  void set_callbacks() {
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_.easy_setopt(easy_, option, value);
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    static_cast<Transfer*>(self)->take_header(std::string_view(data, size));
    return size;
  }

  // Each answer on the way, of a redirect or a `100 Continue`, begins with its status line.
  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      response_ = {};
      line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
      std::from_chars(line.data(), line.data() + line.size(), response_.status);
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(trimmed(line.substr(0, colon)));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto [entry, fresh] = response_.headers.try_emplace(std::move(name));
    if (!fresh) entry->second += ", ";
    entry->second += trimmed(line.substr(colon + 1));
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto taken = transfer.sink_(transfer.response_, std::string_view(data, size));
    if (taken && *taken == Appetite::kMore) return size;
    if (taken) {
      transfer.has_enough_ = true;
    } else {
      transfer.refused_ = std::move(taken.error());
    }
    return CURL_WRITEFUNC_ERROR;
  }

  const Curl& curl_;
  HttpLoop& loop_;
  const HttpRequest& request_;
  const BodySink& sink_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HttpResponse response_;
  bool has_enough_ = false;
  std::optional<Error> refused_;
};

}  // namespace

asio::awaitable<Result<HttpResponse>> fetch(const HttpRequest& request, const BodySink& sink) {
  if (!curl()) co_return std::unexpected(curl().error());
  const auto executor = co_await asio::this_coro::executor;
  auto& loop = asio::use_service<HttpLoop>(asio::query(executor, asio::execution::context));
  Transfer transfer(loop, request, sink);
  // Waits for nothing but being cancelled, by the end of the transfer or from outside.
  asio::steady_timer finished(executor, asio::steady_timer::time_point::max());
  std::optional<CURLcode> code;
  loop.add(transfer.handle(), [&](CURLcode ended) {
    code = ended;
    finished.cancel();
  });
  boost::system::error_code woken;
  co_await finished.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!code) model::cut_off();
  co_return transfer.result(*code);
}

Millis parse_retry_after(std::string_view value, WallTime now) {
  constexpr std::int64_t kYear = 365LL * 24 * 3600;
  const std::string text(trimmed(value));
  std::int64_t seconds = 0;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (number.ec == std::errc{} && number.ptr == text.data() + text.size()) {
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kYear));
  }
  if (!curl()) return Millis{0};
  const auto date = curl()->getdate(text.c_str(), nullptr);
  if (date < 0) return Millis{0};
  const Millis left = WallTime(std::chrono::seconds(date)) - now;
  return std::clamp<Millis>(left, Millis{0}, std::chrono::seconds(kYear));
}

}  // namespace canorun::tasks
