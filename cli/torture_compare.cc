#include "cli/torture_compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kValue = 60;

std::string folder_of(const std::string& name) {
  const auto slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

std::string shown(const std::string& name) { return one_line(name, 200); }
std::string shown_folder(const std::string& name) { return name.empty() ? "the folder" : "folder " + shown(name); }

std::size_t entries_of(const Content& content, const std::string& folder) {
  return static_cast<std::size_t>(
      std::ranges::count_if(content, [&](const auto& entry) { return folder_of(entry.first) == folder; }));
}

std::string element(const std::string& name, const std::string& key, bool of_list) {
  return of_list ? fmt::format("{}[{}]", name, key) : fmt::format("{}.{}", name, key);
}

// Lists of the same length, maps with the same keys.
bool have_same_places(const Json& one, const Json& other) {
  if (one.type() != other.type() || !one.is_structured() || one.size() != other.size()) return false;
  if (one.is_array()) return true;
  for (const auto& [key, value] : one.items()) {
    if (!other.contains(key)) return false;
  }
  return true;
}

std::string instead(std::string_view subject, std::string_view found, std::string_view expected) {
  return fmt::format("{} is {} instead of {}", subject, found, expected);
}

std::string or_none(const std::string& text) { return text.empty() ? "none" : "'" + one_line(text, kValue) + "'"; }

}  // namespace

void Baseline::learn(const End& another) {
  for (const auto& [key, difference] : compare(another)) {
    noise_.insert(key);
    if (!key.starts_with("there:")) continue;
    const std::string folder = folder_of(difference.name);
    const bool stays = first_.files.contains(folder) && another.files.contains(folder);
    if (folder.empty() || stays) folders_.insert(folder);
  }
  std::vector<Found> counts;
  count_entries(counts, another.files);
  for (const Found& count : counts) noise_.insert(count.key);
}

std::vector<Difference> Baseline::differences(const End& end) const {
  if (!end.trouble.empty()) return {{"trouble", {}, end.trouble}};
  std::vector<Difference> out;
  std::set<std::string> counted_files;  // whoever knows of the lines need not hear of the bytes
  for (Found& found : compare(end)) {
    if (is_noise(found.key)) continue;
    if (found.key.starts_with("content:") && counted_files.contains(found.difference.name)) continue;
    if (found.key.starts_with("lines:")) counted_files.insert(found.difference.name);
    out.push_back(std::move(found.difference));
  }
  return out;
}

std::vector<Baseline::Found> Baseline::compare(const End& end) const {
  std::vector<Found> out;
  if (end.status != first_.status) {
    const auto text = instead("the status", store::status_name(end.status), store::status_name(first_.status));
    out.push_back({"status", {"status", {}, text}});
  }
  if (end.state != first_.state) {
    out.push_back({"state", {"state", {}, instead("the last state", or_none(end.state), or_none(first_.state))}});
  }
  if (end.error != first_.error) {
    out.push_back({"error", {"error", {}, instead("the error's kind", or_none(end.error), or_none(first_.error))}});
  }
  compare_values(out, "output", first_.output, end.output);
  compare_files(out, end.files);
  return out;
}

void Baseline::compare_values(std::vector<Found>& out, const std::string& name, const Json& expected,
                              const Json& found) const {
  if (!have_same_places(expected, found)) {
    if (expected == found) return;
    const auto text = instead(shown(name), brief(found, kValue), brief(expected, kValue));
    out.push_back({"value:" + name, {"output", name, text}});
    return;
  }
  for (const auto& [key, value] : expected.items()) {
    const Json& other = expected.is_array() ? found[std::stoul(key)] : found[key];
    compare_values(out, element(name, key, expected.is_array()), value, other);
  }
}

