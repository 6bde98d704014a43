#include "cli/folder_content.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/value.h"

namespace canorun::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyForm = "xxxxxxxx-xxxx-5xxx-xxxx-xxxxxxxxxxxx";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_key(std::string_view text) {
  return text.size() == kKeyForm.size() &&
         std::ranges::equal(text, kKeyForm, [](char c, char form) { return form == 'x' ? is_hex(c) : c == form; });
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

Entry read_entry(const fs::path& path, const struct stat& found) {
  Entry entry{.kind = Entry::Kind::kOther, .mode = found.st_mode & 07777};
  std::error_code ignored;
  if (S_ISDIR(found.st_mode)) {
    entry.kind = Entry::Kind::kFolder;
  } else if (S_ISLNK(found.st_mode)) {
    entry = {.kind = Entry::Kind::kLink, .content = without_keys(fs::read_symlink(path, ignored).native())};
  } else if (S_ISREG(found.st_mode)) {
    const std::string text = without_keys(read_file(path));
    entry.kind = Entry::Kind::kFile;
    entry.content = digest(text);
    entry.size = text.size();
    entry.is_text = text.find('\0') == std::string::npos;
    if (entry.is_text) entry.lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    if (entry.is_text && !text.empty() && text.back() != '\n') ++entry.lines;
  }
  return entry;
}

using Found = std::vector<std::pair<std::string, Entry>>;

void read_into(Found& all, const fs::path& path, const std::string& name) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (name != ".") all.emplace_back(without_keys(to_utf8(name)), read_entry(path, found));
  if (!S_ISDIR(found.st_mode)) return;
  std::error_code ignored;
  for (fs::directory_iterator entry(path, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    const std::string below = entry->path().filename().native();
    read_into(all, entry->path(), name == "." ? below : name + "/" + below);
  }
}

}  // namespace

std::string without_keys(std::string_view text) {
  constexpr std::size_t kFirstDash = 8;
  std::string out;
  std::size_t taken = 0;
  for (auto dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    if (dash < taken + kFirstDash || !is_key(text.substr(dash - kFirstDash, kKeyForm.size()))) continue;
    out.append(text.substr(taken, dash - kFirstDash - taken));
    out += "{key}";
    taken = dash - kFirstDash + kKeyForm.size();
  }
  out.append(text.substr(taken));
  return out;
}

Content read_content(const fs::path& path, const std::string& name) {
  Found all;
  read_into(all, path, name);
  // Names that only their keys told apart come in the order of what they hold: the keys have none.
  std::ranges::sort(all);
  Content content;
  std::size_t same = 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    same = i > 0 && all[i - 1].first == all[i].first ? same + 1 : 1;
    content.emplace(same == 1 ? all[i].first : fmt::format("{} ({})", all[i].first, same), std::move(all[i].second));
  }
  return content;
}

std::string_view kind_name(Entry::Kind kind) {
  switch (kind) {
    case Entry::Kind::kFile: return "file";
    case Entry::Kind::kFolder: return "folder";
    case Entry::Kind::kLink: return "link";
    case Entry::Kind::kOther: break;
  }
  return "special file";
}

}  // namespace canorun::cli
