#include "cli/view_plan.h"

#include <fmt/format.h>

#include "cli/secret_inputs.h"
#include "engine/base/duration.h"
#include "engine/model/scope.h"
#include "workflows/accept.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kValue = 200;

// As it was written in the flow file.
std::string source_of(const expr::Template& text) {
  std::string out;
  for (const auto& piece : text.pieces()) {
    if (piece.expression) {
      out += "${{ " + piece.expression->text() + " }}";
      continue;
    }
    std::string_view rest = piece.text;
    for (std::size_t at; (at = rest.find("${{")) != std::string_view::npos; rest.remove_prefix(at + 3)) {
      out += std::string(rest.substr(0, at)) + "$${{";
    }
    out += rest;
  }
  return out;
}

bool needs_only_inputs(const expr::Template& text) {
  for (const auto& piece : text.pieces()) {
    if (!piece.expression) continue;
    for (const expr::Reference& reference : piece.expression->references()) {
      if (reference.parts.front().name != "inputs") return false;
    }
  }
  return true;
}

std::string_view scope_of(bool of_run) { return of_run ? "run" : "shared"; }

Json breaker(const model::Breaker& breaker) {
  return {{"failure_threshold", breaker.rule.failure_threshold},
          {"reset_timeout", format_duration(breaker.rule.reset_timeout)},
          {"half_open_max_calls", breaker.rule.half_open_max_calls},
          {"scope", scope_of(breaker.of_run)}};
}

Json rate_limit(const model::RateLimit& limit) {
  Json out{{"on_limit", limit.fails ? "fail" : "wait"}, {"scope", scope_of(limit.of_run)}};
  if (const auto* const bucket = std::get_if<policy::Bucket>(&limit.rule)) {
    out.update({{"tokens", bucket->tokens}, {"per", format_duration(bucket->per)}, {"burst", bucket->burst}});
  } else {
    const auto& window = std::get<policy::Window>(limit.rule);
    out.update({{"limit", window.limit}, {"window", format_duration(window.window)}});
  }
  return out;
}

// Turns what a flow holds into what a person may see of it before it runs.
class Planner {
 public:
  Planner(const model::Flow& flow, const Json& inputs) : flow_(flow) {
    slot(scope_, model::Slot::kInputs) = expr::Value::view(inputs);
  }

  Json value(const expr::Template& text) const {
    if (needs_only_inputs(text)) {
      if (auto value = text.evaluate(scope_)) return std::move(*value);
    }
    return source_of(text);
  }

  Json value(const expr::Tree& tree) const {
    return tree.replace([this](const expr::Template& text) { return value(text); });
  }

  Json rules(const std::vector<model::Transition>& rules) const {
    Json out = Json::array();
    for (const model::Transition& rule : rules) {
      Json& added = out.emplace_back(Json{{"to", flow_.states[rule.to].name}});
      if (rule.when) added["when"] = rule.when->text();
    }
    return out;
  }

  Json state(const model::State& state) const {
    Json out = {{"name", state.name}};
    if (!state.description.empty()) out["description"] = state.description;
    std::visit([&](const auto& shape) { add(out, shape); }, state.shape);
    if (state.deadline) out["timeout"] = format_duration(*state.deadline);
    for (const model::Assignment& assignment : state.set)
      out["set"][flow_.vars[assignment.var].name] = value(assignment.value);
    if (!state.next.empty()) out["next"] = rules(state.next);
    if (!state.on_error.empty()) out["on_error"] = rules(state.on_error);
    return out;
  }

  Json concurrency() const {
    if (!flow_.concurrency) return {};
    const auto on_conflict = static_cast<std::size_t>(flow_.concurrency->on_conflict);
    return {{"group", value(flow_.concurrency->group)}, {"on_conflict", workflows::kOnConflictWords[on_conflict]}};
  }

  Json resources() const {
    Json out{{"breakers", Json::object()}, {"rate_limits", Json::object()}, {"services", Json::array()}};
    for (const model::Breaker& one : flow_.breakers) out["breakers"][one.name] = breaker(one);
    for (const model::RateLimit& one : flow_.rate_limits) out["rate_limits"][one.name] = rate_limit(one);
    for (const model::Service& one : flow_.services) {
      Json& service = out["services"].emplace_back(Json{{"name", one.name}});
      if (one.setup) service["setup"] = state(*one.setup);
      if (one.teardown) service["teardown"] = state(*one.teardown);
      if (one.health) service["health"] = state(*one.health);
    }
    return out;
  }

