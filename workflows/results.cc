#include "workflows/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_set>

#include "engine/base/blanks.h"
#include "workflows/names.h"
#include "workflows/way.h"

namespace canorun::workflows {
namespace {

using expr::Reference;

// Where `states.NAME.output` or the like ends: at its third part. And where `run.error` does.
constexpr std::size_t kPart = 2;
constexpr std::size_t kRunPart = 1;

bool is_of_state(const Reference& reference) {
  return reference.parts.size() > kPart && reference.parts[0].name == "states";
}

bool is_run(const Reference& reference, std::string_view field) {
  return reference.parts.size() > kRunPart && reference.parts[0].name == "run" &&
         reference.parts[kRunPart].name == field;
}

// Something is read of the value that ends with the part `last`: a field, an element, a method.
bool goes_on(const Reference& reference, std::string_view text, std::size_t last) {
  if (reference.parts.size() > last + 1) return true;
  const std::size_t next = text.find_first_not_of(kBlanks, reference.parts.back().span.end);
  return next != std::string_view::npos && (text[next] == '.' || text[next] == '[');
}

// What is asked for is looked at, and may be missing. `whole` is the text without blanks around it.
bool asks(const Reference& reference, std::string_view text, Span whole, std::size_t last) {
  const auto& parts = reference.parts;
  if (std::ranges::any_of(parts, [](const Reference::Part& part) { return part.optional; })) return true;
  const bool is_whole = parts.front().span.begin == whole.begin && parts.back().span.end >= whole.end;
  return !is_whole && !goes_on(reference, text, last);
}

bool asks(const Reference& reference, std::string_view text, Span whole) {
  return reference.parts[kPart].name == "visits" || asks(reference, text, whole, kPart);
}

std::string instead_of(std::string_view result, std::string_view field) {
  return field.empty() ? fmt::format("say what is used instead: {0} == null ? dyn(…) : {0}", result)
                       : fmt::format("say what is used instead: {}.?{}.orValue(…)", result, field);
}

std::string shown_way(const Definition& flow, const std::vector<model::StateId>& way) {
  constexpr std::size_t kShown = 6;
  std::vector<std::string_view> names;
  for (const model::StateId id : way) names.push_back(flow.states[id].text());
  return way_text(names, kShown);
}

/// Judges reads by what is known of their results, and says what is wrong with them.
class Judge {
 public:
  Judge(Reader& reader, const Definition& flow, const ResultFlow& results)
      : reader_(reader), flow_(flow), results_(results) {}

  void look(const ResultRead& read, Presence presence) {
    const auto& [of, part] = read.result;
    if (!presence.missing || (presence.there && part == Part::kEnd)) return;
    // That it is never entered was told.
    if (results_.works(of) && !results_.is_reached(of)) return;
    const std::pair place(read.node, read.span.begin);
    const std::tuple mistake(read.moment.state, of, std::optional(part));
    if (places_.contains(place) || told_.contains(mistake)) return;
    const bool has_ended = presence.there || results_.can_have_ended(of, read.moment);
    // Of what has not ended all parts are missing, which is one mistake.
    if (!has_ended && !told_.emplace(read.moment.state, of, std::nullopt).second) return;
    places_.insert(place);
    told_.insert(mistake);
    if (presence.there) {
      maybe_missing(read);
    } else {
      never_there(read, has_ended);
    }
  }

 private:
  static bool of_own_state(const ResultRead& read) {
    return read.result.of == read.moment.state && read.moment.phase == Phase::kBefore;
  }
  Span span(const ResultRead& read) const { return reader_.document.part(*read.node, read.span); }

  void never_there(const ResultRead& read, bool has_ended) {
    const std::string_view name = flow_.states[read.result.of].text();
    const bool output = read.result.part == Part::kOutput;
    std::string message;
    std::string hint;
    if (!results_.works(read.result.of)) {
      message = fmt::format("state '{}' does no work, so it has no {}", name, output ? "output" : "error");
    } else if (!has_ended && of_own_state(read)) {
      message = fmt::format("here 'states.{}' is what its visit before left, and there is none", name);
      hint = read.moment.has_output ? "what this visit gave is 'output'" : "no path leads back to this state";
    } else if (!has_ended) {
      message = fmt::format("state '{}' has not run where this is read", name);
      hint = "no path from the start to here goes through it";
    } else if (output) {
      message = fmt::format("state '{}' has failed where this is read, so it has no output", name);
      hint = fmt::format("why it failed is in 'states.{}.error'", name);
    } else {
      message = fmt::format("state '{}' has not failed where this is read, so its error is null", name);
      hint = "only what 'on_error' leads to can read it";
    }
    reader_.report.error(Code::kNotYetRun, span(read), std::move(message), std::move(hint));
  }

