#include <fmt/format.h>

#include <limits>

#include "engine/base/ids.h"
#include "workflows/keys.h"
#include "workflows/read.h"

namespace canorun::workflows {
namespace {

constexpr Millis kShortest{1};

void read_environment(Reader& reader, const Entry& entry, std::string_view what, std::vector<Entry>& env) {
  for (const Entry& variable : reader.entries(*entry.value, what, "a map of name to text")) {
    if (variable.key->text.empty() || variable.key->text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      reader.error(Code::kBadValue, *variable.key,
                   fmt::format("'{}' cannot be the name of an environment variable", variable.key->text));
    } else if (!variable.value->is_scalar() || variable.value->kind == NodeKind::kNull) {
      reader.wrong_type(*variable.value, fmt::format("'{}'", variable.key->text), "a text");
    } else {
      env.push_back(variable);
    }
  }
}

constexpr std::array<Key<DefaultsDef>, 4> kDefaultsKeys{{
    {"retry", [](Reader& r, const Entry& e, DefaultsDef& d) { d.retry = read_retry(r, e); }},
    {"timeout", [](Reader& r, const Entry& e, DefaultsDef& d) { d.timeout = r.duration(*e.value, "'timeout'", kShortest); }},
    {"env", [](Reader& r, const Entry& e, DefaultsDef& d) { read_environment(r, e, "'env'", d.env); }},
    {"cwd",
     [](Reader& r, const Entry& e, DefaultsDef& d) {
       if (e.value->is_scalar() && e.value->kind != NodeKind::kNull) {
         d.cwd = e.value;
       } else {
         r.wrong_type(*e.value, "'cwd'", "a text");
       }
     }},
}};

void read_name(Reader& reader, const Entry& entry, Definition& flow) {
  const auto name = reader.text(*entry.value, "'name'");
  if (!name) return;
  if (is_flow_name(*name)) {
    flow.name = *name;
  } else {
    reader.error(Code::kBadValue, *entry.value, fmt::format("'{}' cannot be the name of a flow", name->substr(0, 80)),
                 "a to z and 0 to 9, then also _ and -, at most 63");
  }
}

void read_vars(Reader& reader, const Entry& entry, Definition& flow) {
  for (const Entry& var : reader.entries(*entry.value, "'vars'", "a map of name to initial value")) {
    if (reader.name(*var.key, "a variable")) flow.vars.push_back(var);
  }
}

void read_states(Reader& reader, const Entry& entry, Definition& flow) {
  const auto states = reader.entries(*entry.value, "'states'", "a map of name to state");
  flow.states.reserve(states.size());
  // A state whose name is wrong is still one that others may go to.
  for (const Entry& state : states) {
    reader.name(*state.key, "a state");
    flow.states.push_back(read_state(reader, state));
  }
  if (states.empty() && entry.value->kind == NodeKind::kMap) {
    reader.error(Code::kNoExit, *entry.key, "a flow without states", "it needs at least one: 'done: {exit: success}'");
  }
}

constexpr std::array<Key<Definition>, 12> kFlowKeys{{
    {"name", read_name, true},
    {"version",
     [](Reader& r, const Entry& e, Definition& d) {
       if (const auto version = r.integer(*e.value, "'version'", 0, std::numeric_limits<std::int64_t>::max())) {
         d.version = static_cast<std::uint64_t>(*version);
       }
     }},
    {"description",
     [](Reader& r, const Entry& e, Definition& d) { d.description = r.text(*e.value, "'description'").value_or(""); }},
    {"start",
     [](Reader& r, const Entry& e, Definition& d) {
       if (r.text(*e.value, "'start'")) d.start = e.value;
     }},
    {"inputs",
     [](Reader& r, const Entry& e, Definition& d) {
       for (const Entry& input : r.entries(*e.value, "'inputs'", "a map of name to type")) read_input(r, input, d);
     }},
    {"vars", read_vars},
    {"env", [](Reader& r, const Entry& e, Definition& d) { read_environment(r, e, "'env'", d.env); }},
    {"timeout", [](Reader& r, const Entry& e, Definition& d) { d.timeout = r.duration(*e.value, "'timeout'", kShortest); }},
    {"max_transitions",
     [](Reader& r, const Entry& e, Definition& d) {
       if (const auto most = r.integer(*e.value, "'max_transitions'", 1, std::numeric_limits<std::int64_t>::max())) {
         d.max_transitions = static_cast<std::uint64_t>(*most);
       }
     }},
    {"defaults",
     [](Reader& r, const Entry& e, Definition& d) { read_map(r, *e.value, *e.key, "'defaults'", kDefaultsKeys, d.defaults); }},
    {"keep", [](Reader& r, const Entry& e, Definition& d) { d.keep = r.duration(*e.value, "'keep'", Millis{0}); }},
    {"states", read_states, true},
}};

}  // namespace

Definition read_flow(Reader& reader) {
  Definition flow;
  read_map(reader, reader.document.root(), reader.document.root(), "a flow", kFlowKeys, flow);
  return flow;
}

}  // namespace canorun::workflows
