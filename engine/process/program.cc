#include "engine/process/program.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <unordered_map>

namespace canorun::process {
namespace {

constexpr std::string_view kStandardPath = "/usr/local/bin:/usr/bin:/bin";

std::string_view search_path(const Command& command) {
  for (auto entry = command.environment.rbegin(); entry != command.environment.rend(); ++entry) {
    if (entry->first == "PATH") return entry->second;
  }
  return kStandardPath;
}

std::string absolute(const Command& command, std::string_view path) {
  return path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", command.folder, path);
}

bool is_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

LaunchError not_executable(std::string_view name) {
  return {LaunchErrorKind::kNotExecutable, fmt::format("not executable: {}", name), fmt::format("chmod +x {}", name)};
}

std::expected<std::string, LaunchError> look_up(const Command& command) {
  const std::string& name = command.argv[0];
  std::string forbidden;
  std::string_view rest = search_path(command);
  for (bool more = true; more;) {
    const auto colon = rest.find(':');
    more = colon != std::string_view::npos;
    std::string folder = absolute(command, rest.substr(0, colon));
    if (more) rest.remove_prefix(colon + 1);
    std::string candidate = fmt::format("{}/{}", folder, name);
    if (!is_file(candidate)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (forbidden.empty()) forbidden = std::move(candidate);
  }
  if (!forbidden.empty()) return std::unexpected(not_executable(forbidden));
  return std::unexpected(LaunchError{LaunchErrorKind::kNotFound, fmt::format("command not found: {}", name),
                                     fmt::format("no folder of PATH has it: {}", search_path(command))});
}

std::expected<void, LaunchError> check(const Command& command) {
  const auto bad = [](std::string message, std::string hint = {}) {
    return std::unexpected(LaunchError{LaunchErrorKind::kBadArgument, std::move(message), std::move(hint)});
  };
  if (command.argv.empty() || command.argv[0].empty()) return bad("there is no command to start");
  for (std::size_t i = 0; i < command.argv.size(); ++i) {
    if (command.argv[i].find('\0') != std::string::npos) {
      return bad(fmt::format("argument {} of {} holds a NUL byte", i, command.argv[0].c_str()),
                 "hand such values over by stdin or a file");
    }
  }
  for (const auto& [name, value] : command.environment) {
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) {
      return bad(fmt::format("'{}' cannot be the name of an environment variable", name.c_str()));
    }
    if (value.find('\0') != std::string::npos) {
      return bad(fmt::format("environment variable {} holds a NUL byte", name),
                 "hand such values over by stdin or a file");
    }
  }
  return {};
}

// One text per name, the last one given, in the order in which names were first seen.
std::vector<std::string> lay_out(const std::vector<std::pair<std::string, std::string>>& environment) {
  std::vector<std::string> texts;
  texts.reserve(environment.size());
  std::unordered_map<std::string_view, std::size_t> places;
  places.reserve(environment.size());
  for (const auto& [name, value] : environment) {
    std::string text;
    text.reserve(name.size() + value.size() + 1);
    text.append(name).append(1, '=').append(value);
    const auto [place, fresh] = places.try_emplace(name, texts.size());
    if (fresh) {
      texts.push_back(std::move(text));
    } else {
      texts[place->second] = std::move(text);
    }
  }
  return texts;
}

// exec wants pointers to mutable text, and does not change it.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::expected<Image, LaunchError> make_image(const Command& command) {
  if (auto good = check(command); !good) return std::unexpected(std::move(good.error()));
  Image image;
  if (command.argv[0].find('/') != std::string::npos) {
    image.program = command.argv[0];
  } else {
    auto found = look_up(command);
    if (!found) return std::unexpected(std::move(found.error()));
    image.program = std::move(*found);
  }
  image.texts = lay_out(command.environment);
  image.argv = pointers_to(command.argv);
  image.environment = pointers_to(image.texts);
  return image;
}

LaunchError exec_error(const Command& command, const std::string& program, int error) {
  const std::string& name = command.argv[0];
  struct stat status{};
  const std::string file = absolute(command, program);
  const bool exists = ::stat(file.c_str(), &status) == 0;
  if (error == E2BIG) {
    return {LaunchErrorKind::kTooLarge, fmt::format("the arguments and environment of {} are too large", name),
            "hand large values over by stdin or a file"};
  }
  if (error == ENOEXEC) {
    return {LaunchErrorKind::kNotExecutable, fmt::format("not a program: {}", name),
            "a script begins with a line like #!/bin/sh"};
  }
  if (error == ENOENT && exists) {
    return {LaunchErrorKind::kNotFound, fmt::format("the interpreter of {} was not found", name),
            "check its first line (#!…)"};
  }
  if (error == ENOENT || error == ENOTDIR) {
    return {LaunchErrorKind::kNotFound, fmt::format("command not found: {}", name),
            name.starts_with('/') ? std::string{} : fmt::format("it was looked for in {}", command.folder)};
  }
  if (error == EACCES && exists && S_ISDIR(status.st_mode)) {
    return {LaunchErrorKind::kNotExecutable, fmt::format("a folder cannot be executed: {}", name)};
  }
  if (error == EACCES && exists && ::access(file.c_str(), X_OK) != 0) return not_executable(name);
  return {error == EACCES ? LaunchErrorKind::kNotExecutable : LaunchErrorKind::kSystem,
          fmt::format("cannot start {}: {}", name, std::generic_category().message(error))};
}

}  // namespace canorun::process
