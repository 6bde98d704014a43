#include "engine/store/row_codec.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "engine/store/cbor.h"
#include "engine/store/row_fields.h"

namespace canorun::store {
namespace {

constexpr std::array<std::uint64_t, std::variant_size_v<Body>> kPayloadVersions{1, 1, 1, 1, 1, 1, 1, 1,
                                                                                1, 1, 1, 1, 1, 1, 1, 1};
constexpr std::uint64_t kEntryVersion = 1;
constexpr std::uint64_t kSignalVersion = 1;
constexpr std::size_t kEnvelopeDepth = 3;  // the list, the map and a list in it around a row's values

class Encoder {
 public:
  explicit Encoder(CborWriter& writer) : writer_(writer) {}

  template <class T>
  void operator()(std::string_view key, const T& field) {
    writer_.key(key);
    write(field);
  }

  template <class T>
  void maybe(std::string_view key, const T& field, const T& fallback = T{}) {
    if (field != fallback) (*this)(key, field);
  }

  bool too_deep() const { return too_deep_; }

 private:
  void write(const std::string& value) { writer_.text(value); }
  void write(bool value) { writer_.boolean(value); }
  void write(std::uint64_t value) { writer_.number(value); }
  void write(std::uint32_t value) { writer_.number(value); }
  void write(Millis value) { writer_.signed_number(value.count()); }
  void write(WallTime value) { write(value.time_since_epoch()); }
  void write(Status value) { writer_.number(static_cast<std::uint64_t>(value)); }
  void write(StreamEnd value) { writer_.number(static_cast<std::uint64_t>(value)); }
  void write(const std::vector<std::string>& values) {
    writer_.list(values.size());
    for (const std::string& value : values) write(value);
  }
  void write(const Json& value) {
    if (depth(value) > kMaxRowDepth) {
      too_deep_ = true;  // nor may it be encoded: that recurses too
    } else {
      writer_.json(value);
    }
  }
  void write(const WaitsFor& value) {
    Json list = Json::array({value.until ? Json(value.until->time_since_epoch().count()) : Json(), value.signal});
    if (value.children > 0) {
      list.push_back(value.run);
      list.push_back(value.children);
    }
    writer_.json(list);
  }
  void write(const Flows& values) {
    writer_.list(2 * values.size());
    for (const auto& [path, digest] : values) {
      write(path);
      write(digest);
    }
  }
  template <class T>
  void write(const std::optional<T>& value) {
    write(*value);
  }

  CborWriter& writer_;
  bool too_deep_ = false;
};

class Decoder {
 public:
  explicit Decoder(Json& map) : map_(map), bad_(!map.is_object()) {}

  template <class T>
  void operator()(std::string_view key, T& field) {
    if (!take(key, field)) bad_ = true;
  }

  template <class T>
  void maybe(std::string_view key, T& field, const T& fallback = T{}) {
    field = fallback;
    take(key, field);
  }

  bool bad() const { return bad_; }

 private:
  // False when the key is not there.
  template <class T>
  bool take(std::string_view key, T& field) {
    if (bad_) return true;
    const auto found = map_.find(key);
    if (found == map_.end()) return false;
    if (!read(*found, field)) bad_ = true;
    return true;
  }

  static bool read(Json& from, std::string& to) {
    auto* text = from.get_ptr<Json::string_t*>();
    if (text == nullptr) return false;
    to = std::move(*text);
    return true;
  }
  static bool read(Json& from, bool& to) {
    if (!from.is_boolean()) return false;
    to = from.get<bool>();
    return true;
  }
  static bool read(Json& from, std::uint64_t& to) {
    if (!from.is_number_unsigned() && !(from.is_number_integer() && from.get<std::int64_t>() >= 0)) return false;
    to = from.get<std::uint64_t>();
    return true;
  }
  static bool read(Json& from, std::uint32_t& to) {
    std::uint64_t wide = 0;
    if (!read(from, wide) || wide > std::numeric_limits<std::uint32_t>::max()) return false;
    to = static_cast<std::uint32_t>(wide);
    return true;
  }
  static bool read(Json& from, Millis& to) {
    if (!from.is_number_integer() || from.is_number_unsigned()) return false;
    to = Millis(from.get<std::int64_t>());
    return true;
  }
  static bool read(Json& from, WallTime& to) {
    Millis since{0};
    if (!read(from, since)) return false;
    to = WallTime(since);
    return true;
  }
  static bool read(Json& from, Status& to) {
    std::uint64_t number = 0;
    if (!read(from, number) || number > static_cast<std::uint64_t>(Status::kCancelled)) return false;
    to = static_cast<Status>(number);
    return to != Status::kInterrupted;
  }
  static bool read(Json& from, StreamEnd& to) {
    std::uint64_t number = 0;
    if (!read(from, number) || number > static_cast<std::uint64_t>(StreamEnd::kStopped)) return false;
    to = static_cast<StreamEnd>(number);
    return true;
  }
  static bool read(Json& from, std::vector<std::string>& to) {
    if (!from.is_array()) return false;
    for (Json& element : from) {
      if (!read(element, to.emplace_back())) return false;
    }
    return true;
  }
  static bool read(Json& from, WaitsFor& to) {
    if (!from.is_array() || (from.size() != 2 && from.size() != 4)) return false;
    if (from.size() == 4 && !(read(from[2], to.run) && read(from[3], to.children))) return false;
    return (from[0].is_null() || read(from[0], to.until)) && read(from[1], to.signal);
  }
  static bool read(Json& from, Flows& to) {
    if (!from.is_array() || from.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < from.size(); i += 2) {
      std::string path;
      if (!read(from[i], path) || !read(from[i + 1], to[path])) return false;
    }
    return true;
  }
  static bool read(Json& from, Json& to) {
    to = std::move(from);
    return true;
  }
  template <class T>
  static bool read(Json& from, std::optional<T>& to) {
    return read(from, to.emplace());
  }

