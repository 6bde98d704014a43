#include "engine/model/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/duration.h"
#include "engine/base/masker.h"
#include "engine/base/source.h"
#include "engine/base/suggest.h"
#include "engine/model/types.h"

namespace canorun::model {
namespace {

const Input* find_input(const Flow& flow, std::string_view name) {
  const auto found =
      std::find_if(flow.inputs.begin(), flow.inputs.end(), [&](const Input& input) { return input.name == name; });
  return found != flow.inputs.end() ? &*found : nullptr;
}

Error unknown(const Flow& flow, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Input& input : flow.inputs) known.push_back(input.name);
  return {fmt::format("flow '{}' has no input '{}'", flow.name, to_utf8(name)),
          known.empty() ? "this flow takes no inputs" : suggestion(name, known)};
}

// What messages quote.
constexpr std::size_t kShown = 80;

Result<Json> read_text(const Input& input, std::string_view text) {
  if (input.secret || input.type == InputType::kString) return Json(to_utf8(text));
  auto parsed = parse_json(text);
  if (parsed) return parsed;
  if (input.type == InputType::kAny) return Json(to_utf8(text));
  return fail(
      fmt::format("input '{}' must be {}, not '{}'", input.name, described(input.type), beginning(text, kShown)),
      input.type == InputType::kList || input.type == InputType::kMap ? "write it as JSON" : "");
}

Result<Json> check(const Input& input, Json value) {
  if (input.secret) {
    auto good = check_secret(input.name, value);
    return good ? Result<Json>(std::move(value)) : std::unexpected(std::move(good.error()));
  }
  if (!fits(input.type, value)) {
    return fail(fmt::format("input '{}' must be {}, not {} {}", input.name, described(input.type), type_name(value),
                            beginning(to_json_text(value), kShown)));
  }
  convert(input.type, value);
  if (!is_allowed(input, value)) {
    std::vector<std::string> allowed;
    for (const Json& one : input.one_of) allowed.push_back(to_json_text(one));
    return fail(fmt::format("input '{}' must not be {}", input.name, beginning(to_json_text(value), kShown)),
                fmt::format("allowed: {}", fmt::join(allowed, ", ")));
  }
  return value;
}

// Secrets that are to be bound, as far as they are good.
Masker masker_of(const Flow& flow, const Json& bound) {
  std::vector<std::string> secrets;
  for (const Input& input : flow.inputs) {
    const auto value = input.secret ? bound.find(input.name) : bound.end();
    if (value != bound.end() && value->is_string()) secrets.push_back(value->get<std::string>());
  }
  return Masker(std::move(secrets));
}

}  // namespace

Result<void> check_secret(std::string_view input, const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return fail(fmt::format("secret input '{}' must be a string, not {}", input, type_name(value)));
  if (count_characters(*text) < kShortestSecret) {
    return fail(fmt::format("secret input '{}' has less than {} characters", input, kShortestSecret),
                "what is so short cannot be kept secret");
  }
  if (text->size() > kLongestSecret) {
    return fail(fmt::format("secret input '{}' is longer than {}", input, human_size(kLongestSecret)),
                "give the path of a file, and let a command read it");
  }
  return {};
}

Result<Json, std::vector<Error>> bind_inputs(const Flow& flow, const Json& values,
                                             const std::vector<std::pair<std::string, std::string>>& texts) {
  std::vector<Error> problems;
  Json bound = Json::object();
  const auto take = [&](const std::string& name, auto read) {
    const Input* input = find_input(flow, name);
    if (input == nullptr) {
      problems.push_back(unknown(flow, name));
      return;
    }
    Result<Json> value = read(*input);
    if (value) value = check(*input, std::move(*value));
    // A bad value still counts as given: it is one mistake, not two.
    if (!value) problems.push_back(value.error());
    bound[name] = value ? std::move(*value) : Json();
  };
  if (values.is_object()) {
    for (const auto& [name, value] : values.items()) {
      const bool overridden =
          std::any_of(texts.begin(), texts.end(), [&](const auto& text) { return text.first == name; });
      if (!overridden) take(name, [&value](const Input&) -> Result<Json> { return value; });
    }
  } else if (!values.is_null()) {
    problems.push_back({fmt::format("inputs must be a map of name to value, not {}", type_name(values))});
  }
  for (const auto& [name, text] : texts) {
    take(name, [&text](const Input& input) { return read_text(input, text); });
  }
  for (const Input& input : flow.inputs) {
    if (bound.contains(input.name)) continue;
    if (input.fallback) {
      bound[input.name] = *input.fallback;
    } else {
      problems.push_back({fmt::format("{}input '{}' is missing ({})", input.secret ? "secret " : "", input.name,
                                      input_type_name(input.type)),
                          fmt::format("give it with -i {}={}", input.name, input.secret ? "@env:NAME" : "…")});
    }
  }
  if (problems.empty()) return bound;
  const Masker masker = masker_of(flow, bound);
  for (Error& problem : problems) masker.mask(problem.message);
  return std::unexpected(std::move(problems));
}

}  // namespace canorun::model
