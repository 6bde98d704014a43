#include "engine/run/group.h"

#include <ranges>
#include <set>

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// A process that dies wakes nobody.
constexpr Millis kLookAgain{250};

}  // namespace

Result<std::string, model::RunError> group_of(RunContext& context) {
  const auto& concurrency = context.flow().concurrency;
  if (!concurrency) return std::string();
  const auto value = concurrency->group.evaluate(context.scope());
  if (!value) {
    auto error = expression_error("concurrency.group", value.error().message, value.error().hint);
    context.mask(error);
    return std::unexpected(std::move(error));
  }
  std::string group = to_text(*value);
  context.masker().mask(group);
  if (group.empty()) return std::unexpected(expression_error("concurrency.group", "the group has no name", {}));
  for (const RunContext* above = context.under().parent; above != nullptr; above = above->under().parent) {
    if (above->group() == group) return std::string();
  }
  context.set_group(group);
  return group;
}

bool queues(const model::Flow& flow) {
  if (!flow.concurrency) return false;
  switch (flow.concurrency->on_conflict) {
    case model::OnConflict::kQueue:
    case model::OnConflict::kCancelRunning: return true;
    case model::OnConflict::kReject:
    case model::OnConflict::kSkip: return false;
  }
  return false;
}

asio::awaitable<store::StoreResult<bool>> wait_for_group(RunContext& context, store::RunNumber run) {
  Runtime& runtime = context.runtime();
  // It may have none any more, with another definition.
  const auto& concurrency = context.flow().concurrency;
  const bool cancels = concurrency && concurrency->on_conflict == model::OnConflict::kCancelRunning;
  Turns& turns = *runtime.group_turns;
  const std::vector<std::string> queues{context.group()};
  Turns::Stand stand(turns, runtime.executor, turns.last_place(), queues);
  std::set<std::string> asked;
  std::string told;
  while (context.interrupt().reason() == Reason::kNone) {
    std::unique_ptr<Ringer> ringer;
    // Who stands behind another run of this process is told when that is gone.
    if (stand.is_first() || (cancels && asked.empty())) {
      auto before = runtime.store.before_in_group(run);
      if (!before) co_return std::unexpected(std::move(before.error()));
      if (before->empty()) co_return true;
      // The one that has the group last: as soon as it is gone the next one would begin.
      for (const std::string& id : *before | std::views::reverse) {
        if (!cancels || !asked.insert(id).second) continue;
        auto posted = runtime.store.post(id, store::Request::kGiveWay);
        if (!posted) co_return std::unexpected(std::move(posted.error()));
      }
      if (told != before->front()) {
        told = before->front();
        context.tell(model::Queued{context.group(), told, before->size()});
      }
      ringer = std::make_unique<Ringer>(runtime.executor, stand.bell(), kLookAgain);
    }
    co_await stand.bell().wait(context.interrupt());
  }
  co_return false;
}

}  // namespace canorun::run
