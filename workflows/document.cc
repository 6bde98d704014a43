#include "workflows/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>
#include <unordered_map>

#include "workflows/core_schema.h"
#include "workflows/text_check.h"
#include "workflows/yaml_message.h"

namespace canorun::workflows {
namespace {

constexpr std::size_t kMaxNodes = 500'000;
constexpr std::size_t kMaxAliasNodes = 100'000;

class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

/// Ends parsing; what is wrong was reported.
struct Stop {};

NodeKind kind_of(const Json& value) {
  if (value.is_null()) return NodeKind::kNull;
  if (value.is_boolean()) return NodeKind::kBool;
  return value.is_number_float() ? NodeKind::kDouble : NodeKind::kInt;
}

}  // namespace

/// Turns the parser's events into nodes.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(Document& document, Report& report)
      : document_(document), text_(document.source_->text()), report_(report) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      stop(Code::kYamlSyntax, offset(mark), "a second document begins here", "one file holds one flow");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node& node = make(NodeKind::kNull, offset(mark));
    // The parser's place of a value that is not there is that of whatever comes next.
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,:]}#", node.begin), text_.size());
    const std::string_view written = text_.substr(node.begin, end - node.begin);
    if (const auto value = resolve_plain(written); value && value->is_null()) node.text = written;
    node.empty = node.text.empty();
    last_null_ = &node;
    add(node, anchor, {});
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    Node& node = make(NodeKind::kString, offset(mark));
    node.text = value;
    if (text_.substr(node.begin).starts_with('!')) {
      refuse_tag(node);
    } else {
      read_scalar(node);
    }
    add(node, anchor, {});
  }

  void read_scalar(Node& node) {
    if (const ScalarStyle style = scalar_style(text_, node.begin); style != ScalarStyle::kPlain) {
      if (!is_closed(style, node.begin))
        stop(Code::kYamlSyntax, node.begin, "this quoted text is not closed", "end it with the quote it begins with");
      return;
    }
    if (const auto resolved = resolve_plain(node.text)) node.kind = kind_of(*resolved);
    if (is_not_finite(node.text)) {
      report_.error(Code::kBadValue, document_.span(node), fmt::format("no value can hold {}", node.text),
                    "in quotes it is text");
    }
  }

  // The parser takes the end of the file for the end of a quoted text.
  bool is_closed(ScalarStyle style, std::uint32_t begin) const {
    if (style != ScalarStyle::kSingleQuoted && style != ScalarStyle::kDoubleQuoted) return true;
    const char quote = text_[begin];
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\' && style == ScalarStyle::kDoubleQuoted) {
        ++i;
      } else if (text_[i] == quote) {
        const bool doubled = style == ScalarStyle::kSingleQuoted && i + 1 < text_.size() && text_[i + 1] == quote;
        if (!doubled) return true;
        ++i;
      }
    }
    return false;
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(Code::kYamlSyntax, offset(mark), "an alias inside what it names");
    const Anchored& target = found->second;
    alias_nodes_ += target.measure.nodes;
    if (alias_nodes_ > kMaxAliasNodes) {
      stop(Code::kFileTooLarge, offset(mark), fmt::format("aliases expand to more than {} values", kMaxAliasNodes));
    }
    if (frames_.size() + target.measure.height > kMaxNesting) too_deep(offset(mark));
    attach(*target.node, target.measure);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::kList, mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(NodeKind::kMap, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  const Node* root() const { return root_; }

  /// Where the innermost collection that is still open and begins with `bracket` stands.
  std::optional<std::uint32_t> open_bracket(char bracket) const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      const std::uint32_t at = frame->node->begin;
      if (at < text_.size() && text_[at] == bracket) return at;
    }
    return std::nullopt;
  }

  std::uint32_t offset(const YAML::Mark& mark) const {
    if (mark.pos < 0) return static_cast<std::uint32_t>(text_.size());
    return static_cast<std::uint32_t>(std::min<std::size_t>(static_cast<std::size_t>(mark.pos), text_.size()));
  }

 private:
  /// What an alias of a node would add.
  struct Measure {
    std::size_t nodes = 1;
    std::size_t height = 0;
  };
  struct Anchored {
    const Node* node;
    Measure measure;
  };
  struct Frame {
    Node* node;
    YAML::anchor_t anchor;
    Measure measure;
    const Node* key = nullptr;  ///< of a map, waiting for its value
    std::unordered_map<std::string_view, const Node*> keys;
  };

  [[noreturn]] void stop(Code code, std::uint32_t at, std::string message, std::string hint = {}) {
    report_.error(code, {at, at + 1}, std::move(message), std::move(hint));
    throw Stop{};
  }
  [[noreturn]] void too_deep(std::uint32_t at) {
    stop(Code::kYamlSyntax, at, fmt::format("nested deeper than {} levels", kMaxNesting));
  }

  Node& make(NodeKind kind, std::uint32_t at) {
    if (document_.nodes_.size() >= kMaxNodes) {
      stop(Code::kFileTooLarge, at, fmt::format("more than {} values", kMaxNodes), "keep data in files of their own");
    }
    Node& node = document_.nodes_.emplace_back();
    node.kind = kind;
    node.begin = skip_anchor(at);
    return node;
  }

  // The parser's place of a node is that of its anchor.
  std::uint32_t skip_anchor(std::uint32_t at) const {
    if (at >= text_.size() || text_[at] != '&') return at;
    return static_cast<std::uint32_t>(skip_space(std::min(text_.find_first_of(" \t\r\n,[]{}", at), text_.size())));
  }

  // Most often a text that begins with `!` was meant, so it is read on as that; behind a tag of YAML's
  // own (`!!str`) stands the value that was meant.
  void refuse_tag(Node& node) {
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,[]{}", node.begin), text_.size());
    const std::string tag(text_.substr(node.begin, end - node.begin));
    const bool own = tag.starts_with("!!") || tag.starts_with("!<");
    report_.error(Code::kYamlSyntax, {node.begin, static_cast<std::uint32_t>(end)},
                  fmt::format("'{}' is a YAML tag, and no tag has a meaning here", tag.substr(0, 80)),
                  own ? "delete it: in quotes a value is text" : "quote a text that begins with '!'");
    if (own) node.begin = static_cast<std::uint32_t>(skip_space(end));
    if (!node.is_scalar()) return;
    if (own) {
      read_scalar(node);
      return;
    }
    const bool in_block =
        frames_.empty() || std::string_view("[{").find(text_[frames_.back().node->begin]) == std::string_view::npos;
    const std::size_t line_end = std::min(text_.find_first_of("\r\n", node.begin), text_.size());
    if (in_block) {
      node.text = text_.substr(node.begin, line_end - node.begin);
    } else {
      node.text = node.text.empty() ? tag : tag + ' ' + node.text;
    }
  }

  std::size_t skip_space(std::size_t at) const {
    for (;;) {
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
      if (at == text_.size() || text_[at] != '#') return at;
      at = std::min(text_.find('\n', at), text_.size());
    }
  }

  void open(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const std::uint32_t at = offset(mark);
    if (frames_.size() >= kMaxNesting) too_deep(at);
    Node& node = make(kind, at);
    if (text_.substr(node.begin).starts_with('!')) refuse_tag(node);
    frames_.push_back({&node, anchor, {}, nullptr, {}});
  }

  void close() {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(*frame.node, frame.anchor, frame.measure);
  }

  void add(const Node& node, YAML::anchor_t anchor, Measure measure) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {&node, measure};
    attach(node, measure);
  }

  void attach(const Node& node, Measure measure) {
    if (frames_.empty()) {
      root_ = &node;
      return;
    }
    Frame& frame = frames_.back();
    frame.measure.nodes += measure.nodes;
    frame.measure.height = std::max(frame.measure.height, measure.height + 1);
    if (frame.node->kind == NodeKind::kList) {
      frame.node->list.push_back(&node);
    } else if (frame.key == nullptr) {
      frame.key = &node;
    } else {
      add_entry(frame, {std::exchange(frame.key, nullptr), &node});
    }
  }

  void add_entry(Frame& frame, Entry entry) {
    if (!entry.key->is_scalar()) {
      report_.error(Code::kWrongType, document_.span(*entry.key),
                    fmt::format("{} cannot be a key", kind_name(*entry.key)), "a key is text");
      return;
    }
    const auto [first, is_new] = frame.keys.emplace(entry.key->text, entry.key);
    if (!is_new) {
      report_.error(Code::kDuplicateKey, document_.span(*entry.key),
                    fmt::format("'{}' is there twice", entry.key->text),
                    fmt::format("the first is in line {}", document_.source_->position(first->second->begin).line));
      return;
    }
    if (entry.value == last_null_) last_null_->key = entry.key;
    frame.node->map.push_back(entry);
  }

  Document& document_;
  std::string_view text_;
  Report& report_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  const Node* root_ = nullptr;
  Node* last_null_ = nullptr;
  std::size_t alias_nodes_ = 0;
  std::size_t documents_ = 0;
};

