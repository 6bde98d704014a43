// Percent-encoding (RFC 3986), as urls and forms have it.
#pragma once

#include <string>
#include <string_view>

namespace canorun {

/// Every byte but letters, digits and those of `kept` as `%XX`, written with these digits.
inline std::string percent_encoded(std::string_view text, std::string_view kept = "-._~",
                                   std::string_view digits = "0123456789ABCDEF") {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace canorun
