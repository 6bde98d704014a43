// What is handed to exec: the program's file, its arguments and environment, and what its refusal means.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "engine/process/launcher.h"

namespace canorun::process {

/// A command in the form that exec takes. The pointers lead into `texts` and into the command, which
/// must outlive it.
struct Image {
  std::string program;             ///< absolute, or relative to the command's folder
  std::vector<char*> argv;         ///< ends in null
  std::vector<char*> environment;  ///< ends in null
  std::vector<std::string> texts;  ///< `NAME=value`
};

/// Looks the program up and lays arguments and environment out. A program with a slash in its name is
/// not looked at: exec will say.
std::expected<Image, LaunchError> make_image(const Command& command);

/// What exec's refusal of `program` (as in Image) means for a person.
LaunchError exec_error(const Command& command, const std::string& program, int error);

}  // namespace canorun::process