  Json on_end() const {
    Json out = Json::array();
    for (const model::EndAction& one : flow_.on_end) {
      Json& added = out.emplace_back(state(one.state));
      if (one.when) added["when"] = one.when->text();
    }
    return out;
  }

 private:
  Json action(const model::Action& action) const {
    Json out{{"kind", action.kind->name}};
    Json with = value(action.params);
    if (const auto script = with.find("script"); script != with.end() && script->is_string()) {
      *script = script_source(action, script->get<std::string>());
    }
    for (const auto& [name, text] : action.env) {
      if (!with.contains("env") || !with["env"].contains(name)) with["env"][name] = value(text);
    }
    if (!with.empty()) out["with"] = std::move(with);
    if (action.timeout) out["timeout"] = format_duration(*action.timeout);
    if (action.retry.policy.max > 0) out["retry"] = retry(action.retry);
    for (const model::Tier& tier : action.tiers) out["rate_limit"][flow_.rate_limits[tier.limit].name] = tier.cost;
    if (action.breaker) out["breaker"] = flow_.breakers[*action.breaker].name;
    if (action.compensation) out["compensate"] = compensation(*action.compensation);
    return out;
  }

  Json compensation(const model::Compensation& compensation) const {
    Json out = action(compensation.action);
    out["after"] = workflows::kAfterWords[compensation.from_start ? 1 : 0];
    return out;
  }

  void add(Json& out, const model::ActionShape& shape) const {
    out["shape"] = "task";
    out.update(action(shape.action));
  }
  void add(Json& out, const model::TimerShape& shape) const {
    out["shape"] = "timer";
    if (shape.wait_for) out["for"] = value(*shape.wait_for);
    if (shape.until) out["until"] = value(*shape.until);
  }
  void add(Json& out, const model::RouteShape&) const { out["shape"] = "route"; }
  void add(Json& out, const model::ExitShape& shape) const {
    out["shape"] = "exit";
    out["exit"] = workflows::kExitWords[static_cast<std::size_t>(shape.kind)];
    if (Json output = value(shape.output); !output.is_null()) out["output"] = std::move(output);
  }

  void add(Json& out, const model::SplitShape& shape) const {
    out["shape"] = "split";
    for (const auto& branch : shape.branches) out["branches"][branch.name] = action(branch.action);
    if (shape.for_each) out["for_each"] = shape.for_each->text();
    if (shape.each) out["do"] = action(*shape.each);
    out["join"] = join(shape.join);
    if (shape.bulkhead) out["bulkhead"] = *shape.bulkhead;
  }
  void add(Json& out, const model::BatchShape& shape) const {
    out["shape"] = "batch";
    out["items"] = shape.items.text();
    out["do"] = action(shape.each);
    out["concurrency"] = shape.concurrency;
    out["min_success"] = share(shape.min_success);
  }
  void add(Json& out, const model::PollShape& shape) const {
    out["shape"] = "poll";
    out["do"] = action(shape.ask);
    out["until"] = shape.until.text();
    out["every"] = format_duration(shape.every.delay);
    if (shape.every.backoff == policy::Backoff::kExponential) out["cap"] = format_duration(shape.every.cap);
    out["max_errors"] = shape.max_errors;
  }
  void add(Json& out, const model::SteppedShape& shape) const {
    out["shape"] = "stepped";
    out["initial"] = value(shape.initial);
    out["do"] = action(shape.step);
    out["cursor"] = shape.cursor.text();
  }
  void add(Json& out, const model::StreamShape& shape) const {
    out["shape"] = "stream";
    if (const auto* source = std::get_if<model::Action>(&shape.source)) {
      out["source"] = action(*source);
    } else {
      const auto& file = std::get<model::StreamShape::File>(shape.source);
      out["source"] = {{"file", value(file.path)}, {"follow", file.follow}};
    }
    if (shape.count) out["window"]["count"] = *shape.count;
    if (shape.every) out["window"]["every"] = format_duration(*shape.every);
    if (shape.each) out["each"] = action(*shape.each);
    out["flush"] = action(shape.flush);
    if (shape.cursor) out["cursor"] = shape.cursor->text();
    if (shape.stop_when) out["stop_when"] = shape.stop_when->text();
  }
  void add(Json& out, const model::WaitShape& shape) const {
    out["shape"] = "wait";
    out["signal"] = shape.signal;
    out["type"] = model::input_type_name(shape.type);
  }

  static std::string share(policy::Share share) {
    return fmt::format("{}%", static_cast<double>(share.hundredths) / 100);
  }

