// Regular expressions: the one door to RE2, which is linear in the text whatever the pattern.
#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <memory>

#include "engine/expr/functions.h"

namespace canorun::expr::functions {
namespace {

// Bounds what compiling a pattern takes, in time too.
constexpr std::int64_t kPatternMemory = 1 << 18;
constexpr std::uint64_t kStepsPerInstruction = 16;
constexpr std::uint64_t kStepsOfRefusal = 100'000;
constexpr std::size_t kTriesPerStep = 64;

// A macro uses one pattern for every element.
class Patterns {
 public:
  const RE2& get(std::string_view written, Budget& budget) {
    for (const auto& pattern : kept_) {
      if (pattern && pattern->pattern() == written) return *pattern;
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternMemory);
    auto& place = kept_[next_++ % kept_.size()];
    place = std::make_unique<RE2>(re2::StringPiece(written.data(), written.size()), options);
    budget.charge(place->ok() ? kStepsPerInstruction * static_cast<std::uint64_t>(place->ProgramSize())
                              : kStepsOfRefusal);
    return *place;
  }

 private:
  std::array<std::unique_ptr<RE2>, 8> kept_;
  std::size_t next_ = 0;
};

// Without what of the pattern RE2 quotes: in a part of it, a secret is not found.
std::string_view why(const RE2& pattern) {
  const std::string_view text = pattern.error();
  return text.substr(0, text.find(':'));
}

}  // namespace

Result<Value> matches(Call call) {
  if (!call.are({Kind::kString, Kind::kString})) return call.mismatch();
  thread_local Patterns patterns;
  const std::string_view text = call[0].as_text();
  const std::string_view written = call[1].as_text();
  if (!call.budget.charge_bytes(written.size())) return Value::boolean(false);
  const RE2& pattern = patterns.get(written, call.budget);
  if (!pattern.ok()) return fail(fmt::format("not a regular expression: {}", why(pattern)), "the syntax is RE2's");
  // At worst every character is tried at every place of the pattern.
  const auto size = static_cast<std::size_t>(pattern.ProgramSize());
  if (!call.budget.charge(text.size() * size / kTriesPerStep)) return Value::boolean(false);
  return Value::boolean(RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern));
}

}  // namespace canorun::expr::functions
