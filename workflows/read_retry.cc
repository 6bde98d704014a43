#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr accept::Integer kRetries{0, 1'000'000};
constexpr std::array<std::string_view, 2> kBackoffs{"exponential", "fixed"};

constexpr std::array kRetryKeys{
    key<RetryDef>(
        "max", "How many attempts there are after the first.", kRetries,
        [](RetryDef& d, std::int64_t max) { d.policy.max = static_cast<decltype(d.policy.max)>(max); }, kRequired),
    key<RetryDef>(
        "backoff", "How the delay changes. exponential is the default.", accept::Choice{kBackoffs},
        [](RetryDef& d, std::size_t word) { d.policy.backoff = static_cast<decltype(d.policy.backoff)>(word); }),
    key<RetryDef>("delay", "Before the first retry. 100ms is the default.", accept::Duration{},
                  [](RetryDef& d, Millis delay) { d.policy.delay = delay; }),
    key<RetryDef>("factor", "Each next delay is so many times as long. 2 is the default.", kFactors,
                  [](RetryDef& d, double factor) { d.policy.factor = factor; }),
    key<RetryDef>("cap", "No delay is longer than this. 30s is the default.", accept::Duration{},
                  [](RetryDef& d, Millis cap) { d.policy.cap = cap; }),
    key<RetryDef>("jitter", "The part of a delay that chance adds or takes. 0.1 is the default.", kShares,
                  [](RetryDef& d, double jitter) { d.policy.jitter = jitter; }),
    key<RetryDef>("when", "An expression over `error`, without ${{ }}: false means no further attempt.",
                  accept::Expression{}, [](RetryDef& d, const Node& when) { d.when = &when; }),
};

}  // namespace

std::optional<RetryDef> read_value(Reader& reader, const Entry& entry, accept::Retry) {
  RetryDef retry;
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kMap) {
    read_map(reader, node, *entry.key, "'retry'", kRetryKeys, retry);
  } else if (node.kind == NodeKind::kInt) {
    const auto max = reader.read(kRetries, node, quoted(entry));
    if (max) retry.policy.max = static_cast<decltype(retry.policy.max)>(*max);
  } else if (!node.is_text() || node.text != "none") {
    if (!node.is_text() || reader.read(accept::Text{}, node, quoted(entry))) {
      reader.wrong_type(node, "'retry'", "a count, none or a map", "for example 3, or {max: 3, delay: 1s}");
    }
  }
  return retry;
}

std::vector<KeyInfo> retry_keys() { return infos(kRetryKeys); }

}  // namespace canorun::workflows