void Baseline::compare_files(std::vector<Found>& out, const Content& found) const {
  for (const auto& [name, expected] : first_.files) {
    const auto other = found.find(name);
    if (other != found.end()) {
      compare_entry(out, name, expected, other->second);
    } else if (!is_passing(name, found)) {
      const auto text = fmt::format("{} {} is missing", kind_name(expected.kind), shown(name));
      out.push_back({"there:" + name, {"file", name, text}});
    }
  }
  for (const auto& [name, entry] : found) {
    if (first_.files.contains(name) || is_passing(name, found)) continue;
    const auto text = fmt::format("{} {} is there, and was not", kind_name(entry.kind), shown(name));
    out.push_back({"there:" + name, {"file", name, text}});
  }
  count_entries(out, found);
}

void Baseline::compare_entry(std::vector<Found>& out, const std::string& name, const Entry& expected,
                             const Entry& found) const {
  const auto add = [&](std::string_view what, std::string text) {
    out.push_back({fmt::format("{}:{}", what, name), {"file", name, std::move(text)}});
  };
  const std::string subject = fmt::format("{} {}", kind_name(expected.kind), shown(name));
  if (found.kind != expected.kind) {
    add("kind",
        fmt::format("{} is a {} instead of a {}", shown(name), kind_name(found.kind), kind_name(expected.kind)));
    return;
  }
  if (found.mode != expected.mode) {
    add("mode", fmt::format("{} has mode {:04o} instead of {:04o}", subject, found.mode, expected.mode));
  }
  if (found.content == expected.content) return;
  if (expected.kind == Entry::Kind::kLink) {
    add("content", fmt::format("{} leads to {} instead of {}", subject, shown(found.content), shown(expected.content)));
    return;
  }
  if (found.is_text && expected.is_text && found.lines != expected.lines) {
    add("lines", fmt::format("{} has {} instead of {}", subject, counted(found.lines, "line"), expected.lines));
  }
  const bool sizes = found.size != expected.size;
  add("content",
      fmt::format("{} has another content{}", subject,
                  sizes ? fmt::format(": {} instead of {}", counted(found.size, "byte"), expected.size) : ""));
}

void Baseline::count_entries(std::vector<Found>& out, const Content& found) const {
  for (const std::string& folder : folders_) {
    const auto expected = entries_of(first_.files, folder);
    const auto now = entries_of(found, folder);
    if (now == expected) continue;
    const auto text = fmt::format("{} has {} entries instead of {}", shown_folder(folder), now, expected);
    out.push_back({"count:" + folder, {"file", folder, text}});
  }
}

bool Baseline::is_noise(const std::string& key) const {
  if (noise_.contains(key)) return true;
  if (!key.starts_with("value:")) return false;
  return std::ranges::any_of(noise_, [&](const std::string& noise) {
    return key.starts_with(noise) && (key[noise.size()] == '.' || key[noise.size()] == '[');
  });
}

bool Baseline::is_passing(const std::string& name, const Content& found) const {
  for (std::string part = name; !part.empty(); part = folder_of(part)) {
    if (folders_.contains(folder_of(part)) && first_.files.contains(part) != found.contains(part)) return true;
  }
  return false;
}

std::vector<std::string> Baseline::left_out() const {
  std::vector<std::string> out;
  for (const std::string& key : noise_) {
    const std::string what = key.substr(0, key.find(':'));
    const std::string raw = key.substr(std::min(key.size(), what.size() + 1));
    const std::string name = shown(raw);
    const auto file = first_.files.find(raw);
    const bool counts = file != first_.files.end() && file->second.is_text && !noise_.contains("lines:" + raw);
    if (what == "status") out.emplace_back("the status");
    if (what == "state") out.emplace_back("the last state");
    if (what == "error") out.emplace_back("the error's kind");
    if (what == "value") out.push_back(name);
    if (what == "kind") out.push_back("what " + name + " is");
    if (what == "mode") out.push_back("the mode of " + name);
    if (what == "content")
      out.push_back("the content of " + name + (counts ? ", but for the number of its lines" : ""));
  }
  for (const std::string& folder : folders_) {
    const bool counts = !noise_.contains("count:" + folder);
    out.push_back("which files " + shown_folder(folder) + " has" + (counts ? ", but for how many" : ""));
  }
  return out;
}

}  // namespace canorun::cli
