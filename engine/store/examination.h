// A store looked over: how much is in it, what is wrong with it, and what lies about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace canorun::store {

/// What processes that died left in the folder. Nobody needs it, and it does no harm.
struct Litter {
  std::uint64_t owners = 0;       ///< files of owners
  std::uint64_t logs = 0;         ///< folders of logs whose runs are not there
  std::uint64_t limits = 0;       ///< folders of earlier boots
  std::uint64_t compactions = 0;  ///< copies that were cut off
  bool operator==(const Litter&) const = default;
  std::uint64_t count() const { return owners + logs + limits + compactions; }
};

struct Examination {
  std::uint64_t runs = 0;
  std::uint64_t rows = 0;
  std::uint64_t interrupted = 0;  ///< runs whose process is gone
  std::uint64_t newer = 0;        ///< runs of which a later canorun wrote something: not checked
  std::uint64_t unread = 0;       ///< breakers and limits that cannot be read, and so count as not there
  std::uint64_t readers = 0;      ///< readers that had died and were cleared
  std::uint64_t bytes = 0;        ///< what the store's file takes
  std::uint64_t unused = 0;       ///< of them
  std::uint64_t left = 0;         ///< on the disk
  Litter litter = {};
  std::vector<std::string> damage = {};  ///< the first of it
  std::uint64_t more_damage = 0;         ///< so much is not told
  bool operator==(const Examination&) const = default;
};

}  // namespace canorun::store
