#include "tasks/http_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/duration.h"
#include "engine/base/percent.h"
#include "tasks/http.h"
#include "tasks/params.h"

namespace canorun::tasks {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string encoded_fields(const Json& fields) {
  std::string encoded;
  for (const auto& [name, value] : fields.items()) {
    if (!encoded.empty()) encoded += '&';
    encoded += fmt::format("{}={}", percent_encoded(name), percent_encoded(value.get_ref<const std::string&>()));
  }
  return encoded;
}

std::string with_query(std::string url, const Json& query) {
  if (query.empty()) return url;
  const auto fragment = std::min(url.find('#'), url.size());
  const auto mark = url.find('?');
  const bool open = url[fragment - 1] == '?' || url[fragment - 1] == '&';
  const std::string_view joint = mark >= fragment ? "?" : open ? "" : "&";
  return url.insert(fragment, fmt::format("{}{}", joint, encoded_fields(query)));
}

StatusRange read_range(const Json& entry) {
  if (entry.is_number_integer()) return {entry.get<int>(), entry.get<int>()};
  const auto& text = entry.get_ref<const std::string&>();
  const auto dash = text.find('-');
  const int from = std::stoi(text.substr(0, dash));
  return {from, dash == std::string::npos ? from : std::stoi(text.substr(dash + 1))};
}

// Sets the body; gives the content type it has unless the headers say otherwise.
std::string read_content(const Json& params, HttpRequest& request) {
  if (const auto json = params.find("json"); json != params.end()) {
    request.body = to_json_text(*json);
    return "application/json";
  }
  if (const auto form = params.find("form"); form != params.end()) {
    request.body = encoded_fields(*form);
    return "application/x-www-form-urlencoded";
  }
  if (const auto body = params.find("body"); body != params.end()) {
    request.body = body->get<std::string>();
    return "text/plain; charset=utf-8";
  }
  return {};
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

Result<void> check_headers(const Json& headers) {
  for (const auto& [name, value] : headers.items()) {
    if (!is_token(name)) return fail(fmt::format("'{}' cannot be the name of a header", name));
    const auto* text = value.get_ptr<const std::string*>();
    if (text != nullptr && text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return fail(fmt::format("header '{}' holds a line end", name));
    }
  }
  return {};
}

// There is no masker here: a secret that is all of the url, or goes over the end of its user, is not found in a part.
std::string shown(const std::string& url) {
  const bool has_user = without_user(url) != url;
  return has_user ? fmt::format("{}://***", to_utf8(url.substr(0, url.find("://")))) : to_utf8(url);
}

Result<void> check_url(const std::string& url) {
  const auto scheme = url.find("://");
  const bool known = scheme != std::string::npos && (same_name(std::string_view(url).substr(0, scheme), "http") ||
                                                     same_name(std::string_view(url).substr(0, scheme), "https"));
  if (!known) return fail(fmt::format("'{}' is no http:// or https:// url", shown(url)));
  const bool clean = std::ranges::none_of(url, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; });
  if (!clean) {
    return fail(fmt::format("url '{}' holds blanks or control characters", shown(url)), "encode them, or use `query`");
  }
  return {};
}

}  // namespace

bool has_header(const HttpRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [&](const auto& header) { return same_name(header.first, name); });
}

std::string without_user(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto host = scheme + 3;
  const auto path = std::min(url.find_first_of("/?#", host), url.size());
  const auto at = url.rfind('@', path);
  if (at == std::string::npos || at < host) return url;
  return fmt::format("{}***{}", std::string_view(url).substr(0, host), std::string_view(url).substr(at));
}

HttpSpec read_http_spec(const Json& params) {
  HttpSpec spec;
  HttpRequest& request = spec.request;
  request.url = with_query(params.at("url").get<std::string>(), params.value("query", Json::object()));
  request.headers = text_pairs(params, "headers");
  const std::string type = read_content(params, request);
  if (!type.empty() && !has_header(request, "Content-Type")) request.headers.emplace_back("Content-Type", type);
  if (!has_header(request, "User-Agent")) request.headers.emplace_back("User-Agent", "canorun/" CANORUN_VERSION);
  request.method = params.value("method", std::string(request.body ? "POST" : "GET"));
  request.follow = params.value("follow", true);
  request.ca_file = params.value("ca_file", std::string{});
  for (const Json& entry : params.value("expect", Json::array({"200-299"}))) spec.expect.push_back(read_range(entry));
  if (const auto size = params.find("max_body"); size != params.end()) {
    spec.max_body = parse_size(to_text(*size)).value_or(spec.max_body);
  }
  spec.save_to = params.value("save_to", std::string{});
  return spec;
}

Result<void> check_http(const Json& literals) {
  constexpr std::array kContents{"body", "form", "json"};
  const auto contents = std::ranges::count_if(kContents, [&](const char* name) { return literals.contains(name); });
  if (contents > 1) return fail("only one of `body`, `form` and `json` can be sent");
  if (contents == 1 && literals.value("method", std::string{}) == "HEAD") return fail("HEAD cannot send anything");
  if (const auto headers = literals.find("headers"); headers != literals.end()) {
    if (auto good = check_headers(*headers); !good) return good;
  }
  if (const auto url = literals.find("url"); url != literals.end()) return check_url(url->get<std::string>());
  return {};
}

}  // namespace canorun::tasks
