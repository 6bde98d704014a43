#include "engine/expr/parser.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/base/value.h"
#include "engine/expr/grammar.h"
#include "engine/expr/lexer.h"
#include "engine/expr/literal.h"
#include "engine/expr/macros.h"

namespace canorun::expr {
namespace {

template <class Form>
NodePtr make(Span span, Form form) {
  return std::make_unique<Node>(Node{span, std::move(form)});
}

// A function that fails returns null, or false, and leaves the first problem behind.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { advance(); }

  std::expected<NodePtr, Problem> run() {
    if (!problem_ && at(TokenKind::kEnd)) fail(current_.span, "an expression is missing");
    NodePtr node = problem_ ? nullptr : expression();
    if (node && !at(TokenKind::kEnd)) unexpected("an operator or the end");
    if (problem_) return std::unexpected(std::move(*problem_));
    return node;
  }

 private:
  bool at(TokenKind kind) const { return current_.kind == kind; }

  void advance() {
    previous_end_ = current_.span.end;
    auto token = lexer_.next();
    if (token) {
      current_ = *token;
      return;
    }
    if (!problem_) problem_ = std::move(token.error());
    current_ = {TokenKind::kEnd, problem_->span, {}};
  }

  bool accept(TokenKind kind) {
    if (!at(kind)) return false;
    advance();
    return true;
  }

  bool expect(TokenKind kind, std::string_view what) {
    if (accept(kind)) return true;
    unexpected(what);
    return false;
  }

  std::nullptr_t fail(Span span, std::string message, std::string hint = {}) {
    if (!problem_) problem_ = Problem{ProblemKind::kSyntax, std::move(message), std::move(hint), span};
    return nullptr;
  }

  std::nullptr_t unexpected(std::string_view wanted) {
    const std::string found = at(TokenKind::kEnd) ? "the end" : fmt::format("'{}'", current_.text);
    std::string hint;
    if (current_.text == "and") hint = "write '&&'";
    if (current_.text == "or") hint = "write '||'";
    return fail(current_.span, fmt::format("expected {}, found {}", wanted, found), std::move(hint));
  }

  Span from(std::uint32_t begin) const { return {begin, previous_end_}; }

  NodePtr expression() {
    if (++depth_ > kMaxNesting) {
      return fail(current_.span, fmt::format("the expression is nested deeper than {} levels", kMaxNesting));
    }
    NodePtr node = conditional();
    --depth_;
    return node;
  }

  NodePtr conditional() {
    const std::uint32_t begin = current_.span.begin;
    Conditional node{{}, binary(kLowest)};
    while (node.otherwise && accept(TokenKind::kQuestion)) {
      NodePtr value = binary(kLowest);
      if (!value || !expect(TokenKind::kColon, "':'")) return nullptr;
      node.arms.push_back({std::move(node.otherwise), std::move(value)});
      node.otherwise = binary(kLowest);
    }
    if (!node.otherwise || node.arms.empty()) return std::move(node.otherwise);
    return make(from(begin), std::move(node));
  }

  // Operators of `lowest` level and above; those of one level become one node.
  NodePtr binary(int lowest) {
    const std::uint32_t begin = current_.span.begin;
    NodePtr left = unary();
    while (left) {
      const Infix* op = infix(current_.kind);
      if (op == nullptr || op->level < lowest) break;
      left = op->level <= kAndLevel ? logic(std::move(left), op->level) : chain(std::move(left), op->level);
      if (left) left->span = from(begin);
    }
    return left;
  }

  NodePtr logic(NodePtr first, int level) {
    Logic node{level == kAndLevel, {}};
    node.terms.push_back(std::move(first));
    while (accept(level == kAndLevel ? TokenKind::kAnd : TokenKind::kOr)) {
      node.terms.push_back(binary(level + 1));
      if (!node.terms.back()) return nullptr;
    }
    return make({}, std::move(node));
  }

  NodePtr chain(NodePtr first, int level) {
    Chain node{std::move(first), {}};
    for (const Infix* op = infix(current_.kind); op != nullptr && op->level == level; op = infix(current_.kind)) {
      const Span span = current_.span;
      advance();
      node.links.push_back({op->op, span, binary(level + 1)});
      if (!node.links.back().operand) return nullptr;
    }
    return make({}, std::move(node));
  }

