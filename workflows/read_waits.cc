#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr std::array kTimerKeys{
    key<TimerDef>("for", "A duration, from when the state is entered.", accept::DurationTemplate{},
                  [](TimerDef& d, const Node& duration) { d.wait_for = &duration; }),
    key<TimerDef>("until", "A time, like 2026-12-01T09:00:00+01:00.", accept::TimeTemplate{},
                  [](TimerDef& d, const Node& time) { d.until = &time; }),
};

constexpr std::array kWaitKeys{
    key<WaitDef>(
        "signal", "What `canorun signal` calls it.", accept::SignalName{},
        [](WaitDef& d, std::string_view signal) { d.signal = signal; }, kRequired),
    key<WaitDef>("type", "The type of the payload. any is the default.", accept::InputType{},
                 [](WaitDef& d, model::InputType type) { d.type = type; }),
};

}  // namespace

std::optional<TimerDef> read_value(Reader& reader, const Entry& entry, accept::Timer) {
  TimerDef timer;
  const Node& node = *entry.value;
  if (!read_map(reader, node, *entry.key, "'timer'", kTimerKeys, timer)) return TimerDef{};
  if (timer.wait_for != nullptr && timer.until != nullptr) {
    reader.error(Code::kBadValue, node, "a timer waits either 'for' a time or 'until' one", "leave one of them out");
    return TimerDef{};
  }
  if (node.map.empty()) {
    reader.error(Code::kMissingKey, *entry.key, "'timer' needs 'for' or 'until'", "for example {for: 30s}");
  }
  return timer;
}

std::optional<WaitDef> read_value(Reader& reader, const Entry& entry, accept::Wait) {
  WaitDef wait;
  read_map(reader, *entry.value, *entry.key, "'wait'", kWaitKeys, wait);
  return wait;
}

std::vector<KeyInfo> timer_keys() { return infos(kTimerKeys); }
std::vector<KeyInfo> wait_keys() { return infos(kWaitKeys); }

}  // namespace canorun::workflows
