#include "cli/secret_inputs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/input_values.h"
#include "engine/base/fd.h"
#include "engine/base/masker.h"
#include "engine/base/suggest.h"
#include "engine/model/inputs.h"

namespace canorun::cli {
namespace {

constexpr std::string_view kEnv = "@env:";
constexpr std::string_view kFile = "@file:";

std::unexpected<Error> unreadable(const std::string& input, std::string_view why, std::string hint) {
  return fail(fmt::format("secret input '{}': {}", input, why), std::move(hint));
}

Result<SecretInput> read_variable(const std::string& input, const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  if (value != nullptr) return SecretInput{value, std::string(kEnv) + name};
  return unreadable(input, fmt::format("the environment variable '{}' is not set", to_utf8(name)), "set and export it");
}

// What is no file, like a pipe, can be read once: it is no source.
Result<SecretInput> read_file(const std::string& input, const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto bad = [&](std::string_view why) {
    return unreadable(input, fmt::format("cannot read {}: {}", to_utf8(path), why), "name a file that holds the value");
  };
  struct stat found{};
  if (!file || ::fstat(file.get(), &found) != 0) return bad(std::strerror(errno));
  auto text = read_all(file.get(), to_utf8(path));
  if (!text) return unreadable(input, text.error().message, "name a file that holds the value");
  if (text->ends_with('\n')) text->pop_back();
  std::string source;
  if (S_ISREG(found.st_mode)) source = fmt::format("{}{}", kFile, std::filesystem::absolute(path).native());
  return SecretInput{std::move(*text), std::move(source)};
}

// `@word:`. A variable or a file that is named with a typo would be taken for the value, and never be hidden.
bool names_something(std::string_view text) {
  if (!text.starts_with('@')) return false;
  const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 1);
  return end != text.npos && end > 1 && text[end] == ':';
}

Result<SecretInput> read_from(const std::string& input, const std::string& text) {
  if (text.starts_with(kEnv)) return read_variable(input, text.substr(kEnv.size()));
  if (text.starts_with(kFile)) return read_file(input, text.substr(kFile.size()));
  if (names_something(text)) {
    return unreadable(input, "it begins with '@' and a word, but neither with '@env:' nor with '@file:'",
                      "name it with @env:NAME or @file:PATH; a value that begins so can be given by these only");
  }
  return SecretInput{text, {}};
}

std::string options_for(const std::vector<std::string>& names) {
  std::string options;
  for (const std::string& name : names) options += fmt::format(" -i {}=@env:NAME", name);
  return options;
}

Error not_secret(const run::RunState& run, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& [secret, source] : run.start.secrets) known.push_back(secret);
  const std::string what = known.empty() ? "it has no secret inputs" : "only secret inputs are given again";
  if (run.start.inputs.contains(name)) return {fmt::format("input '{}' of run '{}' is fixed: {}", name, run.id, what)};
  return {fmt::format("run '{}' has no secret input '{}'", run.id, to_utf8(name)),
          known.empty() ? std::string() : suggestion(name, known)};
}

bool is_secret(const model::Flow& flow, const std::string& name) {
  const auto input = std::ranges::find(flow.inputs, name, &model::Input::name);
  return input != flow.inputs.end() && input->secret;
}

const std::string* last_of(const Texts& texts, const std::string& name) {
  const auto found = std::find_if(texts.rbegin(), texts.rend(), [&](const auto& text) { return text.first == name; });
  return found != texts.rend() ? &found->second : nullptr;
}

}  // namespace

Result<SecretInput> read_secret(const std::string& input, const std::string& text) {
  auto read = read_from(input, text);
  if (!read) return read;
  if (!is_utf8(read->value))
    return unreadable(input, "its value is no UTF-8 text", "encode it, as base64 for instance");
  if (auto good = model::check_secret(input, read->value); !good) return std::unexpected(std::move(good.error()));
  return read;
}

OrRefusal<GivenInputs> read_secrets(const model::Flow& flow, const Json& values, Texts texts) {
  GivenInputs given;
  std::vector<Error> problems;
  for (const auto& [name, text] : texts) {
    if (!is_secret(flow, name)) {
      given.texts.emplace_back(name, text);
    } else if (&text != last_of(texts, name)) {
      continue;
    } else if (auto read = read_secret(name, text)) {
      given.texts.emplace_back(name, std::move(read->value));
      given.sources[name] = std::move(read->source);
    } else {
      problems.push_back(std::move(read.error()));
    }
  }
  for (const auto& [name, value] : values.items()) {
    const auto* text = value.get_ptr<const std::string*>();
    const bool taken = is_secret(flow, name) && last_of(texts, name) == nullptr;
    if (!taken || text == nullptr || !(text->starts_with(kEnv) || text->starts_with(kFile))) continue;
    problems.push_back(unreadable(name, "a file of inputs holds its value, and does not name it",
                                  fmt::format("name it with -i {0}=@env:NAME or -i {0}=@file:PATH", name))
                           .error());
  }
  if (!problems.empty()) return refuse_inputs(std::move(problems));
  return given;
}

OrRefusal<Json> secrets_again(const Wiring& wiring, const run::RunState& run, const SecretsAgain& given) {
  Json values = Json::object();
  std::vector<Error> problems;
  std::vector<std::string> missing;
  const auto command = [&](const std::vector<std::string>& names) {
    return wiring.command(fmt::format("{} {}{}", given.verb, run.id, options_for(names)));
  };
  for (const auto& [name, text] : given.texts) {
    if (!run.start.secrets.contains(name)) problems.push_back(not_secret(run, name));
  }
  for (const auto& [name, source] : run.start.secrets) {
    const std::string* text = last_of(given.texts, name);
    if (text == nullptr && !given.needed) continue;
    if (text == nullptr && given.known.contains(name)) {
      values[name] = given.known[name];
    } else if (text == nullptr && source.empty()) {
      missing.push_back(name);
    } else if (auto read = read_secret(name, text != nullptr ? *text : source)) {
      values[name] = std::move(read->value);
    } else {
      problems.push_back({std::move(read.error().message), "give it with: " + command({name})});
    }
  }
  if (!missing.empty()) {
    problems.push_back({fmt::format("run '{}' needs what is not kept of it: the secret {} {}", run.id,
                                    missing.size() > 1 ? "inputs" : "input", fmt::join(missing, ", ")),
                        "give it again with: " + command(missing)});
  }
  if (!problems.empty()) return refuse_inputs(std::move(problems));
  return values;
}

std::string again_options(const store::RunStarted& start) {
  std::vector<std::string> names;
  for (const auto& [name, source] : start.secrets) {
    if (source.empty()) names.push_back(name);
  }
  return options_for(names);
}

bool runs_at_the_end(const model::Flow& flow) { return !flow.on_end.empty() || !flow.services.empty(); }

Json hidden(const model::Flow& flow, Json inputs) {
  std::vector<std::string> secrets;
  for (const model::Input& input : flow.inputs) {
    if (input.secret) secrets.push_back(std::exchange(inputs[input.name], kMasked).get<std::string>());
  }
  const Masker masker(std::move(secrets));
  for (Json& value : inputs) masker.mask(value);
  return inputs;
}

}  // namespace canorun::cli