  static Json join(const policy::Join& join) {
    switch (join.kind) {
      case policy::JoinKind::kAll: return "all";
      case policy::JoinKind::kAny: return "any";
      case policy::JoinKind::kQuorum: return {{"quorum", join.count}};
      case policy::JoinKind::kPercentage: return {{"percentage", share(join.share)}};
      case policy::JoinKind::kPartialResults: return {{"partial_results", join.count}};
      case policy::JoinKind::kPartialTimeout: return "partial_timeout";
    }
    return {};
  }

  // A script refers to its values as ${CANORUN_V1}; a person knows them by what stands in the file.
  static std::string script_source(const model::Action& action, std::string script) {
    for (std::size_t i = action.script_values.size(); i > 0; --i) {
      const expr::Template* text = action.script_values[i - 1].as_template();
      if (text == nullptr) continue;
      const std::string reference = fmt::format("${{CANORUN_V{}}}", i);
      const std::string source = source_of(*text);
      for (std::size_t at = 0; (at = script.find(reference, at)) != std::string::npos; at += source.size()) {
        script.replace(at, reference.size(), source);
      }
    }
    return script;
  }

  static Json retry(const model::RetryRule& rule) {
    Json out = {
        {"max", rule.policy.max}, {"delay", format_duration(rule.policy.delay)}, {"jitter", rule.policy.jitter}};
    const bool grows = rule.policy.backoff == policy::Backoff::kExponential;
    out["backoff"] = grows ? "exponential" : "fixed";
    if (grows) {
      out["factor"] = rule.policy.factor;
      out["cap"] = format_duration(rule.policy.cap);
    }
    if (rule.when) out["when"] = rule.when->text();
    return out;
  }

  const model::Flow& flow_;
  model::Scope scope_;
};

// One state, for people: a table of what it has.
class StateText {
 public:
  explicit StateText(const Style& style) : style_(style) {}

  std::string render(const Json& state, bool is_start) {
    const std::string name = state["name"];
    std::string what = state.value("kind", state.value("shape", std::string()));
    if (state.contains("exit")) what += " " + state["exit"].get<std::string>();
    for (const char* key : {"when", "for_each", "items", "initial"}) {
      if (state.contains(key)) add(key, state[key]);
    }
    add_params(state, "");
    if (state.contains("branches")) {
      for (const auto& [branch, action] : state["branches"].items()) add_inner(branch, action);
    }
    for (const char* key : {"source", "each", "do", "flush"}) {
      if (state.contains(key)) add_inner(key, state[key]);
    }
    for (const char* key : {"join", "bulkhead", "concurrency", "min_success", "cursor", "window", "stop_when", "signal",
                            "type", "for", "until", "every", "max_errors", "timeout"}) {
      if (state.contains(key)) add(key, state[key]);
    }
    add_policies(state, "");
    add_compensation(state, "");
    if (state.contains("set")) {
      for (const auto& [var, value] : state["set"].items()) add("set " + var, value);
    }
    if (state.contains("output")) add("output", state["output"]);
    if (state.contains("on_error")) add_rules("on_error", state["on_error"]);
    if (state.contains("next")) add_rules("next", state["next"]);
    return fmt::format("\n{}  {}{}\n{}", style_.bold(name), what, is_start ? "  (start)" : "", table_.text("  "));
  }

 private:
  void add(const std::string& label, const Json& value) {
    std::string text = value.is_string() ? printable(value.get<std::string>()) : brief(value, kValue);
    while (text.ends_with('\n')) text.pop_back();
    std::string_view rest = text;
    for (bool first = true, more = true; more; first = false) {
      const auto end = rest.find('\n');
      more = end != std::string_view::npos;
      table_.row({{first ? label : ""}, {std::string(rest.substr(0, end))}});
      if (more) rest.remove_prefix(end + 1);
    }
  }

  void add_params(const Json& action, const std::string& before) {
    if (!action.contains("with")) return;
    for (const auto& [param, value] : action["with"].items()) add(before + param, value);
  }

  // An action inside a state.
  void add_inner(const std::string& label, const Json& action, const std::string& before = "") {
    if (!action.contains("kind")) return add(label, action);
    const bool from_start = action.value("after", "") == "start";
    add(before + label, action["kind"].get<std::string>() + (from_start ? ", owed from the start" : ""));
    add_params(action, before + "  ");
    if (action.contains("timeout")) add(before + "  timeout", action["timeout"]);
    add_policies(action, before + "  ");
    add_compensation(action, before + "  ");
  }

  void add_compensation(const Json& action, const std::string& before) {
    if (action.contains("compensate")) add_inner("undone by", action["compensate"], before);
  }

