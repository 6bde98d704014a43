// What a store has of breakers and limits, in a line.
#pragma once

#include <string>

#include "engine/store/store.h"

namespace canorun::test {

/// `b open 1: 0 failures; c half-open 2: 0 failures, 1 trials`.
std::string breakers_of(store::CheckpointStore& store);

/// `api 1 used, 2 waiting; plan 3 used, 0 waiting`.
std::string limits_of(store::CheckpointStore& store);

}  // namespace canorun::test
