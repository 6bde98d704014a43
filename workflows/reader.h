// Reads typed values out of nodes, and reports those that are none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/model/task_kind.h"
#include "workflows/document.h"
#include "workflows/report.h"

namespace canorun::workflows {

/// Each function reports what it does not take and then gives nothing. `what` is how messages call
/// the value: a key with its quotes.
class Reader {
 public:
  Reader(const Document& of, Report& to, model::Catalog kinds)
      : document(of), report(to), catalog(kinds) {}

  const Document& document;
  Report& report;
  const model::Catalog catalog;

  void error(Code code, const Node& node, std::string message, std::string hint = {});
  void wrong_type(const Node& node, std::string_view what, std::string_view wanted, std::string hint = {});

  /// A scalar as it is written, without templates.
  std::optional<std::string_view> text(const Node& node, std::string_view what);
  /// One of a closed set: the index.
  std::optional<std::size_t> choice(const Node& node, std::string_view what, std::span<const std::string_view> choices);
  std::optional<Millis> duration(const Node& node, std::string_view what, Millis least);
  std::optional<std::int64_t> integer(const Node& node, std::string_view what, std::int64_t least, std::int64_t most);
  std::optional<double> number(const Node& node, std::string_view what, double least, double most);
  /// A value of any type, without templates.
  std::optional<Json> literal(const Node& node, std::string_view what);

  /// The entries of a map; none when it is no map.
  std::vector<Entry> entries(const Node& node, std::string_view what, std::string_view wanted);
  /// True when the key may be the name of a `what` (a state, a variable, an input).
  bool name(const Node& key, std::string_view what);

 private:
  bool refuse_template(const Node& node, std::string_view what);
};

}  // namespace canorun::workflows