std::unique_ptr<const Document> Document::parse(std::shared_ptr<const Source> source, Report& report) {
  if (auto problem = check_text(source->text())) {
    report.error(problem->code, problem->span, std::move(problem->message), std::move(problem->hint));
    return nullptr;
  }
  std::unique_ptr<Document> document(new Document);
  document->source_ = std::move(source);
  ViewBuffer buffer(document->source_->text());
  std::istream stream(&buffer);
  TreeBuilder builder(*document, report);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return nullptr;
  } catch (const YAML::Exception& error) {
    auto told = explain_yaml_error(error.msg, document->source_->text(), builder.offset(error.mark));
    if (told.opened_by != '\0') told.at = builder.open_bracket(told.opened_by).value_or(told.at);
    report.error(Code::kYamlSyntax, {told.at, told.at + 1}, std::string(told.message), std::string(told.hint));
    return nullptr;
  }
  document->root_ = builder.root();
  if (document->root_ == nullptr || document->root_->empty) {
    report.error(Code::kYamlSyntax, {0, 0}, "the file is empty", "a flow begins with 'name: …'");
    return nullptr;
  }
  return document;
}

const ScalarMap& Document::map_of(const Node& node) const {
  if (mapped_ != &node) {
    map_ = std::make_unique<const ScalarMap>(source_->text(), node.begin, node.text);
    mapped_ = &node;
  }
  return *map_;
}

