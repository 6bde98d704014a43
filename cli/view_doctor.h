// `doctor`: what there is in a store, what is wrong with it, and what to do.
#pragma once

#include <optional>
#include <string>

#include "cli/report.h"
#include "engine/store/examination.h"

namespace canorun::cli {

struct Diagnosis {
  std::string folder;
  bool is_there = true;
  std::optional<store::Examination> found = {};  ///< none: there is nothing to look at, or it could not be done
  std::string failure = {};                      ///< why it could not: the store is damaged
  std::string todo = {};                         ///< against that
  bool tidied = false;                           ///< the litter that was found is gone

  bool is_well() const;
};

/// For people.
std::string diagnosis_text(const Diagnosis& diagnosis, const CommandText& command, const Style& style);

/// `{store, well, runs, interrupted, rows, bytes, bytes_unused, bytes_left, damage, more_damage, notes}`, where what
/// could not be looked at is null; each of `damage` and `notes` is `{what, do}`.
Json to_json(const Diagnosis& diagnosis, const CommandText& command);

}  // namespace canorun::cli
