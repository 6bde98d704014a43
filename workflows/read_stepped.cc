#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr std::array kSteppedKeys{
    key<SteppedDef>("initial", "The cursor of the first step. null is the default.", accept::Value{},
                    [](SteppedDef& d, const Node& initial) { d.initial = &initial; }),
    key<SteppedDef>(
        "do", "The action of a step, with `cursor` and `step` in scope.", accept::Action{},
        [](SteppedDef& d, ActionDef action) { d.step = std::move(action); }, kRequired),
    key<SteppedDef>(
        "cursor", "An expression over the step's result, `output`: the next cursor. null ends the loop.",
        accept::Expression{}, [](SteppedDef& d, const Node& cursor) { d.cursor = &cursor; }, kRequired),
};

}  // namespace

std::optional<SteppedDef> read_value(Reader& reader, const Entry& entry, accept::Stepped) {
  SteppedDef stepped;
  read_map(reader, *entry.value, *entry.key, "'stepped'", kSteppedKeys, stepped);
  return stepped;
}

std::vector<KeyInfo> stepped_keys() { return infos(kSteppedKeys); }

}  // namespace canorun::workflows
