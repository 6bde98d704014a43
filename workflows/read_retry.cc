#include <fmt/format.h>

#include "workflows/keys.h"
#include "workflows/read.h"

namespace canorun::workflows {
namespace {

constexpr std::int64_t kMostRetries = 1'000'000;
constexpr std::array<std::string_view, 2> kBackoffs{"exponential", "fixed"};

template <class T, class U>
void assign(T& target, const std::optional<U>& value) {
  if (value) target = static_cast<T>(*value);
}

void read_max(Reader& reader, const Node& node, RetryDef& retry) {
  assign(retry.policy.max, reader.integer(node, "'max'", 0, kMostRetries));
}

constexpr std::array<Key<RetryDef>, 7> kRetryKeys{{
    {"max", [](Reader& r, const Entry& e, RetryDef& d) { read_max(r, *e.value, d); }, true},
    {"backoff",
     [](Reader& r, const Entry& e, RetryDef& d) { assign(d.policy.backoff, r.choice(*e.value, "'backoff'", kBackoffs)); }},
    {"delay", [](Reader& r, const Entry& e, RetryDef& d) { assign(d.policy.delay, r.duration(*e.value, "'delay'", Millis{0})); }},
    {"factor", [](Reader& r, const Entry& e, RetryDef& d) { assign(d.policy.factor, r.number(*e.value, "'factor'", 1, 1000)); }},
    {"cap", [](Reader& r, const Entry& e, RetryDef& d) { assign(d.policy.cap, r.duration(*e.value, "'cap'", Millis{0})); }},
    {"jitter", [](Reader& r, const Entry& e, RetryDef& d) { assign(d.policy.jitter, r.number(*e.value, "'jitter'", 0, 1)); }},
    {"when", [](Reader&, const Entry& e, RetryDef& d) { d.when = e.value; }},
}};

}  // namespace

std::optional<RetryDef> read_retry(Reader& reader, const Entry& entry) {
  RetryDef retry;
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kMap) {
    read_map(reader, node, *entry.key, "'retry'", kRetryKeys, retry);
  } else if (node.kind == NodeKind::kInt) {
    assign(retry.policy.max, reader.integer(node, "'retry'", 0, kMostRetries));
  } else if (!node.is_text() || node.text != "none") {
    if (!node.is_text() || reader.text(node, "'retry'")) {
      reader.wrong_type(node, "'retry'", "a count, none or a map", "for example 3, or {max: 3, delay: 1s}");
    }
  }
  return retry;
}

}  // namespace canorun::workflows
