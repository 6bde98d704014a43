// Regular expressions: the one door to RE2, which is linear in the text whatever the pattern.
#include <fmt/format.h>
#include <re2/re2.h>

#include "engine/expr/functions.h"

namespace canorun::expr::functions {

Result<Value> matches(Call call) {
  if (!call.are({Kind::kString, Kind::kString})) return call.mismatch();
  const std::string_view text = call[0].as_text();
  const std::string_view written = call[1].as_text();
  call.budget.charge_bytes(text.size() + written.size());
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(re2::StringPiece(written.data(), written.size()), options);
  if (!pattern.ok()) return fail(fmt::format("not a regular expression: {}", pattern.error()), "the syntax is RE2's");
  return Value::boolean(RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern));
}

}  // namespace canorun::expr::functions