  void maybe_missing(const ResultRead& read) {
    const std::string_view name = flow_.states[read.result.of].text();
    const bool output = read.result.part == Part::kOutput;
    if (read.moment.phase == Phase::kAside || read.moment.later) {
      reader_.report.warning(Code::kMaybeNotRun, span(read),
                             fmt::format("state '{}' may {}", name,
                                         output ? "have failed or not have run: then it has no output"
                                                : "not have failed: then it has no error"),
                             instead(read));
      return;
    }
    const auto way = results_.way_without(read.result, read.moment);
    const auto worked = way.end() - (read.moment.phase == Phase::kBefore ? 1 : 0);
    const bool went_through = std::find(way.begin(), worked, read.result.of) != worked;
    const std::string_view what = !went_through ? "has not run"
                                  : output      ? "has failed, and has no output"
                                                : "has not failed, and has no error";
    reader_.report.warning(Code::kMaybeNotRun, span(read),
                           fmt::format("on the path {}, '{}' {}", shown_way(flow_, way), name, what), instead(read));
  }

  std::string instead(const ResultRead& read) const {
    if (of_own_state(read) && read.moment.has_output) return "what this visit gave is 'output'";
    const std::string result = fmt::format("states.{}.{}", flow_.states[read.result.of].text(),
                                           read.result.part == Part::kOutput ? "output" : "error");
    return instead_of(result, read.field);
  }

  Reader& reader_;
  const Definition& flow_;
  const ResultFlow& results_;
  std::set<std::pair<const Node*, std::uint32_t>> places_;
  /// Who reads what; without a part: all of it.
  std::set<std::tuple<model::StateId, model::StateId, std::optional<Part>>> told_;
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
  if (moment.phase == Phase::kAside) note_run_error(node, offset, expression, moment);
  const std::string_view text = expression.text();
  const Span whole = trimmed_span(text);
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
    if (thought_of_.contains(*of)) continue;
    const Part part = output ? Part::kOutput : goes_on(reference, text, kPart) ? Part::kError : Part::kEnd;
    const std::string field = parts.size() > kPart + 1 ? parts[kPart + 1].name : std::string();
    reads_.push_back(
        {moment, {*of, part}, field, &node, {parts[0].span.begin + offset, parts[kPart].span.end + offset}});
  }
}

void ResultReads::note_run_error(const Node& node, std::uint32_t offset, const expr::Expression& expression,
                                 Moment moment) {
  const std::string_view text = expression.text();
  const Span whole = trimmed_span(text);
  for (const Reference& reference : expression.references()) {
    if (is_run(reference, "status") || (is_run(reference, "error") && asks(reference, text, whole, kRunPart))) return;
  }
  for (const Reference& reference : expression.references()) {
    if (!is_run(reference, "error") || !goes_on(reference, text, kRunPart)) continue;
    const auto& parts = reference.parts;
    const std::string field = parts.size() > kRunPart + 1 ? parts[kRunPart + 1].name : std::string();
    error_reads_.push_back(
        {moment.state, field, &node, {parts[0].span.begin + offset, parts[kRunPart].span.end + offset}});
  }
}

void ResultReads::forget(const Node& node) {
  while (!error_reads_.empty() && error_reads_.back().node == &node) error_reads_.pop_back();
  while (!reads_.empty() && reads_.back().node == &node) reads_.pop_back();
}

void ResultReads::check(Reader& reader, const Definition& flow, const Graph& graph) {
  std::unordered_set<model::StateId> told;
  for (const ErrorRead& read : error_reads_) {
    if (!told.insert(read.reader).second) continue;
    reader.report.warning(Code::kMaybeNotRun, reader.document.part(*read.node, read.span),
                          "the run may have succeeded: then it has no error", instead_of("run.error", read.field));
  }
  // By what is read, so that each result is followed once.
  const auto by_result = [](const ResultRead& read) { return std::tuple(read.result.of, read.result.part); };
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
    for (std::size_t at = 0; begin < end && !reader.report.full(); ++begin) {
      const ResultRead& read = reads_[begin];
      while (!(followed[at] == read.result)) ++at;
      judge.look(read, results.at(read.moment, at));
    }
    if (reader.report.full()) return;
  }
}

}  // namespace canorun::workflows
