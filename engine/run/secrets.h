// The secret inputs of a run while a process works on it.
#pragma once

#include <memory>
#include <utility>

#include "engine/base/masker.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/store/row.h"

namespace canorun::model {
struct Flow;
}

namespace canorun::run {

struct Under;

/// They are in memory only: expressions and tasks see their values, and whatever is kept or told of the run is masked,
/// with those of the runs above it. No input that is not secret holds one: it would have to be kept.
class Secrets {
 public:
  /// Of a run that has none, and is below none that has.
  Secrets() = default;

  /// Of a new run: takes them out of its bound inputs, and masks what is left.
  static Secrets take_from(Json& inputs, const model::Flow& flow, const Under& under);

  /// Of a run that goes on: `given` has their values by name, among others. The error names those that it has not.
  static Result<Secrets> find_in(const Json& given, const store::RunStarted& start, const Under& under);

  /// By name.
  const Json& values() const { return values_; }
  /// Lives as long as this, and as what it was moved to.
  const Masker& masker() const { return *masker_; }

 private:
  Secrets(Json values, const Under& under);

  Json values_ = Json::object();
  std::unique_ptr<const Masker> own_;  ///< none: that of the run above knows all of them
  const Masker* masker_ = &kNoSecrets;
};

}  // namespace canorun::run
