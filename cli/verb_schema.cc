// canorun schema: the JSON Schema of the flow file, for editors.
#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "tasks/catalog.h"
#include "workflows/schema.h"

namespace canorun::cli {
namespace {

class Schema final : public Verb {
 public:
  void declare(CommandLine&) override {}

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const Json schema = workflows::flow_schema(tasks::catalog());
    if (wiring.options().json) {
      wiring.document(schema);
    } else {
      wiring.out().write(schema.dump(2) + "\n");
    }
    return ExitCode::kSuccess;
  }
};

}  // namespace

std::unique_ptr<Verb> make_schema() { return std::make_unique<Schema>(); }

}  // namespace canorun::cli
