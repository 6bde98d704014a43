#include "engine/base/masker.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/blanks.h"
#include "engine/base/percent.h"
#include "engine/base/source.h"

namespace canorun {
namespace {

constexpr std::uint32_t kRoot = 0;
constexpr std::string_view kCut = "…";
// No message quotes more of a text that it cuts.
constexpr std::size_t kLongestCut = 256;

bool is_long_enough(std::string_view text) { return count_characters(text) >= kShortestSecret; }

std::string inside_json(std::string_view text, bool ascii) {
  const std::string quoted = Json(text).dump(-1, ' ', ascii, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// With one character written in another way.
std::string with(std::string_view text, char character, std::string_view written) {
  std::string out;
  for (const char c : text) c == character ? out.append(written) : out.append(1, c);
  return out;
}

bool looks_like_number(std::string_view text) { return text.find_first_not_of("0123456789+-.eE") == text.npos; }

}  // namespace

Masker::Masker(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase(secrets_, std::string());
  if (secrets_.empty()) return;
  nodes_.emplace_back();
  first_.assign(std::numeric_limits<unsigned char>::max() + 1, 0);
  for (const std::string& secret : secrets_) {
    add_forms(secret);
    has_number_ = has_number_ || looks_like_number(secret);
    const std::string_view core = trimmed(secret);
    if (is_long_enough(core)) add_forms(core);
    for (std::string_view rest = core; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = trimmed(rest.substr(0, end));
      if (is_long_enough(line)) add_forms(line);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  link();
}

// Programs differ in what they escape: what is beyond ASCII, a slash, what HTML takes for its own.
void Masker::add_forms(std::string_view text) {
  add(text);
  const std::string json = inside_json(text, false);
  const std::string ascii = inside_json(text, true);
  add(json);
  add(ascii);
  add(with(ascii, '/', "\\/"));
  add(with(with(with(json, '<', "\\u003c"), '>', "\\u003e"), '&', "\\u0026"));
  for (const std::string_view digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
    add(percent_encoded(text, "-._~", digits));
    add(percent_encoded(text, "-._~/", digits));                  // Python's quote()
    add(percent_encoded(text, "-._~!*'()", digits));              // encodeURIComponent()
    add(with(percent_encoded(text, "-._~ ", digits), ' ', "+"));  // quote_plus(), Go's QueryEscape()
    add(with(percent_encoded(text, "-._* ", digits), ' ', "+"));  // a browser's forms, Java's URLEncoder
  }
}

void Masker::add(std::string_view text) {
  const std::uint32_t end = grow(kRoot, text);
  if (nodes_[end].longest > 0) return;
  nodes_[end].longest = static_cast<std::uint32_t>(text.size());
  add_cut(text);
}

void Masker::add_cut(std::string_view text) {
  std::uint32_t at = kRoot;
  for (std::size_t size = 1; size < std::min(text.size(), kLongestCut); ++size) {
    at = child_of(at, static_cast<unsigned char>(text[size - 1]));
    const bool between_characters = (static_cast<unsigned char>(text[size]) & 0xC0) != 0x80;
    if (size < kShortestSecret || !between_characters) continue;
    nodes_[grow(at, kCut)].longest = static_cast<std::uint32_t>(size + kCut.size());
  }
}

std::uint32_t Masker::child_of(std::uint32_t node, unsigned char byte) const {
  if (node == kRoot) return first_[byte];
  std::uint32_t child = nodes_[node].child;
  while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].sibling;
  return child;
}

std::uint32_t Masker::grow(std::uint32_t from, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t child = child_of(from, byte);
    if (child == 0) {
      child = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({.sibling = nodes_[from].child, .depth = nodes_[from].depth + 1, .byte = byte});
      nodes_[from].child = child;
      if (from == kRoot) first_[byte] = child;
    }
    from = child;
  }
  return from;
}

// Level by level: what a node fails to lies on a higher one.
void Masker::link() {
  std::vector<std::uint32_t> level{kRoot};
  while (!level.empty()) {
    std::vector<std::uint32_t> below;
    for (const std::uint32_t node : level) {
      for (std::uint32_t child = nodes_[node].child; child != 0; child = nodes_[child].sibling) {
        Node& linked = nodes_[child];
        if (node != kRoot) linked.fail = step(nodes_[node].fail, linked.byte);
        linked.longest = std::max(linked.longest, nodes_[linked.fail].longest);
        below.push_back(child);
      }
    }
    level = std::move(below);
  }
}

std::uint32_t Masker::step(std::uint32_t node, unsigned char byte) const {
  for (;;) {
    const std::uint32_t child = child_of(node, byte);
    if (child != 0 || node == kRoot) return child;
    node = nodes_[node].fail;
  }
}

bool Masker::occurs_in(std::string_view text) const {
  std::uint32_t node = kRoot;
  return std::ranges::any_of(text, [&](char c) {
    node = step(node, static_cast<unsigned char>(c));
    return nodes_[node].longest > 0;
  });
}

void Masker::mask(std::string& text) const {
  if (empty() || !occurs_in(text)) return;
  MaskedStream stream(*this);
  std::string masked(stream.take(text));
  masked += stream.rest();
  text = std::move(masked);
}

void Masker::mask_keys(Json& object) const {
  auto& fields = object.get_ref<Json::object_t&>();
  std::vector<std::string> names;
  for (const auto& [name, value] : fields) {
    if (occurs_in(name)) names.push_back(name);
  }
  for (const std::string& name : names) {
    auto field = fields.extract(name);
    mask(field.key());
    fields.insert(std::move(field));
  }
}

void Masker::mask(Json& value) const {
  if (empty()) return;
  std::vector<Json*> open{&value};
  while (!open.empty()) {
    Json& node = *open.back();
    open.pop_back();
    if (auto* text = node.get_ptr<std::string*>()) {
      mask(*text);
    } else if (node.is_number()) {
      if (has_number_ && std::ranges::find(secrets_, node.dump()) != secrets_.end()) node = kMasked;
    } else if (node.is_structured()) {
      if (node.is_object()) mask_keys(node);
      for (Json& element : node) open.push_back(&element);
    }
  }
}

std::string_view MaskedStream::take(std::string_view bytes) {
  if (masker_.empty()) return bytes;
  out_.clear();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (node_ == kRoot) {
      settle(held_.size());
      const std::size_t begin = at;
      while (at < bytes.size() && masker_.first_[static_cast<unsigned char>(bytes[at])] == 0) ++at;
      if (at == bytes.size() && begin == 0 && out_.empty()) return bytes;
      out_.append(bytes.substr(begin, at - begin));
      if (at == bytes.size()) break;
    }
    hold(bytes[at]);
  }
  settle(held_.size() - masker_.nodes_[node_].depth);
  return out_;
}

void MaskedStream::hold(char byte) {
  node_ = masker_.step(node_, static_cast<unsigned char>(byte));
  held_ += byte;
  const std::size_t length = masker_.nodes_[node_].longest;
  while (node_ != kRoot && masker_.nodes_[node_].child == 0) node_ = masker_.nodes_[node_].fail;  // nothing is longer
  if (length > 0) cover(length);
}

void MaskedStream::cover(std::size_t length) {
  Span found{held_.size() - length, held_.size(), false};
  while (!spans_.empty() && spans_.back().end > found.begin) {
    found.begin = std::min(found.begin, spans_.back().begin);
    found.told = found.told || spans_.back().told;
    spans_.pop_back();
  }
  spans_.push_back(found);
}

// So many of the bytes that are held can be part of nothing new: they are told, or what masks them is.
void MaskedStream::settle(std::size_t count) {
  if (count == 0) return;
  std::size_t told = 0;
  auto span = spans_.begin();
  for (; span != spans_.end() && span->begin < count; ++span) {
    out_.append(held_, told, span->begin - told);
    if (!std::exchange(span->told, true)) out_.append(kMasked);
    told = std::min(span->end, count);
    if (span->end > count) break;
  }
  out_.append(held_, told, count - told);
  spans_.erase(spans_.begin(), span);
  held_.erase(0, count);
  for (Span& left : spans_) {
    left.begin -= std::min(left.begin, count);
    left.end -= count;
  }
}

std::string_view MaskedStream::finish() {
  const std::size_t begun = masker_.empty() ? 0 : masker_.nodes_[node_].depth;
  if (begun >= kShortestSecret) cover(begun);
  return rest();
}

std::string_view MaskedStream::rest() {
  out_.clear();
  settle(held_.size());
  node_ = kRoot;
  return out_;
}

}  // namespace canorun