  Json& map_;
  bool bad_;
};

StoreError corrupt(std::string_view what) {
  return {StoreErrorKind::kCorrupt, fmt::format("{} in the store cannot be read", what)};
}

StoreError newer(std::string message) {
  return {StoreErrorKind::kNewerVersion, std::move(message), "a later version of canorun wrote it: use that one"};
}

std::optional<std::uint64_t> number_at(const Json& list, std::size_t index) {
  if (!list.is_array() || list.size() <= index || !list[index].is_number_integer()) return std::nullopt;
  const auto number = list[index].get<std::int64_t>();
  return number >= 0 ? std::optional(static_cast<std::uint64_t>(number)) : std::nullopt;
}

template <std::size_t Index>
bool decode_body(Json& payload, Body& body) {
  auto& row = body.emplace<Index>();
  Decoder decoder(payload);
  fields(decoder, row, &row);
  return !decoder.bad();
}

// One decoder per type, at its number.
constexpr auto kDecoders = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array{&decode_body<I>...};
}(std::make_index_sequence<std::variant_size_v<Body>>{});

}  // namespace

StoreResult<std::string> encode(const Row& row) {
  CborWriter writer;
  writer.list(4);
  writer.number(row.body.index());
  writer.number(kPayloadVersions[row.body.index()]);
  writer.signed_number(row.at.time_since_epoch().count());
  writer.begin_map();
  Encoder encoder(writer);
  std::visit([&](const auto& body) { fields(encoder, body, &body); }, row.body);
  writer.end_map();
  if (encoder.too_deep()) {
    return std::unexpected(StoreError{
        StoreErrorKind::kIo, fmt::format("a {} row holds a value nested deeper than {} levels, which cannot be kept",
                                         type_name(row), kMaxRowDepth)});
  }
  return writer.take();
}

StoreResult<Row> decode_row(std::string_view bytes) {
  auto value = parse_cbor(bytes, kMaxRowDepth + kEnvelopeDepth);
  if (!value) return std::unexpected(corrupt("a row"));
  const auto type = number_at(*value, 0);
  const auto version = number_at(*value, 1);
  if (!type || !version) return std::unexpected(corrupt("a row"));
  if (*type >= kDecoders.size()) return std::unexpected(newer(fmt::format("a row of unknown type {}", *type)));
  if (*version > kPayloadVersions[*type]) {
    return std::unexpected(newer(fmt::format("a row of type {} in version {}", *type, *version)));
  }
  Row row;
  const bool whole = value->size() == 4 && (*value)[2].is_number_integer() && !(*value)[2].is_number_unsigned();
  if (!whole || !kDecoders[*type]((*value)[3], row.body)) return std::unexpected(corrupt("a row"));
  row.at = WallTime(Millis((*value)[2].get<std::int64_t>()));
  return row;
}

StoreResult<std::string> encode(const Signal& signal) {
  CborWriter writer;
  writer.list(2);
  writer.number(kSignalVersion);
  writer.begin_map();
  Encoder encoder(writer);
  fields(encoder, signal, &signal);
  writer.end_map();
  if (encoder.too_deep()) {
    return std::unexpected(StoreError{
        StoreErrorKind::kIo,
        fmt::format("the data of a signal is nested deeper than {} levels, which cannot be kept", kMaxRowDepth)});
  }
  return writer.take();
}

StoreResult<Signal> decode_signal(std::string_view bytes) {
  auto value = parse_cbor(bytes, kMaxRowDepth + kEnvelopeDepth);
  const auto version = value ? number_at(*value, 0) : std::nullopt;
  if (!version || value->size() != 2) return std::unexpected(corrupt("a signal"));
  if (*version > kSignalVersion) return std::unexpected(newer(fmt::format("a signal in version {}", *version)));
  Signal signal;
  Decoder decoder((*value)[1]);
  fields(decoder, signal, &signal);
  if (decoder.bad()) return std::unexpected(corrupt("a signal"));
  return signal;
}

std::string encode(const RunEntry& entry) {
  CborWriter writer;
  writer.list(2);
  writer.number(kEntryVersion);
  writer.begin_map();
  Encoder encoder(writer);
  fields(encoder, entry, &entry);
  writer.end_map();
  return writer.take();
}

StoreResult<RunEntry> decode_entry(std::string_view bytes) {
  auto value = parse_cbor(bytes, kEnvelopeDepth);
  const auto version = value ? number_at(*value, 0) : std::nullopt;
  if (!version) return std::unexpected(corrupt("the record of a run"));
  if (*version > kEntryVersion) {
    return std::unexpected(newer(fmt::format("the record of a run in version {}", *version)));
  }
  if (value->size() != 2) return std::unexpected(corrupt("the record of a run"));
  RunEntry entry;
  Decoder decoder((*value)[1]);
  fields(decoder, entry, &entry);
  if (decoder.bad()) return std::unexpected(corrupt("the record of a run"));
  return entry;
}

}  // namespace canorun::store
