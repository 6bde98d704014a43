#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr std::array kBatchKeys{
    key<BatchDef>(
        "items", "An expression that gives a list.", accept::Expression{},
        [](BatchDef& d, const Node& items) { d.items = &items; }, kRequired),
    key<BatchDef>("as", "What expressions call the element. item is the default.", accept::ItemName{},
                  [](BatchDef& d, std::string_view name) { d.as = name; }),
    key<BatchDef>("concurrency", "How many items are worked on at once. 1 is the default.",
                  accept::Integer{.least = 1, .code = Code::kImpossibleJoin},
                  [](BatchDef& d, std::int64_t most) { d.concurrency = count32(most); }),
    key<BatchDef>(
        "do", "The action for each element.", accept::UndoableAction{},
        [](BatchDef& d, ActionDef action) { d.each = std::move(action); }, kRequired),
    key<BatchDef>("min_success", "The state fails when fewer of the items succeed. 100% is the default.",
                  accept::Percentage{.none_too = true},
                  [](BatchDef& d, policy::Share share) { d.min_success = share; }),
};

}  // namespace

std::optional<BatchDef> read_value(Reader& reader, const Entry& entry, accept::Batch) {
  BatchDef batch;
  read_map(reader, *entry.value, *entry.key, "'batch'", kBatchKeys, batch);
  return batch;
}

std::vector<KeyInfo> batch_keys() { return infos(kBatchKeys); }

}  // namespace canorun::workflows
