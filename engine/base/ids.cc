#include "engine/base/ids.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sha2.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <charconv>

namespace canorun {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

template <class First, class Rest>
bool matches(std::string_view text, std::size_t longest, First first, Rest rest) {
  return !text.empty() && text.size() <= longest && first(text[0]) && std::all_of(text.begin() + 1, text.end(), rest);
}

}  // namespace

bool is_flow_name(std::string_view text) {
  return matches(
      text, 63, [](char c) { return is_lower(c) || is_digit(c); },
      [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_name(std::string_view text) {
  return matches(
      text, 63, [](char c) { return is_letter(c) || c == '_'; },
      [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_run_id(std::string_view text) {
  return matches(
      text, 128, [](char c) { return is_letter(c) || is_digit(c); },
      [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_signal_name(std::string_view text) { return is_run_id(text); }

std::string make_run_id(std::string_view flow, WallTime now, Random& random) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's base 32
  std::uint64_t bits = random.bits();
  std::string tail;
  for (int i = 0; i < 4; ++i, bits >>= 5) tail += kAlphabet[bits & 31];
  const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
  return fmt::format("{}-{:%Y%m%d-%H%M%S}-{}", flow, fmt::gmtime(seconds), tail);
}

std::string child_run_id(std::string_view parent, std::uint64_t number) { return fmt::format("{}.{}", parent, number); }

std::optional<std::uint64_t> child_number(std::string_view parent, std::string_view id) {
  if (!id.starts_with(parent) || !id.substr(parent.size()).starts_with('.')) return std::nullopt;
  const std::string_view digits = id.substr(parent.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string work_name(std::string_view state, std::string_view part) {
  return part.empty() ? std::string(state) : fmt::format("{}/{}", state, part);
}

std::string make_nonce(Random& random) {
  boost::uuids::uuid id{};
  for (std::size_t i = 0; i < 16; i += 8) {
    std::uint64_t bits = random.bits();
    for (std::size_t j = 0; j < 8; ++j, bits >>= 8) id.data[i + j] = static_cast<std::uint8_t>(bits & 0xFF);
  }
  id.data[6] = static_cast<std::uint8_t>((id.data[6] & 0x0F) | 0x40);
  id.data[8] = static_cast<std::uint8_t>((id.data[8] & 0x3F) | 0x80);
  return boost::uuids::to_string(id);
}

std::string idempotency_key(std::string_view nonce, std::string_view work) {
  const boost::uuids::uuid space = boost::uuids::string_generator{}(nonce.begin(), nonce.end());
  return boost::uuids::to_string(boost::uuids::name_generator_sha1{space}(work.data(), work.size()));
}

std::string digest(std::string_view text) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  std::array<char, SHA256_DIGEST_STRING_LENGTH> hex{};
  return SHA256End(&context, hex.data());
}

}  // namespace canorun
