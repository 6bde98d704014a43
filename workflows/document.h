// A YAML document as nodes that know where they stand in their source. The only user of yaml-cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/source.h"
#include "engine/base/value.h"
#include "workflows/report.h"
#include "workflows/scalar.h"

namespace canorun::workflows {

enum class NodeKind : std::uint8_t { kNull, kBool, kInt, kDouble, kString, kList, kMap };

struct Node;

struct Entry {
  const Node* key = nullptr;
  const Node* value = nullptr;
};

/// Lives in its document. An alias is the node it names: nodes form a graph without cycles, no deeper
/// than `kMaxNesting`.
struct Node {
  NodeKind kind = NodeKind::kNull;
  bool empty = false;         ///< nothing is written there: `key:`
  std::uint32_t begin = 0;    ///< offset of the first character
  const Node* key = nullptr;  ///< of an empty value
  std::string text;           ///< of a scalar, decoded; what a plain one looks like in the file
  std::vector<const Node*> list;
  std::vector<Entry> map;  ///< keys are scalars, each `text` once

  bool is_scalar() const { return kind != NodeKind::kList && kind != NodeKind::kMap; }
  bool is_text() const { return kind == NodeKind::kString; }
  const Node* find(std::string_view key) const;
};

/// `a map`, `an int`, …: for messages.
std::string_view kind_name(const Node& node);

/// The scalar's value by the core schema.
Json scalar_value(const Node& node);

/// Owns its nodes. Immutable after parsing.
class Document {
 public:
  /// Null when the text cannot be read as one YAML document; problems that leave the rest readable
  /// (duplicate keys, tags) are reported too. Time and memory are bounded whatever the text.
  static std::unique_ptr<const Document> parse(std::shared_ptr<const Source> source, Report& report);

  const Node& root() const { return *root_; }

  /// What to put a caret under: a scalar with its quotes, a flow collection, the first key or dash of
  /// a block collection, the key of an empty value.
  Span span(const Node& node) const;

  /// The line it begins in, from 1.
  std::uint32_t line(const Node& node) const { return source_->position(node.begin).line; }

  /// Bytes of a scalar's value in the source. One scalar's map is kept: ask for its parts in a row.
  Span part(const Node& node, Span in_value) const;

 private:
  friend class TreeBuilder;
  Document() = default;
  const ScalarMap& map_of(const Node& node) const;
  std::uint32_t flow_end(const Node& node) const;

  std::shared_ptr<const Source> source_;
  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
  mutable const Node* mapped_ = nullptr;
  mutable std::unique_ptr<const ScalarMap> map_;
};

}  // namespace canorun::workflows
