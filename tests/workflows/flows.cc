#include "workflows/flows.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace canorun::workflows::testing {

TempFolder::TempFolder() {
  std::string pattern = "/tmp/canorun-workflows-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

TempFolder::~TempFolder() { std::filesystem::remove_all(path_); }

std::string TempFolder::write(const std::string& name, const std::string& text) const {
  std::string file = path_ + "/" + name;
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

}  // namespace canorun::workflows::testing
