// What runs share, as bytes. What they look like: FORMAT.md, "Shared state".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/store/shared.h"

namespace canorun::store {

struct StoredBreaker {
  policy::BreakerRule rule;
  policy::BreakerState state;
};

struct StoredLimit {
  policy::LimitRule rule;
  std::variant<policy::BucketState, policy::WindowState> state;  ///< of the rule's kind
};

/// Who stands in a queue.
struct QueuePlace {
  std::string owner;
  std::int64_t cost = 1;
};

std::string encode(const StoredBreaker& breaker);
std::string encode(const StoredLimit& limit);
std::string encode(const QueuePlace& place);

/// Any bytes may come in; none for those that nobody wrote, or a later canorun did.
std::optional<StoredBreaker> decode_breaker(std::string_view bytes);
std::optional<StoredLimit> decode_limit(std::string_view bytes);
std::optional<QueuePlace> decode_place(std::string_view bytes);

}  // namespace canorun::store
