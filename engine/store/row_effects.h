// What a row does to a store, beside being there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/row.h"

namespace canorun::store {

/// How many rows right before this one are gone, once it is there.
std::uint64_t gap_before(const Row& row);

/// Whether those of `rows` that replace others may do so: `before` is the row right before them, and may be null where
/// the first of them replaces none.
bool replace_rightly(const std::vector<Row>& rows, const Row* before);

/// The digests of the texts that the row refers to.
std::vector<std::string_view> texts_of(const Row& row);

/// The first of the digests that rows refer to for which `is_there` is false.
std::optional<std::string> missing_text(const std::vector<Row>& rows,
                                        const std::function<bool(std::string_view digest)>& is_there);

/// The number of the signal that the row takes, if it does.
std::optional<std::uint64_t> signal_of(const Row& row);

/// The row lets go of the run: whoever wrote it owns the run no longer.
bool gives_up_ownership(const Row& row);

}  // namespace canorun::store
