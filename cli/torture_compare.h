// How the end of a run that was killed and resumed differs from that of one that was left alone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/folder_content.h"
#include "engine/base/value.h"
#include "engine/store/status.h"

namespace canorun::cli {

/// What a run came to, and what it left.
struct End {
  store::Status status = store::Status::kInterrupted;
  std::string state;
  Json output = nullptr;
  std::string error = {};  ///< its kind; empty: there is none
  Content files = {};
  std::string trouble = {};  ///< why there is no end: the rest means nothing then
};

struct Difference {
  std::string what;  ///< `trouble`, `status`, `state`, `error`, `output` or `file`
  std::string name;  ///< of the file or the value; may be empty
  std::string text;  ///< for people
  auto operator<=>(const Difference&) const = default;
};

/// A run that was left alone, and what is known of others. What differs between such runs says nothing: it is left out
/// of all comparisons, except that a text whose number of lines was the same must keep it, and so must a folder the
/// number of its entries.
class Baseline {
 public:
  explicit Baseline(End first) : first_(std::move(first)) {}

  /// Another run that was left alone.
  void learn(const End& another);

  const End& end() const { return first_; }
  std::vector<Difference> differences(const End& end) const;

  /// What is left out, for people.
  std::vector<std::string> left_out() const;

 private:
  /// A difference with all that is left out where two runs that were left alone have it. Ordered by what it is about.
  struct Found {
    std::string key;
    Difference difference;
  };
  std::vector<Found> compare(const End& end) const;
  void compare_values(std::vector<Found>& out, const std::string& name, const Json& expected, const Json& found) const;
  void compare_files(std::vector<Found>& out, const Content& found) const;
  void compare_entry(std::vector<Found>& out, const std::string& name, const Entry& expected, const Entry& found) const;
  void count_entries(std::vector<Found>& out, const Content& found) const;
  bool is_noise(const std::string& key) const;
  /// The name, or a folder that it is in, is among those that change in their folder anyway.
  bool is_passing(const std::string& name, const Content& found) const;

  End first_;
  std::set<std::string> noise_;    ///< keys
  std::set<std::string> folders_;  ///< whose names differ
};

}  // namespace canorun::cli
