// A map whose fields are known before evaluation: `inputs`, the output of a task.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/expr/type.h"

namespace canorun::expr {

/// What is known of one field.
struct RecordField {
  Type type;
  bool optional = false;  ///< may be absent: asking for it by `has()` or `.?` has a sense
};

/// Filled once, then shared: many environments may hold the same one.
class Record {
 public:
  /// `what` is for messages ("the output of 'http'"). `tag` is the host's own: the checker only hands it
  /// back. Of an `open` record any other field may be read too, and is dyn.
  explicit Record(std::string what, int tag = 0, bool open = false) : what_(std::move(what)), tag_(tag), open_(open) {}

  void add(std::string name, Type type, bool optional = false) {
    fields_.insert_or_assign(std::move(name), RecordField{std::move(type), optional});
  }

  const std::string& what() const { return what_; }
  int tag() const { return tag_; }
  bool open() const { return open_; }
  std::size_t size() const { return fields_.size(); }
  /// Null when there is no such field.
  const RecordField* find(std::string_view name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() ? nullptr : &found->second;
  }
  /// Sorted.
  std::vector<std::string_view> names() const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::string what_;
  int tag_;
  bool open_;
  std::unordered_map<std::string, RecordField, Hash, std::equal_to<>> fields_;
};

/// The type of a JSON value, as precise as can be: of an object an open record named `what`. Null is dyn,
/// since something else is to stand there later.
Type type_of(const Json& value, const std::string& what);

}  // namespace canorun::expr
