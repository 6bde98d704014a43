#include "engine/store/row_effects.h"

namespace canorun::store {

std::uint64_t gap_before(const Row& row) {
  const auto* window = std::get_if<WindowEnded>(&row.body);
  return window != nullptr ? window->replaces : 0;
}

bool replace_rightly(const std::vector<Row>& rows, const Row* before) {
  for (const Row& row : rows) {
    const auto* window = std::get_if<WindowEnded>(&row.body);
    if (window != nullptr && window->replaces > 0) {
      const auto* earlier = before != nullptr ? std::get_if<WindowEnded>(&before->body) : nullptr;
      if (earlier == nullptr || earlier->state != window->state || earlier->visit != window->visit) return false;
      if (earlier->replaces + 1 != window->replaces) return false;
    }
    before = &row;
  }
  return true;
}

std::vector<std::string_view> texts_of(const Row& row) {
  std::vector<std::string_view> digests;
  const auto refer = [&](std::string_view digest, const Flows& flows) {
    digests.push_back(digest);
    for (const auto& [path, text] : flows) digests.push_back(text);
  };
  if (const auto* started = std::get_if<RunStarted>(&row.body)) refer(started->digest, started->flows);
  if (const auto* resumed = std::get_if<RunResumed>(&row.body); resumed != nullptr && resumed->digest) {
    refer(*resumed->digest, resumed->flows);
  }
  return digests;
}

std::optional<std::string> missing_text(const std::vector<Row>& rows,
                                        const std::function<bool(std::string_view)>& is_there) {
  for (const Row& row : rows) {
    for (const std::string_view digest : texts_of(row)) {
      if (!is_there(digest)) return std::string(digest);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> signal_of(const Row& row) {
  const auto* received = std::get_if<SignalReceived>(&row.body);
  return received != nullptr ? std::optional(received->number) : std::nullopt;
}

bool gives_up_ownership(const Row& row) {
  return std::holds_alternative<RunEnded>(row.body) || std::holds_alternative<RunSuspended>(row.body);
}

}  // namespace canorun::store
