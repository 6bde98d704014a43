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
#include "engine/policy/join.h"
#include "workflows/accept.h"
#include "workflows/document.h"
#include "workflows/report.h"

namespace canorun::workflows {

/// What expressions use: no state, variable or input may have such a name.
std::span<const std::string_view> reserved_names();

/// The key in quotes: how messages call its value.
std::string quoted(const Entry& entry);

/// Each function reports what it does not take and then gives nothing. `what` is how messages call
/// the value: a key with its quotes.
class Reader {
 public:
  Reader(const Document& of, Report& to, model::Catalog kinds) : document(of), report(to), catalog(kinds) {}

  const Document& document;
  Report& report;
  const model::Catalog catalog;

  void error(Code code, const Node& node, std::string message, std::string hint = {});
  void wrong_type(const Node& node, std::string_view what, std::string_view wanted, std::string hint = {});

  /// A value that a key accepts.
  std::optional<std::string_view> read(accept::Text type, const Node& node, std::string_view what);
  std::optional<std::string_view> read(accept::FlowName type, const Node& node, std::string_view what);
  std::optional<std::string_view> read(accept::SignalName type, const Node& node, std::string_view what);
  std::optional<std::string_view> read(accept::ItemName type, const Node& node, std::string_view what);
  std::optional<bool> read(accept::Flag type, const Node& node, std::string_view what);
  std::optional<policy::Share> read(accept::Percentage type, const Node& node, std::string_view what);
  std::optional<Millis> read(accept::Duration type, const Node& node, std::string_view what);
  std::optional<std::int64_t> read(accept::Integer type, const Node& node, std::string_view what);
  std::optional<double> read(accept::Number type, const Node& node, std::string_view what);
  /// Which of the words it is.
  std::optional<std::size_t> read(accept::Choice type, const Node& node, std::string_view what);
  /// The node itself, when it is a scalar.
  const Node* read(accept::ResourceName type, const Node& node, std::string_view what);
  const Node* read(accept::StateName type, const Node& node, std::string_view what);
  const Node* read(accept::TextTemplate type, const Node& node, std::string_view what);
  /// A value of any type, without templates.
  std::optional<Json> literal(const Node& node, std::string_view what);

  /// The entries of a map; none when it is no map.
  std::vector<Entry> entries(const Node& node, std::string_view what, std::string_view wanted);
  /// True when the key may be the name of a `what` (a state, a variable, an input).
  bool name(const Node& key, std::string_view what);

 private:
  bool is_text(const Node& node, std::string_view what);
  bool refuse_template(const Node& node, std::string_view what);
};

}  // namespace canorun::workflows
