// What the verbs work with: the outputs, the clock, and the store, opened when it is first needed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/refusal.h"
#include "cli/text.h"
#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/store/store.h"

namespace canorun::store {
class LmdbStore;
}

namespace canorun::cli {

/// Where runs are kept: `--store`, CANORUN_STORE, XDG_STATE_HOME/canorun or HOME/.local/state/canorun,
/// the first that is there. Variables that are empty count as missing, as does a relative
/// XDG_STATE_HOME (its specification says so).
OrRefusal<std::string> store_folder(const Options& options);

/// The store in a folder; null where there is no folder. `alone`: nobody else has it open meanwhile.
store::StoreResult<std::unique_ptr<store::LmdbStore>> open_on_disk(const std::string& folder, bool alone);

/// Borrowed by verbs for as long as the process lives.
class Wiring {
 public:
  explicit Wiring(Options options);

  const Options& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  Output& out() { return out_; }
  Output& err() { return err_; }
  Style out_style() const { return out_style_; }
  Style err_style() const { return err_style_; }

  /// One JSON document on stdout.
  void document(const Json& value);
  /// A refusal, on stderr; with `--json` on stdout too.
  void tell(const Refusal& refusal);
  /// What a person should know although nothing is wrong; silent with `--quiet`.
  void note(std::string_view text);

  enum class Access : std::uint8_t {
    kRead,   ///< a store that is not there is empty, and is not made
    kWork,   ///< likewise, and CANORUN_CRASH counts
    kStart,  ///< a store that is not there is made
  };
  OrRefusal<std::unique_ptr<store::CheckpointStore>> open_store(Access access);
  /// A store that is gone with the process, and out of which no rows can be read.
  std::unique_ptr<store::CheckpointStore> nothing_kept();

  /// A command that a person can type: `canorun WORDS`, for the store that was named with `--store`.
  std::string command(std::string_view words) const;

 private:
  Options options_;
  Output out_;
  Output err_;
  Style out_style_;
  Style err_style_;
  SystemClock clock_;
  SystemRandom random_;
};

}  // namespace canorun::cli
