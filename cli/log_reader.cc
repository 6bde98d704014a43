#include "cli/log_reader.h"

#include <filesystem>

namespace canorun::cli {

void LogReader::read(const Taker& taker) {
  for (const run::LogFile& log : run::find_logs(folder_, state_)) {
    for (std::size_t part = 0; part < log.parts.size(); ++part) {
      const std::string& path = log.parts[part];
      std::error_code error;
      const std::uint64_t size = std::filesystem::file_size(path, error);
      if (error) continue;
      const auto [found, is_new] = offsets_.try_emplace(path, 0);
      if (part == 1 && is_new && log.left_out > 0 && taker.gap) taker.gap(log.name, log.left_out);
      if (size < found->second) found->second = 0;  // a tail that was emptied to be filled again
      if (size == found->second) continue;
      const auto behind =
          run::read_log(path, found->second, [&](const run::Chunk& chunk) { taker.chunk(log.name, chunk); });
      found->second = behind ? *behind : size;
    }
  }
}

}  // namespace canorun::cli
