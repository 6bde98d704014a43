#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>

#include "cli/text.h"
#include "engine/base/suggest.h"

namespace canorun::cli {
namespace {

constexpr std::array<std::string_view, 3> kColorChoices{"auto", "always", "never"};

}  // namespace

struct CommandLine::Parser {
  CLI::App app;
};

CommandLine::CommandLine(std::string_view name, Options& shared) : name_(name), parser_(std::make_unique<Parser>()) {
  CLI::App& app = parser_->app;
  app.set_help_flag();  // its own would end the reading, and print in its own form
  app.allow_extras();
  option(shared.store, "--store", "DIR", "where runs are kept; default: CANORUN_STORE, or ~/.local/state/canorun");
  flag(shared.json, "--json", "print one JSON document on stdout");
  flag(shared.quiet, "-q,--quiet", "print errors only");
  flag(shared.verbose, "-v,--verbose", "also tell about attempts and what commands write");
  choice(shared.color, "--color", "WHEN", "auto (default), always or never", kColorChoices);
  flag(wants_help_, "-h,--help", "print this help");
  for (const auto& entry : entries_) entry->shared = true;
}

CommandLine::~CommandLine() = default;

CommandLine::Entry& CommandLine::entry(std::string_view names, std::string_view value, std::string_view doc) {
  entries_.push_back(std::make_unique<Entry>(Entry{std::string(names), std::string(value), std::string(doc)}));
  return *entries_.back();
}

CommandLine::Entry& CommandLine::positional(std::string_view name, std::string_view doc) {
  Entry& added = entry(name, {}, doc);
  added.positional = true;
  return added;
}

void CommandLine::problem(Error error) { problems_.push_back(std::move(error)); }

void CommandLine::required(std::string& to, std::string_view name, std::string_view doc) {
  optional(to, name, doc);
  entries_.back()->is_required = true;
}

void CommandLine::optional(std::string& to, std::string_view name, std::string_view doc) {
  Entry& added = positional(name, doc);
  parser_->app.add_option(std::string(name), [&to, &added](const CLI::results_t& values) {
    to = values.back();
    added.given = true;
    return true;
  });
}

void CommandLine::several(std::vector<std::string>& to, std::string_view name, std::string_view doc) {
  Entry& added = positional(name, doc);
  added.is_required = added.many = true;
  added.words = &to;
}

void CommandLine::flag(bool& to, std::string_view names, std::string_view doc) {
  entry(names, {}, doc);
  parser_->app.add_flag_callback(std::string(names), [&to] { to = true; });
}

void CommandLine::option(std::optional<std::string>& to, std::string_view names, std::string_view value,
                         std::string_view doc) {
  entry(names, value, doc);
  parser_->app
      .add_option(std::string(names),
                  [&to](const CLI::results_t& values) {
                    to = values.back();
                    return true;
                  })
      ->type_name(std::string(value))
      ->take_last();
}

void CommandLine::repeated(std::vector<std::string>& to, std::string_view names, std::string_view value,
                           std::string_view doc) {
  entry(names, value, doc).many = true;
  parser_->app
      .add_option(std::string(names),
                  [&to](const CLI::results_t& values) {
                    to = values;
                    return true;
                  })
      ->type_name(std::string(value))
      ->expected(1)
      ->take_all();
}

template <class To>
void CommandLine::number(To& to, std::string_view names, std::string_view value, std::string_view doc) {
  entry(names, value, doc);
  parser_->app
      .add_option(std::string(names),
                  [this, &to, names = std::string(names)](const CLI::results_t& values) {
                    const std::string& text = values.back();
                    const char* end = text.data() + text.size();
                    std::size_t given = 0;
                    const auto [read, error] = std::from_chars(text.data(), end, given);
                    to = given;
                    if (error != std::errc{} || read != end) {
                      problem({fmt::format("{} takes a number, not '{}'", names, text)});
                    }
                    return true;
                  })
      ->type_name(std::string(value))
      ->take_last();
}

void CommandLine::count(std::size_t& to, std::string_view names, std::string_view value, std::string_view doc) {
  number(to, names, value, doc);
}

void CommandLine::count(std::optional<std::size_t>& to, std::string_view names, std::string_view value,
                        std::string_view doc) {
  number(to, names, value, doc);
}

void CommandLine::choice(std::string& to, std::string_view names, std::string_view value, std::string_view doc,
                         std::span<const std::string_view> allowed) {
  entry(names, value, doc);
  parser_->app
      .add_option(std::string(names),
                  [this, &to, allowed, names = std::string(names)](const CLI::results_t& values) {
                    to = values.back();
                    if (std::find(allowed.begin(), allowed.end(), to) == allowed.end()) {
                      problem({fmt::format("{} cannot be '{}'", names, to), suggestion(to, allowed)});
                    }
                    return true;
                  })
      ->type_name(std::string(value))
      ->take_last();
}

OrRefusal<void> CommandLine::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  try {
    parser_->app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    // Its complaint may come from an option that is not known: `--limt 3` leaves a 3 behind.
    const auto left = parser_->app.remaining();
    const auto unknown =
        std::find_if(left.begin(), left.end(), [](const std::string& word) { return word.starts_with('-'); });
    const Error problem = unknown != left.end() ? unknown_option(*unknown) : Error{error.what()};
    return refuse(RefusalKind::kUsage, problem.message, problem.hint);
  }
  return {};
}

