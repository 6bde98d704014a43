// What the fuzzers call, and the tests that replay what was found.
#pragma once

#include <string_view>

namespace canorun::fuzz {

/// Each takes any bytes, and throws the promise that is broken: a flow or a reason why not, a problem with
/// its place in the text, nothing that upsets a terminal.

/// A flow file.
void flow(std::string_view text);
/// An expression, compiled, and evaluated with values of every type in scope.
void expression(std::string_view text);
/// A text with templates: compiled, evaluated, as a shell script in a flow, and scanned as one in which
/// every '@' is a template.
void text(std::string_view text);

}  // namespace canorun::fuzz
