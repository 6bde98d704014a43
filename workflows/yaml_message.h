// What a YAML parser's error means for the person who wrote the file.
#pragma once

#include <cstdint>
#include <string_view>

namespace canorun::workflows {

struct YamlMessage {
  std::string_view message;
  std::string_view hint;
  std::uint32_t at = 0;
  char opened_by = '\0';  ///< better told where this bracket was opened
};

/// Words for one of yaml-cpp's texts; its own text where there are none. `at` is where it was noticed.
YamlMessage explain_yaml_error(std::string_view text, std::string_view source, std::uint32_t at);

}  // namespace canorun::workflows