Error CommandLine::unknown_option(std::string_view given) const {
  const std::string_view name = given.substr(0, given.find('='));
  std::vector<std::string_view> known;
  for (const auto& entry : entries_) {
    const std::string_view names = entry->names;
    if (const auto at = names.find("--"); at != std::string_view::npos) known.push_back(names.substr(at));
  }
  const auto best = name.starts_with("--") ? nearest(name, known) : std::nullopt;
  return {fmt::format("unknown option '{}'", to_utf8(name)),
          best ? fmt::format("did you mean '{}'?", *best)
               : fmt::format("canorun {}{}--help lists them", name_, name_.empty() ? "" : " ")};
}

// Words that CLI11 gave to nobody are those of `several`: it would split one in brackets as a list.
OrRefusal<void> CommandLine::check() {
  const auto several =
      std::find_if(entries_.begin(), entries_.end(), [](const auto& entry) { return entry->words != nullptr; });
  bool only_words = false;
  for (const std::string& word : parser_->app.remaining()) {
    const bool is_option = !only_words && word.starts_with('-') && word.size() > 1;
    if (word == "--" && !only_words) {
      only_words = true;
      continue;
    }
    if (!is_option && several != entries_.end()) {
      (*several)->words->push_back(word);
      (*several)->given = true;
      continue;
    }
    const Error problem = is_option
                              ? unknown_option(word)
                              : Error{fmt::format("unexpected argument '{}'", to_utf8(word)), "usage: " + usage()};
    return refuse(RefusalKind::kUsage, problem.message, problem.hint);
  }
  if (!problems_.empty()) return refuse(RefusalKind::kUsage, problems_.front().message, problems_.front().hint);
  for (const auto& entry : entries_) {
    if (entry->is_required && !entry->given) {
      return refuse(RefusalKind::kUsage, fmt::format("{} is missing", entry->names), "usage: " + usage());
    }
  }
  return {};
}

OrRefusal<void> CommandLine::read(const std::vector<std::string>& arguments) {
  if (auto parsed = parse(arguments); !parsed) return parsed;
  if (wants_help_) return {};
  return check();
}

OrRefusal<std::vector<std::string>> CommandLine::read_leading(const std::vector<std::string>& arguments) {
  parser_->app.prefix_command();
  if (auto parsed = parse(arguments); !parsed) return std::unexpected(parsed.error());
  auto rest = parser_->app.remaining();
  if (!rest.empty() && rest.front().starts_with('-')) {
    const Error problem = unknown_option(rest.front());
    return refuse(RefusalKind::kUsage, problem.message, problem.hint);
  }
  if (!problems_.empty()) return refuse(RefusalKind::kUsage, problems_.front().message, problems_.front().hint);
  return rest;
}

std::string CommandLine::usage() const {
  std::string out = "canorun " + name_;
  for (const auto& entry : entries_) {
    if (!entry->positional) continue;
    const std::string many = entry->many ? "…" : "";
    out += entry->is_required ? fmt::format(" {}{}", entry->names, many) : fmt::format(" [{}{}]", entry->names, many);
  }
  return out + " [OPTIONS]";
}

std::string CommandLine::help(std::string_view summary, std::string_view example) const {
  Table arguments, own, shared;
  for (const auto& entry : entries_) {
    std::string names = entry->names;
    if (const auto comma = names.find(','); comma != std::string::npos) names.insert(comma + 1, " ");
    if (!entry->positional && names.starts_with("--")) names = "    " + names;
    if (!entry->value.empty()) names += " " + entry->value;
    (entry->positional ? arguments : entry->shared ? shared : own).row({{names}, {entry->doc}});
  }
  std::string out = fmt::format("{}\n\nUsage: {}\n", summary, usage());
  if (!arguments.empty()) out += "\n" + arguments.text("  ");
  if (!own.empty()) out += "\nOptions:\n" + own.text("  ");
  out += (own.empty() ? "\nOptions:\n" : "\nEverywhere:\n") + shared.text("  ");
  return out + fmt::format("\nExample:\n{}", example);
}

}  // namespace canorun::cli
