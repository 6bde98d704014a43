// The arguments of one verb: declared, then read. The door to CLI11.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"
#include "cli/refusal.h"

namespace canorun::cli {

/// What is declared refers to variables that outlive the command line. An option that takes one value
/// and is given twice has the last one.
class CommandLine {
 public:
  /// `name` as in `canorun NAME`; empty for what stands before a verb. The shared options are declared.
  CommandLine(std::string_view name, Options& shared);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  void required(std::string& to, std::string_view name, std::string_view doc);
  void optional(std::string& to, std::string_view name, std::string_view doc);
  /// One or more, in order.
  void several(std::vector<std::string>& to, std::string_view name, std::string_view doc);

  /// `names` as CLI11 has them: `-v,--verbose`.
  void flag(bool& to, std::string_view names, std::string_view doc);
  void option(std::optional<std::string>& to, std::string_view names, std::string_view value, std::string_view doc);
  void repeated(std::vector<std::string>& to, std::string_view names, std::string_view value, std::string_view doc);
  void count(std::size_t& to, std::string_view names, std::string_view value, std::string_view doc);
  void count(std::optional<std::size_t>& to, std::string_view names, std::string_view value, std::string_view doc);
  void choice(std::string& to, std::string_view names, std::string_view value, std::string_view doc,
              std::span<const std::string_view> allowed);

  /// Sets the variables. `wants_help` then says whether `--help` was there: nothing else was checked.
  OrRefusal<void> read(const std::vector<std::string>& arguments);
  bool wants_help() const { return wants_help_; }

  /// Reads the options that stand before the first word that is none; gives that word and the rest.
  OrRefusal<std::vector<std::string>> read_leading(const std::vector<std::string>& arguments);

  /// Usage, arguments and options, with the example.
  std::string help(std::string_view summary, std::string_view example) const;
  /// `canorun show ID [OPTIONS]`
  std::string usage() const;

 private:
  struct Parser;
  struct Entry {
    std::string names;
    std::string value;  ///< what stands for an option's value; empty for a flag
    std::string doc;
    bool positional = false;
    bool is_required = false;
    bool many = false;
    std::vector<std::string>* words = nullptr;  ///< takes all words that nothing else takes
    bool given = false;
    bool shared = false;
  };

  Entry& entry(std::string_view names, std::string_view value, std::string_view doc);
  Entry& positional(std::string_view name, std::string_view doc);
  template <class To>
  void number(To& to, std::string_view names, std::string_view value, std::string_view doc);
  void problem(Error error);
  OrRefusal<void> parse(const std::vector<std::string>& arguments);
  OrRefusal<void> check();
  Error unknown_option(std::string_view given) const;

  std::string name_;
  std::unique_ptr<Parser> parser_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Error> problems_;
  bool wants_help_ = false;
};

}  // namespace canorun::cli