  void add_policies(const Json& action, const std::string& before) {
    if (action.contains("retry")) add(before + "retry", retry_text(action["retry"]));
    if (action.contains("rate_limit")) add(before + "rate_limit", limits_text(action["rate_limit"]));
    if (action.contains("breaker")) add(before + "breaker", action["breaker"]);
  }

  static std::string limits_text(const Json& limits) {
    std::string out;
    for (const auto& [name, cost] : limits.items()) {
      out += out.empty() ? name : ", " + name;
      if (cost != 1) out += " × " + cost.dump();
    }
    return out;
  }

  void add_rules(const std::string& label, const Json& rules) {
    for (const Json& rule : rules) {
      std::string text = rule["to"];
      const bool is_first = &rule == &rules.front();
      if (rule.contains("when")) {
        text += " when " + one_line(rule["when"].get<std::string>(), kValue);
      } else if (!is_first) {
        text += " otherwise";
      }
      add(is_first ? label : "", text);
    }
  }

  static std::string retry_text(const Json& retry) {
    const auto text = [&](const char* key) { return retry[key].get<std::string>(); };
    std::string out =
        fmt::format("{}, {} after the first failure", counted(retry["max"].get<std::size_t>(), "time"), text("delay"));
    out += retry.contains("cap") ? fmt::format(", then × {} up to {}", retry["factor"].dump(), text("cap"))
                                 : ", each time the same";
    if (retry.contains("when")) out += ", when " + one_line(text("when"), kValue);
    return out;
  }

  const Style& style_;
  Table table_;
};

void add_values(Table& table, const std::string& label, const Json& values) {
  bool first = true;
  for (const auto& [name, value] : values.items()) {
    table.row({{first ? label : ""}, {name + " = " + brief(value, kValue)}});
    first = false;
  }
}

}  // namespace

Json plan_json(const model::Flow& flow, const Json& inputs) {
  const Json shown = hidden(flow, inputs);
  const Planner planner(flow, shown);
  Json vars = Json::object();
  for (const model::Var& var : flow.vars) vars[var.name] = planner.value(var.initial);
  Json env = Json::object();
  for (const auto& [name, text] : flow.env) env[name] = planner.value(text);
  Json states = Json::array();
  for (const model::State& state : flow.states) states.push_back(planner.state(state));
  return {
      {"flow", flow.name},
      {"version", flow.version},
      {"file", flow.file},
      {"start", flow.states[flow.start].name},
      {"timeout", flow.timeout ? Json(format_duration(*flow.timeout)) : Json()},
      {"compensation_timeout", flow.compensation_timeout ? Json(format_duration(*flow.compensation_timeout)) : Json()},
      {"inputs", shown},
      {"vars", std::move(vars)},
      {"env", std::move(env)},
      {"concurrency", planner.concurrency()},
      {"resources", planner.resources()},
      {"states", std::move(states)},
      {"on_end", planner.on_end()}};
}

std::string plan_text(const model::Flow& flow, const Json& inputs, const Style& style) {
  const Json plan = plan_json(flow, inputs);
  std::string out = fmt::format("{} version {}, {}: nothing was run\n", style.bold(flow.name), flow.version,
                                counted(flow.states.size(), "state"));
  Table about;
  if (!flow.file.empty()) about.row({{"file"}, {printable(flow.file)}});
  if (flow.timeout) about.row({{"timeout"}, {format_duration(*flow.timeout)}});
  if (flow.compensation_timeout) about.row({{"compensation_timeout"}, {format_duration(*flow.compensation_timeout)}});
  add_values(about, "inputs", plan["inputs"]);
  add_values(about, "vars", plan["vars"]);
  add_values(about, "env", plan["env"]);
  if (const Json& group = plan["concurrency"]; !group.is_null()) {
    about.row({{"concurrency"},
               {fmt::format("{}, {}", one_line(to_text(group["group"]), kValue),
                            group["on_conflict"].get<std::string_view>())}});
  }
  const Json& resources = plan["resources"];
  add_values(about, "breakers", resources["breakers"]);
  add_values(about, "rate_limits", resources["rate_limits"]);
  out += about.text("  ");
  for (const Json& state : plan["states"]) out += StateText(style).render(state, state["name"] == plan["start"]);
  for (const Json& service : resources["services"]) {
    for (const char* part : {"setup", "teardown", "health"}) {
      if (service.contains(part)) out += StateText(style).render(service[part], false);
    }
  }
  for (const Json& action : plan["on_end"]) out += StateText(style).render(action, false);
  return out;
}

}  // namespace canorun::cli