  NodePtr unary() {
    const std::uint32_t begin = current_.span.begin;
    const TokenKind sign = current_.kind;
    if (sign != TokenKind::kNot && sign != TokenKind::kMinus) return postfix(primary());
    std::size_t count = 0;
    std::uint32_t last = begin;
    for (; at(sign); ++count) {
      last = current_.span.begin;
      advance();
    }
    NodePtr operand;
    // The last minus belongs to the number: the smallest int has no positive.
    if (sign == TokenKind::kMinus && (at(TokenKind::kInt) || at(TokenKind::kDouble))) {
      --count;
      operand = postfix(literal(last, true));
    } else {
      operand = postfix(primary());
    }
    if (!operand || count == 0) return operand;
    return make(from(begin), Unary{sign == TokenKind::kMinus, count, std::move(operand)});
  }

  NodePtr literal(std::uint32_t begin, bool negative) {
    auto value = literal_value(current_, negative);
    if (!value) {
      if (!problem_) problem_ = std::move(value.error());
      return nullptr;
    }
    advance();
    return make(from(begin), Literal{std::move(*value)});
  }

  NodePtr primary() {
    const std::uint32_t begin = current_.span.begin;
    switch (current_.kind) {
      case TokenKind::kInt:
      case TokenKind::kUint:
      case TokenKind::kDouble:
      case TokenKind::kString:
      case TokenKind::kBytes: return literal(begin, false);
      case TokenKind::kDot: advance(); return name(begin, true);
      case TokenKind::kIdentifier: return name(begin, false);
      case TokenKind::kLeftBracket: advance(); return list(begin);
      case TokenKind::kLeftBrace: advance(); return map(begin);
      case TokenKind::kLeftParen: {
        advance();
        NodePtr node = expression();
        if (!node || !expect(TokenKind::kRightParen, "')'")) return nullptr;
        return node;
      }
      default: return unexpected("a value");
    }
  }

  // A name, a keyword that is a value, or a function call.
  NodePtr name(std::uint32_t begin, bool absolute) {
    const Token word = current_;
    if (!at(TokenKind::kIdentifier)) return unexpected("a name");
    advance();
    if (is_keyword(word.text)) {
      if (absolute) return fail(word.span, fmt::format("'{}' is not a name", word.text));
      return make(word.span, Literal{word.text == "null" ? Value() : Value::boolean(word.text == "true")});
    }
    if (is_reserved(word.text)) return fail(word.span, fmt::format("'{}' is a reserved word", word.text));
    if (!accept(TokenKind::kLeftParen)) return make(from(begin), Name{std::string(word.text), absolute});
    auto arguments = call_arguments();
    if (!arguments) return nullptr;
    if (word.text == "has") return presence(word.span, std::move(*arguments));
    return make(from(begin), Call{std::string(word.text), word.span, std::move(*arguments)});
  }

  // `has(e.f)`: the path of its argument with a test at the end.
  NodePtr presence(Span span, std::vector<NodePtr> arguments) {
    Path* path = arguments.size() == 1 ? std::get_if<Path>(&arguments[0]->form) : nullptr;
    Field* field = path != nullptr ? std::get_if<Field>(&path->steps.back().form) : nullptr;
    if (field == nullptr || field->test) {
      return fail(span, "has() takes one field", "write it like has(output.json.name)");
    }
    field->test = true;
    arguments[0]->span = from(span.begin);
    return std::move(arguments[0]);
  }

  // After the opening parenthesis.
  std::optional<std::vector<NodePtr>> call_arguments() {
    std::vector<NodePtr> arguments;
    if (accept(TokenKind::kRightParen)) return arguments;
    do {
      arguments.push_back(expression());
      if (!arguments.back()) return std::nullopt;
    } while (accept(TokenKind::kComma));
    if (!expect(TokenKind::kRightParen, "',' or ')'")) return std::nullopt;
    return arguments;
  }

  NodePtr list(std::uint32_t begin) {
    ListNode node;
    while (!at(TokenKind::kRightBracket)) {
      const bool optional = accept(TokenKind::kQuestion);
      node.elements.push_back({expression(), optional});
      if (!node.elements.back().node) return nullptr;
      if (!accept(TokenKind::kComma)) break;
    }
    if (!expect(TokenKind::kRightBracket, "',' or ']'")) return nullptr;
    return make(from(begin), std::move(node));
  }

  NodePtr map(std::uint32_t begin) {
    MapNode node;
    while (!at(TokenKind::kRightBrace)) {
      const bool optional = accept(TokenKind::kQuestion);
      NodePtr key = expression();
      if (!key || !expect(TokenKind::kColon, "':'")) return nullptr;
      NodePtr value = expression();
      if (!value) return nullptr;
      node.entries.push_back({std::move(key), std::move(value), optional});
      if (!accept(TokenKind::kComma)) break;
    }
    if (!expect(TokenKind::kRightBrace, "',' or '}'")) return nullptr;
    return make(from(begin), std::move(node));
  }

