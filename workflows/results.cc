#include "workflows/results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

#include "workflows/names.h"

namespace canorun::workflows {
namespace {

using expr::Reference;

constexpr std::string_view kBlanks = " \t\r\n";

// Where `states.NAME.output` or the like ends: at its third part.
constexpr std::size_t kPart = 2;

bool is_of_state(const Reference& reference) { return reference.parts.size() > kPart && reference.parts[0].name == "states"; }

// Something is read of the value: a field, an element, a method.
bool goes_on(const Reference& reference, std::string_view text) {
  if (reference.parts.size() > kPart + 1) return true;
  const std::size_t next = text.find_first_not_of(kBlanks, reference.parts.back().span.end);
  return next != std::string_view::npos && (text[next] == '.' || text[next] == '[');
}

// What is asked for is looked at, and may be missing. `whole` is the text without blanks around it.
bool asks(const Reference& reference, std::string_view text, Span whole) {
  const auto& parts = reference.parts;
  if (std::ranges::any_of(parts, [](const Reference::Part& part) { return part.optional; })) return true;
  if (parts[kPart].name == "visits") return true;
  const bool is_whole = parts.front().span.begin == whole.begin && parts.back().span.end >= whole.end;
  return !is_whole && !goes_on(reference, text);
}

std::string shown_way(const Definition& flow, const std::vector<model::StateId>& way) {
  constexpr std::size_t kShown = 6;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < way.size(); ++i) {
    if (way.size() > kShown && i == kShown / 2) {
      names.emplace_back("…");
      i = way.size() - kShown / 2;
    }
    names.push_back(flow.states[way[i]].text());
  }
  return fmt::format("{}", fmt::join(names, " → "));
}

/// Judges reads by what is known of their results, and says what is wrong with them.
class Judge {
 public:
  Judge(Reader& reader, const Definition& flow, const ResultFlow& results) : reader_(reader), flow_(flow), results_(results) {}

  void never_there(const Span& span, StateResult result, Moment moment) {
    const std::string_view name = flow_.states[result.of].text();
    const ShapeDef& shape = flow_.states[result.of].shape;
    std::string message;
    std::string hint;
    if (std::holds_alternative<RouteDef>(shape) || std::holds_alternative<ExitDef>(shape)) {
      message = fmt::format("state '{}' does no work, so it has no {}", name, result.part == Part::kOutput ? "output" : "error");
    } else if (!results_.can_have_ended(result.of, moment)) {
      message = fmt::format("state '{}' has not run where this is read", name);
      hint = "no path from the start to here goes through it";
    } else if (result.part == Part::kOutput) {
      message = fmt::format("state '{}' has failed where this is read, so it has no output", name);
      hint = fmt::format("why it failed is in 'states.{}.error'", name);
    } else {
      message = fmt::format("state '{}' has not failed where this is read, so its error is null", name);
      hint = "only what 'on_error' leads to can read it";
    }
    reader_.report.error(Code::kNotYetRun, span, std::move(message), std::move(hint));
  }

  void maybe_missing(const Span& span, StateResult result, Moment moment, std::string_view field) {
    const std::string_view name = flow_.states[result.of].text();
    const bool output = result.part == Part::kOutput;
    const auto way = results_.way_without(result, moment);
    const auto worked = way.end() - (moment.phase == Phase::kBefore ? 1 : 0);
    const bool went_through = std::find(way.begin(), worked, result.of) != worked;
    const std::string_view what = !went_through ? "has not run"
                                  : output      ? "has failed, and has no output"
                                                : "has not failed, and has no error";
    const std::string read = fmt::format("states.{}.{}", name, output ? "output" : "error");
    reader_.report.warning(Code::kMaybeNotRun, span, fmt::format("on the path {}, '{}' {}", shown_way(flow_, way), name, what),
                           field.empty() ? fmt::format("say what is used instead: {0} == null ? … : {0}", read)
                                         : fmt::format("say what is used instead: {}.?{}.orValue(…)", read, field));
  }

 private:
  Reader& reader_;
  const Definition& flow_;
  const ResultFlow& results_;
};

}  // namespace

std::vector<model::StateId> states_in(const expr::Expression& expression, const Names& names) {
  std::vector<model::StateId> found;
  for (const Reference& reference : expression.references()) {
    if (!is_of_state(reference)) continue;
    if (const auto id = names.state(reference.parts[1].name)) found.push_back(*id);
  }
  return found;
}

void ResultReads::note(const Node& node, std::uint32_t offset, const expr::Expression& expression, Moment moment) {
  if (moment.phase == Phase::kNone) return;
  const std::string_view text = expression.text();
  const Span whole{static_cast<std::uint32_t>(text.find_first_not_of(kBlanks)),
                   static_cast<std::uint32_t>(text.find_last_not_of(kBlanks) + 1)};
  std::unordered_set<std::string_view> asked;
  for (const Reference& reference : expression.references()) {
    if (is_of_state(reference) && asks(reference, text, whole)) asked.insert(reference.parts[1].name);
  }
  for (const Reference& reference : expression.references()) {
    if (!is_of_state(reference)) continue;
    const auto& parts = reference.parts;
    const auto of = names_.state(parts[1].name);
    const bool output = parts[kPart].name == "output";
    if (!of || (!output && parts[kPart].name != "error") || asked.contains(parts[1].name)) continue;
    const Part part = output ? Part::kOutput : goes_on(reference, text) ? Part::kError : Part::kEnd;
    const std::string field = parts.size() > kPart + 1 ? parts[kPart + 1].name : std::string();
    reads_.push_back({moment, {*of, part}, field, &node, {parts[0].span.begin + offset, parts[kPart].span.end + offset}});
  }
}

void ResultReads::check(Reader& reader, const Definition& flow, const Graph& graph) {
  // By what is read, so that each result is followed once.
  const auto by_result = [](const Read& read) { return std::tuple(read.result.of, read.result.part); };
  std::ranges::stable_sort(reads_, {}, by_result);
  ResultFlow results(flow, graph);
  Judge judge(reader, flow, results);
  for (std::size_t begin = 0; begin < reads_.size();) {
    std::vector<StateResult> followed;
    std::size_t end = begin;
    for (; end < reads_.size(); ++end) {
      if (!followed.empty() && followed.back() == reads_[end].result) continue;
      if (followed.size() == ResultFlow::kAtOnce) break;
      followed.push_back(reads_[end].result);
    }
    results.follow(followed);
    std::set<std::pair<model::StateId, std::size_t>> told;
    for (std::size_t at = 0; begin < end && !reader.report.full(); ++begin) {
      const Read& read = reads_[begin];
      while (!(followed[at] == read.result)) ++at;
      const Presence presence = results.at(read.moment, at);
      if (!presence.missing || (presence.there && read.result.part == Part::kEnd)) continue;
      if (!told.emplace(read.moment.state, at).second) continue;
      const Span span = reader.document.part(*read.node, read.span);
      if (presence.there) {
        judge.maybe_missing(span, read.result, read.moment, read.field);
      } else {
        judge.never_there(span, read.result, read.moment);
      }
    }
    if (reader.report.full()) return;
  }
}

}  // namespace canorun::workflows
