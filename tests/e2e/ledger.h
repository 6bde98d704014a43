// A ledger that the commands of a saga write into, as the world outside a run would: what is done under a key once or
// twice counts once, and so does what undoes it.
#pragma once

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/program.h"

namespace canorun::test {

struct Ledger {
  std::set<std::string> done;        ///< keys
  std::set<std::string> undone;      ///< keys of what was done
  std::vector<std::string> undoing;  ///< the same keys, each time, in their order

  static Ledger read(const std::string& path) {
    Ledger ledger;
    std::istringstream lines(read_file(path));
    for (std::string sign, key; lines >> sign >> key;) {
      if (sign == "+") ledger.done.insert(key);
      if (sign == "-") ledger.undone.insert(key);
      if (sign == "-") ledger.undoing.push_back(key);
    }
    return ledger;
  }

  bool is_zero() const { return done == undone; }
  bool is_full() const { return undone.empty(); }
  std::ptrdiff_t times_undone(const std::string& key) const { return std::ranges::count(undoing, key); }
};

/// Of a flow with `env: {LEDGER: ...}`: what a step does, and what its `compensate` does.
inline const std::string kEnter = R"(echo "+ $CANORUN_IDEMPOTENCY_KEY" >> "$LEDGER")";
inline const std::string kUndo = R"(echo "- $CANORUN_COMPENSATES" >> "$LEDGER")";

}  // namespace canorun::test
