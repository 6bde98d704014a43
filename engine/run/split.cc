// `split`: branches side by side, then a join.
#include <fmt/format.h>

#include <limits>

#include "engine/model/task.h"
#include "engine/run/parallel.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;
using policy::Verdict;

std::string_view join_name(policy::JoinKind kind) {
  switch (kind) {
    case policy::JoinKind::kAll: return "all";
    case policy::JoinKind::kAny: return "any";
    case policy::JoinKind::kQuorum: return "quorum";
    case policy::JoinKind::kPercentage: return "percentage";
    case policy::JoinKind::kPartialResults: return "partial_results";
    case policy::JoinKind::kPartialTimeout: return "partial_timeout";
  }
  return "";
}

model::Failure not_joined(const policy::Join& join, const policy::Tally& tally, const std::vector<EndedPart>& parts) {
  std::string message = tally.total == 0
                            ? fmt::format("the join '{}' cannot be satisfied: there is no branch", join_name(join.kind))
                            : fmt::format("the join '{}' can no longer be satisfied: {} of {} branches failed: {}",
                                          join_name(join.kind), tally.failed, tally.total, failed_parts(parts));
  return parts_failed(model::kind::kSplit, std::move(message), parts);
}

// The branches in the order of the file or of the list; of the current visit nothing is left.
Json output_of(const model::SplitShape& split, std::uint64_t total, std::vector<EndedPart>& parts) {
  PartOutputs outputs(parts);
  Json branches = split.for_each ? Json::array() : Json::object();
  for (std::uint64_t i = 0; i < total; ++i) {
    if (split.for_each) {
      branches.push_back(outputs.take(std::to_string(i)));
    } else {
      branches[split.branches[i].name] = outputs.take(split.branches[i].name);
    }
  }
  Json output{{"succeeded", outputs.succeeded()},
              {"failed", outputs.failed()},
              {"cancelled", total - outputs.succeeded() - outputs.failed()}};
  normalize(output);
  output["branches"] = std::move(branches);
  return output;
}

}  // namespace

asio::awaitable<Worked> work_split(RunContext& context, Journal& journal, const model::State& state) {
  const auto& split = std::get<model::SplitShape>(state.shape);
  Json items;
  if (split.for_each) {
    auto list = list_of(context, "split.for_each", *split.for_each);
    if (!list) co_return Worked{model::Failure{std::move(list.error())}, 1};
    items = std::move(*list);
  }
  policy::Tally tally{.total = split.for_each ? items.size() : split.branches.size()};
  if (const auto impossible = split.join.impossible(tally.total)) {
    co_return Worked{model::failure(model::kind::kSplit, fmt::format("{}: {}", impossible->message, impossible->hint)),
                     1};
  }
  Verdict verdict = split.join.judge(tally);
  const auto part = [&](std::uint64_t i) {
    return split.for_each ? Part{std::to_string(i), &*split.each, &items[i]}
                          : Part{split.branches[i].name, &split.branches[i].action};
  };
  const auto enough = [&](bool succeeded) {
    if (verdict != Verdict::kOpen) return true;
    ++(succeeded ? tally.succeeded : tally.failed);
    verdict = split.join.judge(tally);
    return verdict != Verdict::kOpen;
  };
  if (verdict == Verdict::kOpen) {
    const Parts parts{.total = tally.total,
                      .at_once = split.bulkhead.value_or(std::numeric_limits<std::uint32_t>::max()),
                      .branches = true,
                      .part = part,
                      .enough = enough};
    auto worked = co_await work_on_parts(context, journal, state, parts);
    if (!worked) co_return store_failed(std::move(worked.error()));
  }
  const Reason reason = context.interrupt().reason();
  if (reason == Reason::kDeadline) verdict = split.join.judge_late(tally);
  const bool late = reason == Reason::kDeadline && verdict == Verdict::kFailed;
  if (late || (reason != Reason::kNone && reason != Reason::kDeadline)) {
    model::cut_off();
  }
  std::vector<EndedPart>& ended = context.run().current->parts;
  if (verdict == Verdict::kFailed) co_return Worked{not_joined(split.join, tally, ended), 1};
  co_return Worked{model::Success{output_of(split, tally.total, ended)}, 1};
}

}  // namespace canorun::run
