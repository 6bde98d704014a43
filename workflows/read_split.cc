#include <fmt/format.h>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr accept::Integer kBranchCount{.least = 1, .code = Code::kImpossibleJoin};
/// Of kJoinWords.
constexpr std::array kWordKinds{policy::JoinKind::kAll, policy::JoinKind::kAny, policy::JoinKind::kPartialTimeout};

constexpr std::array kJoinKeys{
    key<JoinDef>("quorum", "So many branches must succeed.", kBranchCount,
                 [](JoinDef& d, std::int64_t count) {
                   d.join = {.kind = policy::JoinKind::kQuorum, .count = static_cast<std::uint64_t>(count)};
                 }),
    key<JoinDef>(
        "percentage", "This part of all branches must succeed.", accept::Percentage{.code = Code::kImpossibleJoin},
        [](JoinDef& d, policy::Share share) { d.join = {.kind = policy::JoinKind::kPercentage, .share = share}; }),
    key<JoinDef>("partial_results", "So many branches must end, either way.", kBranchCount,
                 [](JoinDef& d, std::int64_t count) {
                   d.join = {.kind = policy::JoinKind::kPartialResults, .count = static_cast<std::uint64_t>(count)};
                 }),
};

constexpr std::array kSplitKeys{
    key<SplitDef>("branches", "The branches by name, each an action.", accept::Branches{},
                  [](SplitDef& d, std::vector<SplitDef::Branch> branches) { d.branches = std::move(branches); }),
    key<SplitDef>("for_each", "An expression that gives a list: a branch for each of its elements.",
                  accept::Expression{}, [](SplitDef& d, const Node& list) { d.for_each = &list; }),
    key<SplitDef>("as", "What expressions call the element. item is the default.", accept::ItemName{},
                  [](SplitDef& d, std::string_view name) { d.as = name; }),
    key<SplitDef>("do", "The action for each element.", accept::UndoableAction{},
                  [](SplitDef& d, ActionDef action) { d.each = std::move(action); }),
    key<SplitDef>("join", "When the branches have done enough. all is the default.", accept::Join{},
                  [](SplitDef& d, JoinDef join) { d.join = join; }),
    key<SplitDef>("bulkhead", "How many branches may run at once. Without it all do.", kBranchCount,
                  [](SplitDef& d, std::int64_t most) { d.bulkhead = count32(most); }),
};

// With `branches` goes no element that something could be done for.
void refuse_beside_branches(Reader& reader, const Node& node) {
  for (const Entry& entry : node.map) {
    if (entry.key->text != "as" && entry.key->text != "do") continue;
    reader.error(Code::kUnknownKey, *entry.key, fmt::format("{} does not go with 'branches'", quoted(entry)),
                 "it goes with 'for_each'");
  }
}

}  // namespace

std::optional<SplitDef> read_value(Reader& reader, const Entry& entry, accept::Split) {
  SplitDef split;
  const Node& node = *entry.value;
  const MapRead read = read_map(reader, node, *entry.key, "'split'", kSplitKeys, split);
  if (!read) return split;
  if (read.has("branches") && read.has("for_each")) {
    reader.error(Code::kBadValue, node, "a split has either 'branches' or 'for_each'", "make two states of it");
  } else if (read.has("branches")) {
    refuse_beside_branches(reader, node);
  } else if (!read.has("for_each")) {
    reader.error(Code::kMissingKey, *entry.key, "'split' needs 'branches' or 'for_each'",
                 "for example {branches: {a: {run: ./a.sh}, b: {run: ./b.sh}}}");
  } else if (!read.has("do")) {
    reader.error(Code::kMissingKey, *entry.key, "'split' needs 'do'", "say what is done for each element");
  }
  return split;
}

std::optional<std::vector<SplitDef::Branch>> read_value(Reader& reader, const Entry& entry, accept::Branches) {
  std::vector<SplitDef::Branch> branches;
  for (const Entry& branch : reader.entries(*entry.value, quoted(entry), "a map of name to action")) {
    reader.name(*branch.key, "a branch");
    branches.push_back({branch.key, read_value(reader, branch, accept::UndoableAction{})});
  }
  if (branches.empty() && entry.value->kind == NodeKind::kMap) {
    reader.error(Code::kBadValue, *entry.value, "a split without branches", "it needs at least one");
  }
  return branches;
}

std::optional<JoinDef> read_value(Reader& reader, const Entry& entry, accept::Join) {
  JoinDef def;
  const Node& node = *entry.value;
  if (node.kind != NodeKind::kMap) {
    if (node.kind == NodeKind::kList || node.kind == NodeKind::kNull) {
      reader.wrong_type(node, "'join'", "a word or a map", "for example all, or {quorum: 2}");
      return std::nullopt;
    }
    const auto word = reader.read(accept::Choice{kJoinWords}, node, quoted(entry));
    if (!word) return std::nullopt;
    def = {.join = {.kind = kWordKinds[*word]}, .node = &node};
  } else if (read_map(reader, node, *entry.key, "'join'", kJoinKeys, def)) {
    if (node.map.size() == 1) {
      def.node = node.map.front().value;
    } else {
      reader.error(Code::kBadValue, node, "'join' has one condition", "for example {quorum: 2}");
    }
  }
  return def.node != nullptr ? std::optional(def) : std::nullopt;
}

void check_join(Reader& reader, const SplitDef& split, bool timed) {
  const auto& [join, node] = split.join;
  if (node == nullptr) return;
  if (join.kind == policy::JoinKind::kPartialTimeout && !timed) {
    reader.error(Code::kImpossibleJoin, *node, "the join is for when the time is up, and the state has no 'timeout'",
                 "give it one beside 'split'");
  } else if (auto problem = join.impossible(split.branches.size())) {
    reader.error(Code::kImpossibleJoin, *node, std::move(problem->message), std::move(problem->hint));
  }
}

std::vector<KeyInfo> split_keys() { return infos(kSplitKeys); }
std::vector<KeyInfo> join_keys() { return infos(kJoinKeys); }

}  // namespace canorun::workflows