  // Everything that follows a value: fields, indexes, methods.
  NodePtr postfix(NodePtr base) {
    if (!base) return nullptr;
    const std::uint32_t begin = base->span.begin;
    Path path{std::move(base), {}};
    if (auto* inner = std::get_if<Path>(&path.base->form); inner != nullptr && goes_on()) {
      path = Path(std::move(*inner));  // in parentheses, which leave no trace
    }
    while (goes_on()) {
      if (accept(TokenKind::kDot) ? !member(path) : !(advance(), index(path))) return nullptr;
    }
    if (path.steps.empty()) return std::move(path.base);
    return make(from(begin), std::move(path));
  }

  bool goes_on() const { return at(TokenKind::kDot) || at(TokenKind::kLeftBracket); }

  bool index(Path& path) {
    const bool optional = accept(TokenKind::kQuestion);
    NodePtr key = expression();
    if (!key) return false;
    const Span span = key->span;
    path.steps.push_back({span, Index{std::move(key), optional}});
    return expect(TokenKind::kRightBracket, "']'");
  }

  bool member(Path& path) {
    const bool optional = accept(TokenKind::kQuestion);
    const Token word = current_;
    const bool quoted = at(TokenKind::kQuotedIdentifier);
    if ((!quoted && !at(TokenKind::kIdentifier)) || is_keyword(word.text)) {
      if (at(TokenKind::kIn) || at(TokenKind::kIdentifier)) {
        fail(word.span, fmt::format("'{}' is not a field name", word.text), fmt::format("write [\"{}\"]", word.text));
      } else {
        unexpected("a field name");
      }
      return false;
    }
    advance();
    if (!quoted && !optional && accept(TokenKind::kLeftParen)) return method(path, word);
    const std::string_view name = quoted ? word.text.substr(1, word.text.size() - 2) : word.text;
    path.steps.push_back({word.span, Field{std::string(name), optional}});
    return true;
  }

  // After the opening parenthesis of a method's arguments.
  bool method(Path& path, const Token& name) {
    auto arguments = call_arguments();
    if (!arguments) return false;
    const auto* base = std::get_if<Name>(&path.base->form);
    if (path.steps.empty() && base != nullptr && base->text == "cel" && name.text == "bind") {
      return bind(path, name.span, std::move(*arguments));
    }
    const Macro* macro = find_macro(name.text, arguments->size());
    if (macro != nullptr) return expand(path, *macro, name.span, std::move(*arguments));
    path.steps.push_back({name.span, Call{std::string(name.text), name.span, std::move(*arguments)}});
    return true;
  }

  bool expand(Path& path, const Macro& macro, Span span, std::vector<NodePtr> arguments) {
    std::vector<Local> locals;
    for (std::size_t i = 0; i < macro.locals; ++i) {
      auto local = as_local(*arguments[i], macro.usage);
      if (!local) return false;
      if (i > 0 && locals[0].name == local->name) {
        fail(local->span, fmt::format("'{}' stands here twice", local->name),
             fmt::format("write it like {}", macro.usage));
        return false;
      }
      locals.push_back(std::move(*local));
    }
    arguments.erase(arguments.begin(), arguments.begin() + macro.locals);
    path.steps.push_back({span, macro.make(std::move(locals), std::move(arguments))});
    return true;
  }

  bool bind(Path& path, Span span, std::vector<NodePtr> arguments) {
    constexpr std::string_view kUsage = "cel.bind(x, value, expression)";
    if (arguments.size() != 3) {
      fail(span, "cel.bind() takes 3 arguments", fmt::format("write it like {}", kUsage));
      return false;
    }
    auto local = as_local(*arguments[0], kUsage);
    if (!local) return false;
    const std::uint32_t begin = path.base->span.begin;
    path.base = make(from(begin), Bind{std::move(*local), std::move(arguments[1]), std::move(arguments[2])});
    return true;
  }

  std::optional<Local> as_local(const Node& node, std::string_view usage) {
    const auto* name = std::get_if<Name>(&node.form);
    if (name != nullptr && !name->absolute) return Local{name->text, node.span};
    fail(node.span, "a name must stand here", fmt::format("write it like {}", usage));
    return std::nullopt;
  }

  Lexer lexer_;
  Token current_;
  std::uint32_t previous_end_ = 0;
  std::size_t depth_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace

std::expected<NodePtr, Problem> parse(std::string_view text) {
  if (!is_utf8(text)) return std::unexpected(Problem{ProblemKind::kSyntax, "the expression is not UTF-8 text"});
  return Parser(text).run();
}

}  // namespace canorun::expr
