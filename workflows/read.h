// From a document to a definition.
#pragma once

#include "workflows/definition.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// Reads a whole flow. What could not be read is reported and missing from the definition.
Definition read_flow(Reader& reader);

/// The parts of it, each in a file of its own.
void read_input(Reader& reader, const Entry& entry, Definition& flow);
StateDef read_state(Reader& reader, const Entry& entry);
RulesDef read_rules(Reader& reader, const Entry& entry);
std::optional<RetryDef> read_retry(Reader& reader, const Entry& entry);

}  // namespace canorun::workflows
