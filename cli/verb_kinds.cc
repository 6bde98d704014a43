// canorun kinds: what a task can be.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_kinds.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"
#include "tasks/catalog.h"

namespace canorun::cli {
namespace {

class Kinds final : public Verb {
 public:
  void declare(CommandLine& line) override { line.optional(kind_, "KIND", "all about one kind"); }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const model::Catalog catalog = tasks::catalog();
    if (!kind_.empty()) return one(wiring, catalog);
    if (wiring.options().json) {
      Json documents = Json::array();
      for (const model::TaskKind& kind : catalog) documents.push_back(to_json(kind));
      wiring.document(documents);
    } else {
      wiring.out().write(kinds_text(catalog, wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }

 private:
  OrRefusal<ExitCode> one(Wiring& wiring, model::Catalog catalog) const {
    const model::TaskKind* kind = model::find_kind(catalog, kind_);
    if (kind == nullptr) {
      std::vector<std::string_view> known;
      for (const model::TaskKind& each : catalog) known.push_back(each.name);
      return refuse(RefusalKind::kUsage, fmt::format("there is no kind '{}'", to_utf8(kind_)),
                    suggestion(kind_, known));
    }
    if (wiring.options().json) {
      wiring.document(to_json(*kind));
    } else {
      wiring.out().write(kind_text(*kind, wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }

  std::string kind_;
};

}  // namespace

std::unique_ptr<Verb> make_kinds() { return std::make_unique<Kinds>(); }

}  // namespace canorun::cli