// Behind the last element there are only blanks, comments and a comma before the bracket.
std::uint32_t Document::flow_end(const Node& node) const {
  const std::string_view text = source_->text();
  const char bracket = node.kind == NodeKind::kList ? ']' : '}';
  const Node* last = node.kind == NodeKind::kList ? (node.list.empty() ? nullptr : node.list.back())
                                                  : (node.map.empty() ? nullptr : node.map.back().value);
  // An alias stands elsewhere.
  std::size_t at = last != nullptr && last->begin > node.begin ? span(*last).end : node.begin + 1;
  while (at < text.size() && text[at] != bracket) {
    at = text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at + 1;
  }
  return static_cast<std::uint32_t>(std::min(at + 1, text.size()));
}

Span Document::span(const Node& node) const {
  if (node.empty) return node.key != nullptr ? span(*node.key) : Span{node.begin, node.begin + 1};
  if (node.is_scalar()) return map_of(node).whole();
  const std::string_view text = source_->text();
  if (node.begin < text.size() && (text[node.begin] == '[' || text[node.begin] == '{'))
    return {node.begin, flow_end(node)};
  if (!node.map.empty()) return span(*node.map.front().key);
  return {node.begin, node.begin + 1};
}

Span Document::part(const Node& node, Span in_value) const { return map_of(node).part(in_value); }

const Node* Node::find(std::string_view name) const {
  for (const Entry& entry : map) {
    if (entry.key->text == name) return entry.value;
  }
  return nullptr;
}

std::string_view kind_name(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull: return node.empty ? "nothing" : "null";
    case NodeKind::kBool: return "a bool";
    case NodeKind::kInt: return "an int";
    case NodeKind::kDouble: return "a double";
    case NodeKind::kString: return "a string";
    case NodeKind::kList: return "a list";
    case NodeKind::kMap: return "a map";
  }
  return "nothing";
}

Json scalar_value(const Node& node) {
  if (node.kind == NodeKind::kString) return node.text;
  return resolve_plain(node.text).value_or(Json());
}

}  // namespace canorun::workflows
