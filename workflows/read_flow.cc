#include <fmt/format.h>

#include <limits>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr std::array kDefaultsKeys{
    key<DefaultsDef>("retry", "Attempts after one that failed.", accept::Retry{},
                     [](DefaultsDef& d, RetryDef retry) { d.retry = retry; }),
    key<DefaultsDef>("timeout", "How long one attempt may take.", accept::Duration{kShortest},
                     [](DefaultsDef& d, Millis timeout) { d.timeout = timeout; }),
    key<DefaultsDef>("env", "Environment variables for every command.", accept::Environment{},
                     [](DefaultsDef& d, std::vector<Entry> env) { d.env = std::move(env); }),
    key<DefaultsDef>("cwd", "The folder that commands run in, from the flow file's folder.", accept::TextTemplate{},
                     [](DefaultsDef& d, const Node& cwd) { d.cwd = &cwd; }),
};

constexpr std::array kConcurrencyKeys{
    key<ConcurrencyDef>(
        "group", "The group's name, over `inputs`, `env` and `run`: one run of a group works at a time.",
        accept::TextTemplate{}, [](ConcurrencyDef& d, const Node& group) { d.group = &group; }, kRequired),
    key<ConcurrencyDef>(
        "on_conflict", "What a run does whose group another one holds. reject is the default.",
        accept::Choice{kOnConflictWords},
        [](ConcurrencyDef& d, std::size_t word) { d.on_conflict = static_cast<model::OnConflict>(word); }),
};

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

constexpr std::array kFlowKeys{
    key<Definition>(
        "name", "The flow's name: a-z, 0-9, _ and -, at most 63.", accept::FlowName{},
        [](Definition& d, std::string_view name) { d.name = name; }, kRequired),
    key<Definition>("version",
                    "Is written into every row of a run; no run is resumed with another version. 0 is the default.",
                    accept::Integer{0, kLargest},
                    [](Definition& d, std::int64_t version) { d.version = static_cast<std::uint64_t>(version); }),
    key<Definition>("description", "What the flow is for.", accept::Text{},
                    [](Definition& d, std::string_view text) { d.description = text; }),
    key<Definition>("start", "The state that a run begins in. The first one is the default.", accept::StateName{},
                    [](Definition& d, const Node& name) { d.start = &name; }),
    key<Definition>("inputs", "What a run is given.", accept::Inputs{},
                    [](Definition& d, std::vector<model::Input> inputs) { d.inputs = std::move(inputs); }),
    key<Definition>("vars", "The run's variables, with their initial values. `set` changes them.", accept::Variables{},
                    [](Definition& d, std::vector<Entry> vars) { d.vars = std::move(vars); }),
    key<Definition>("env", "Environment variables for every command of the flow.", accept::Environment{},
                    [](Definition& d, std::vector<Entry> env) { d.env = std::move(env); }),
    key<Definition>("timeout", "How long the whole run may take.", accept::Duration{kShortest},
                    [](Definition& d, Millis timeout) { d.timeout = timeout; }),
    key<Definition>("compensation_timeout", "How long a rollback of the run may take.", accept::Duration{kShortest},
                    [](Definition& d, Millis timeout) { d.compensation_timeout = timeout; }),
    key<Definition>("max_transitions", "A guard against going round for ever. 100000 is the default.",
                    accept::Integer{1, kLargest},
                    [](Definition& d, std::int64_t most) { d.max_transitions = static_cast<std::uint64_t>(most); }),
    key<Definition>("concurrency", "One run of a group at a time, in all processes that use the same store.",
                    accept::Concurrency{},
                    [](Definition& d, ConcurrencyDef concurrency) { d.concurrency = concurrency; }),
    key<Definition>("defaults", "What every action takes that does not set it itself.", accept::Defaults{},
                    [](Definition& d, DefaultsDef defaults) { d.defaults = std::move(defaults); }),
    key<Definition>("resources", "Breakers, rate limits and services.", accept::Resources{},
                    [](Definition& d, ResourcesDef resources) { d.resources = std::move(resources); }),
    key<Definition>("on_end", "Actions for when the run has its outcome, whatever it is. They change nothing of it.",
                    accept::OnEnd{},
                    [](Definition& d, std::vector<ActionDef> actions) { d.on_end = std::move(actions); }),
    key<Definition>("keep", "Ended runs of this flow may be deleted after this time.", accept::Duration{},
                    [](Definition& d, Millis keep) { d.keep = keep; }),
    key<Definition>(
        "states", "The states, by name. At least one is an exit.", accept::States{},
        [](Definition& d, std::vector<StateDef> states) { d.states = std::move(states); }, kRequired),
};

}  // namespace

Definition read_flow(Reader& reader) {
  Definition flow;
  read_map(reader, reader.document.root(), reader.document.root(), "a flow", kFlowKeys, flow);
  return flow;
}

std::optional<DefaultsDef> read_value(Reader& reader, const Entry& entry, accept::Defaults) {
  DefaultsDef defaults;
  read_map(reader, *entry.value, *entry.key, quoted(entry), kDefaultsKeys, defaults);
  return defaults;
}

std::optional<ConcurrencyDef> read_value(Reader& reader, const Entry& entry, accept::Concurrency) {
  ConcurrencyDef concurrency;
  if (entry.value->kind != NodeKind::kMap) {
    reader.wrong_type(*entry.value, quoted(entry), "a map", "for example {group: nightly}");
    return std::nullopt;
  }
  read_map(reader, *entry.value, *entry.key, quoted(entry), kConcurrencyKeys, concurrency);
  if (concurrency.group != nullptr && concurrency.group->text.empty()) {
    reader.error(Code::kBadValue, *concurrency.group, "'group' is empty", "give the group a name");
  }
  return concurrency;
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Environment) {
  // What is wrong with a name or a value is no reason to tell of each use of it.
  std::vector<Entry> env;
  for (const Entry& variable : reader.entries(*entry.value, quoted(entry), "a map of name to text")) {
    if (variable.key->text.empty() ||
        variable.key->text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      reader.error(Code::kBadValue, *variable.key,
                   fmt::format("'{}' cannot be the name of an environment variable", variable.key->text));
    } else {
      reader.read(accept::TextTemplate{}, *variable.value, quoted(variable));
    }
    env.push_back(variable);
  }
  return env;
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Variables) {
  // One whose name is wrong is still one that others may use.
  std::vector<Entry> vars;
  for (const Entry& var : reader.entries(*entry.value, quoted(entry), "a map of name to initial value")) {
    reader.name(*var.key, "a variable");
    vars.push_back(var);
  }
  return vars;
}

std::optional<std::vector<StateDef>> read_value(Reader& reader, const Entry& entry, accept::States) {
  const auto states = reader.entries(*entry.value, quoted(entry), "a map of name to state");
  std::vector<StateDef> read;
  read.reserve(states.size());
  // A state whose name is wrong is still one that others may go to.
  for (const Entry& state : states) {
    reader.name(*state.key, "a state");
    read.push_back(read_state(reader, state));
  }
  if (states.empty() && entry.value->kind == NodeKind::kMap) {
    reader.error(Code::kNoExit, *entry.key, "a flow without states", "it needs at least one: 'done: {exit: success}'");
  }
  return read;
}

std::vector<KeyInfo> flow_keys() { return infos(kFlowKeys); }
std::vector<KeyInfo> concurrency_keys() { return infos(kConcurrencyKeys); }
std::vector<KeyInfo> defaults_keys() { return infos(kDefaultsKeys); }

}  // namespace canorun::workflows
