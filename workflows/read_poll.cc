#include <fmt/format.h>

#include <algorithm>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

/// Delays grow up to this, unless they begin above it or a cap is given.
constexpr Millis kCap{60'000};

constexpr std::array kBackoffKeys{
    key<policy::Retry>(
        "delay", "Before the second ask.", accept::Duration{kShortest},
        [](policy::Retry& d, Millis delay) { d.delay = delay; }, kRequired),
    key<policy::Retry>("factor", "Each next delay is so many times as long. 2 is the default.", kFactors,
                       [](policy::Retry& d, double factor) { d.factor = factor; }),
    key<policy::Retry>("cap", "No delay is longer than this. 1m is the default, or `delay` where that is longer.",
                       accept::Duration{kShortest}, [](policy::Retry& d, Millis cap) { d.cap = cap; }),
    key<policy::Retry>("jitter", "The part of a delay that chance adds or takes. 0.1 is the default.", kShares,
                       [](policy::Retry& d, double jitter) { d.jitter = jitter; }),
};

constexpr std::array kPollKeys{
    key<PollDef>(
        "do", "The action that asks.", accept::Action{},
        [](PollDef& d, ActionDef action) { d.ask = std::move(action); }, kRequired),
    key<PollDef>(
        "until", "An expression over the answer, `output`: true ends the state.", accept::Expression{},
        [](PollDef& d, const Node& until) { d.until = &until; }, kRequired),
    key<PollDef>("every", "The delay between an answer and the next ask.", accept::Duration{kShortest},
                 [](PollDef& d, Millis every) {
                   d.every = {.backoff = policy::Backoff::kFixed, .delay = every, .cap = every, .jitter = 0};
                 }),
    key<PollDef>("backoff", "Delays that grow, in place of `every`.", accept::Backoff{},
                 [](PollDef& d, policy::Retry backoff) { d.every = backoff; }),
    key<PollDef>("max_errors", "So many asks in a row may fail. 0 is the default.", accept::Integer{0},
                 [](PollDef& d, std::int64_t most) { d.max_errors = count32(most); }),
};

}  // namespace

std::optional<PollDef> read_value(Reader& reader, const Entry& entry, accept::Poll) {
  PollDef poll;
  const Node& node = *entry.value;
  const MapRead read = read_map(reader, node, *entry.key, "'poll'", kPollKeys, poll);
  if (!read) return poll;
  if (!read.has("every") && !read.has("backoff")) {
    reader.error(Code::kMissingKey, *entry.key, "'poll' needs 'every' or 'backoff'", "for example 'every: 5s'");
  } else if (read.has("every") && read.has("backoff")) {
    reader.error(Code::kBadValue, node, "a poll has either one delay, 'every', or a 'backoff'",
                 "leave one of them out");
  }
  return poll;
}

std::optional<policy::Retry> read_value(Reader& reader, const Entry& entry, accept::Backoff) {
  policy::Retry backoff{.cap = kCap};
  const MapRead read = read_map(reader, *entry.value, *entry.key, quoted(entry), kBackoffKeys, backoff);
  if (read && !read.has("cap")) backoff.cap = std::max(backoff.cap, backoff.delay);
  return backoff;
}

std::vector<KeyInfo> poll_keys() { return infos(kPollKeys); }
std::vector<KeyInfo> backoff_keys() { return infos(kBackoffKeys); }

}  // namespace canorun::workflows
