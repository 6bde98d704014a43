// `limits`: how many attempts may begin now.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "engine/store/shared.h"

namespace canorun::cli {

/// A table for people.
std::string limits_text(const std::vector<store::LimitRecord>& limits, store::Moment now, const Style& style);

/// `{name, run, kind, …, capacity, available, waiting, full_at, full_in_ms}`. Of a `bucket` with `tokens`, `per_ms` and
/// `burst`, of a `window` with `limit` and `window_ms`. The last two are when all is there again, as far as nothing
/// more is taken; null where it is.
Json to_json(const store::LimitRecord& limit, store::Moment now);

}  // namespace canorun::cli
