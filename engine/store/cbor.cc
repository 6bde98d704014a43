#include "engine/store/cbor.h"

#include <limits>
#include <vector>

namespace canorun::store {
namespace {

constexpr std::uint64_t kIndefinite = std::numeric_limits<std::uint64_t>::max();

// Walks over bytes that need not be CBOR, and measures how deep they nest.
class Walker {
 public:
  explicit Walker(std::string_view bytes) : bytes_(bytes) {}

  // Whether the bytes hold one value, whole, that nests at most `max_depth` deep.
  bool fits(std::size_t max_depth) {
    std::vector<std::uint64_t> open{1};  // values still to come, innermost last
    while (!open.empty()) {
      if (open.back() == 0) {
        open.pop_back();
        continue;
      }
      if (at_ == bytes_.size()) return false;
      if (open.back() == kIndefinite) {
        if (byte(at_) == 0xFF) {
          ++at_;
          open.pop_back();
          continue;
        }
      } else {
        --open.back();
      }
      const auto inside = item();
      if (!inside) return false;
      if (*inside != 0) open.push_back(*inside);
      if (open.size() > max_depth + 1) return false;
    }
    return at_ == bytes_.size();
  }

 private:
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(bytes_[at]); }

  // Steps over a value's head, and over its content where that is bytes. Gives how many values are in it.
  std::optional<std::uint64_t> item() {
    const unsigned major = byte(at_) >> 5;
    const unsigned info = byte(at_) & 0x1F;
    ++at_;
    const bool indefinite = info == 31;
    const auto value = indefinite ? std::optional(kIndefinite) : argument(info);
    if (!value || (indefinite && (major < 2 || major > 5))) return std::nullopt;
    switch (major) {
      case 2:
      case 3:
        if (indefinite) return kIndefinite;
        if (*value > bytes_.size() - at_) return std::nullopt;
        at_ += *value;
        return 0;
      case 4: return indefinite || *value <= bytes_.size() - at_ ? value : std::nullopt;
      case 5:
        if (indefinite) return kIndefinite;
        return *value <= (bytes_.size() - at_) / 2 ? std::optional(*value * 2) : std::nullopt;
      case 6: return 1;
      default: return 0;
    }
  }

  std::optional<std::uint64_t> argument(unsigned info) {
    if (info < 24) return info;
    if (info > 27) return std::nullopt;
    const std::size_t size = std::size_t{1} << (info - 24);
    if (size > bytes_.size() - at_) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = (value << 8) | byte(at_++);
    return value;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

void CborWriter::begin_map() {
  map_at_ = bytes_.size();
  map_keys_ = 0;
  head(5, 0);
}

void CborWriter::key(std::string_view name) {
  ++map_keys_;
  text(name);
}

void CborWriter::end_map() { bytes_[map_at_] = static_cast<char>(0xA0 | map_keys_); }

void CborWriter::signed_number(std::int64_t value) {
  if (value >= 0) {
    head(0, static_cast<std::uint64_t>(value));
  } else {
    head(1, static_cast<std::uint64_t>(-(value + 1)));
  }
}

void CborWriter::text(std::string_view value) {
  head(3, value.size());
  bytes_ += value;
}

void CborWriter::json(const Json& value) { Json::to_cbor(value, nlohmann::detail::output_adapter<char>(bytes_)); }

void CborWriter::head(unsigned major, std::uint64_t value) {
  const unsigned type = major << 5;
  if (value < 24) {
    bytes_ += static_cast<char>(type | value);
    return;
  }
  const unsigned power = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFFFFFF ? 2 : 3;
  bytes_ += static_cast<char>(type | (24 + power));
  for (int shift = (8 << power) - 8; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
}

std::optional<Json> parse_cbor(std::string_view bytes, std::size_t max_depth) {
  if (!Walker(bytes).fits(max_depth)) return std::nullopt;
  try {
    Json value = Json::from_cbor(bytes, true, false);
    if (value.is_discarded()) return std::nullopt;
    normalize(value);
    return value;
  } catch (const Json::exception&) {  // it throws on some counts even when told not to
    return std::nullopt;
  }
}

}  // namespace canorun::store
