// Where secrets are hidden from what a run keeps and tells.
#pragma once

#include "engine/base/masker.h"
#include "engine/model/event.h"
#include "engine/model/outcome.h"
#include "engine/store/row.h"

namespace canorun::run {

void mask(const Masker& masker, model::RunError& error);
void mask(const Masker& masker, model::Outcome& outcome);
/// What of a row comes from values. Names that the flow's text gives to its own stay.
void mask(const Masker& masker, store::Row& row);

/// Tells an event whose texts are masked. What a command wrote is, already.
void tell_masked(const Masker& masker, model::Observer& observer, model::Event event);

}  // namespace canorun::run
