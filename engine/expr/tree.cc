#include <utility>
#include <variant>

#include "engine/expr/template.h"

namespace canorun::expr {

using Entries = std::vector<std::pair<std::string, Tree>>;

struct Tree::Node {
  std::variant<Json, Template, std::vector<Tree>, Entries> form;
};

Tree Tree::of(Json literal) {
  Tree tree;
  tree.node_ = std::make_shared<const Node>(Node{std::move(literal)});
  return tree;
}

Tree Tree::of(Template text) {
  if (text.is_literal()) return of(Json(text.pieces().empty() ? std::string() : text.pieces()[0].text));
  Tree tree;
  tree.node_ = std::make_shared<const Node>(Node{std::move(text)});
  return tree;
}

Tree Tree::list(std::vector<Tree> elements) {
  Json literal = Json::array();
  for (const Tree& element : elements) {
    if (element.literal() == nullptr) {
      Tree tree;
      tree.node_ = std::make_shared<const Node>(Node{std::move(elements)});
      return tree;
    }
    literal.push_back(*element.literal());
  }
  return of(std::move(literal));
}

Tree Tree::map(std::vector<std::pair<std::string, Tree>> entries) {
  Json literal = Json::object();
  for (const auto& [key, value] : entries) {
    if (value.literal() == nullptr) {
      Tree tree;
      tree.node_ = std::make_shared<const Node>(Node{std::move(entries)});
      return tree;
    }
    literal[key] = *value.literal();
  }
  return of(std::move(literal));
}

const Json* Tree::literal() const {
  static const Json kNull;
  return node_ == nullptr ? &kNull : std::get_if<Json>(&node_->form);
}

const Template* Tree::as_template() const { return node_ == nullptr ? nullptr : std::get_if<Template>(&node_->form); }

std::expected<Json, Problem> Tree::evaluate(std::span<const Value> slots) const {
  if (const Json* value = literal()) return *value;
  if (const Template* text = as_template()) return text->evaluate(slots);
  if (const auto* elements = std::get_if<std::vector<Tree>>(&node_->form)) {
    Json out = Json::array();
    for (const Tree& element : *elements) {
      auto value = element.evaluate(slots);
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return out;
  }
  Json out = Json::object();
  for (const auto& [key, tree] : std::get<Entries>(node_->form)) {
    auto value = tree.evaluate(slots);
    if (!value) return value;
    out[key] = std::move(*value);
  }
  return out;
}

Json Tree::replace(const std::function<Json(const Template&)>& with) const {
  if (const Json* value = literal()) return *value;
  if (const Template* text = as_template()) return with(*text);
  if (const auto* elements = std::get_if<std::vector<Tree>>(&node_->form)) {
    Json out = Json::array();
    for (const Tree& element : *elements) out.push_back(element.replace(with));
    return out;
  }
  Json out = Json::object();
  for (const auto& [key, tree] : std::get<Entries>(node_->form)) out[key] = tree.replace(with);
  return out;
}

void Tree::visit(const std::function<void(const Template&)>& visitor) const {
  if (literal() != nullptr) return;
  if (const Template* text = as_template()) return visitor(*text);
  if (const auto* elements = std::get_if<std::vector<Tree>>(&node_->form)) {
    for (const Tree& element : *elements) element.visit(visitor);
    return;
  }
  for (const auto& [key, tree] : std::get<Entries>(node_->form)) tree.visit(visitor);
}

}  // namespace canorun::expr
