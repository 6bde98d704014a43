// Tables of the keys that a map of the flow file may have.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "workflows/read.h"

namespace canorun::workflows {

/// A key, and what reads its value into a `Target`.
template <class Target>
struct Key : KeyInfo {
  void (*read)(Reader& reader, const Entry& entry, const Accept& accepts, Target& target);
};

/// Makes a row: the value is read as what it accepts, and `store(Target&, value)` takes it. Nothing is
/// stored where something was reported.
template <class Target, class Type, class Store>
constexpr Key<Target> key(std::string_view name, std::string_view doc, Type accepts, Store, bool required = false) {
  return {{name, doc, accepts, required}, [](Reader& reader, const Entry& entry, const Accept& type, Target& target) {
            if (auto value = read_value(reader, entry, std::get<Type>(type))) Store{}(target, *std::move(value));
          }};
}
inline constexpr bool kRequired = true;

/// A limit that was read, where nobody counts so far.
constexpr std::uint32_t count32(std::int64_t count) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

/// What a table says, without what reads it.
template <class Table>
std::vector<KeyInfo> infos(const Table& table) {
  return {table.begin(), table.end()};
}

/// A map that was read by a table; false when it is none.
struct MapRead {
  const Node* map = nullptr;
  std::vector<std::string_view> misspelt = {};  ///< what unknown keys were meant to be
  bool guessed = false;                         ///< there are unknown keys, which may have been meant as any

  explicit operator bool() const { return map != nullptr; }
  /// The key is there, or one was meant to be it.
  bool has(std::string_view key) const {
    return map->find(key) != nullptr || std::ranges::find(misspelt, key) != misspelt.end();
  }
};

/// Reads a map by its table. `what` is how messages call it; a key that is missing is reported at
/// `owner`.
template <class Target, std::size_t N>
MapRead read_map(Reader& reader, const Node& node, const Node& owner, std::string_view what,
                 const std::array<Key<Target>, N>& table, Target& target) {
  if (node.kind != NodeKind::kMap) {
    reader.wrong_type(node, what, "a map");
    return {};
  }
  MapRead read{&node};
  std::array<std::string_view, N> known;
  std::ranges::transform(table, known.begin(), &Key<Target>::name);
  for (const Entry& entry : node.map) {
    const auto row = std::ranges::find(table, std::string_view(entry.key->text), &Key<Target>::name);
    if (row != table.end()) {
      row->read(reader, entry, row->accepts, target);
      continue;
    }
    read.guessed = true;
    Guess guess = reader.report.guess(entry.key->text, known);
    if (guess.name) read.misspelt.push_back(*guess.name);
    reader.error(Code::kUnknownKey, *entry.key,
                 fmt::format("unknown key '{}' in {}", entry.key->text.substr(0, 80), what), std::move(guess.hint));
  }
  for (const Key<Target>& key : table) {
    if (!key.required || read.has(key.name)) continue;
    reader.error(Code::kMissingKey, owner, fmt::format("{} needs '{}'", what, key.name));
  }
  return read;
}

}  // namespace canorun::workflows
