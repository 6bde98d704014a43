// canorun resume: continues one run, all that were interrupted or suspended, or all whose wait is over.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/input_values.h"
#include "cli/resumption.h"
#include "cli/verb.h"
#include "engine/run/due.h"

namespace canorun::cli {
namespace {

class Resume final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.optional(id_, "ID", "the run");
    line.option(file_, "--file", "FLOW", "go on with this definition");
    line.flag(migrate_, "--migrate", "with --file: the definition may be another version; says what it changes");
    line.option(from_, "--from", "STATE", "enter this state instead of the one that is due");
    line.repeated(inputs_, "-i,--input", "NAME=VALUE", "a secret input, again: its value, @env:NAME or @file:PATH");
    line.flag(all_, "--all", "all runs that were interrupted or suspended, one after another");
    line.flag(due_, "--due", "all waiting runs whose time or signal has come, with --suspend");
    line.flag(suspend_, "--suspend", "end when there is nothing to do but wait; 'resume --due' goes on");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    if (auto usable = check(); !usable) return std::unexpected(usable.error());
    auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    Session session(wiring, **store, {.suspends = suspend_ || due_});
    if (all_ || due_) return many(wiring, **store, session);
    // What a person says of a child is not meant for its parent.
    const auto root = file_ || from_ ? id_ : root_of(**store, id_);
    if (!root) return std::unexpected(root.error());
    if (*root != id_) wiring.note(fmt::format("{} is a child of {}, which is resumed\n", id_, *root));
    auto secrets = split_inputs(inputs_);
    if (!secrets) return std::unexpected(secrets.error());
    const auto ended =
        resume_run(wiring, **store, session,
                   {.id = *root, .file = file_, .from = from_, .migrate = migrate_, .secrets = *secrets});
    if (!ended) return std::unexpected(ended.error());
    if (wiring.options().json) wiring.document(ended->json);
    return ended->code;
  }

 private:
  OrRefusal<void> check() const {
    const bool many = all_ || due_;
    if (many && (!id_.empty() || file_ || from_ || !inputs_.empty())) {
      return refuse(RefusalKind::kUsage,
                    fmt::format("--{} goes with neither an ID nor --file nor --from nor -i", all_ ? "all" : "due"));
    }
    if (migrate_ && !file_) {
      return refuse(RefusalKind::kUsage, "--migrate needs --file", "say which definition the run is to go on with");
    }
    if (!many && id_.empty()) {
      return refuse(RefusalKind::kUsage, "ID is missing",
                    "usage: canorun resume ID, canorun resume --all, or canorun resume --due");
    }
    return {};
  }

  bool is_meant(const store::CheckpointStore& store, const store::Summary& run, WallTime now) const {
    const bool stopped = run.status == store::Status::kInterrupted || run.status == store::Status::kSuspended;
    return (all_ && stopped) || (due_ && run::is_due(store, run, now));
  }

  store::StoreResult<std::vector<std::string>> resumable(const store::CheckpointStore& store, WallTime now) const {
    std::vector<std::string> ids;
    auto runs = store.list({.parent = ""});
    if (!runs) return std::unexpected(std::move(runs.error()));
    for (const store::Summary& run : *runs) {
      if (is_meant(store, run, now)) ids.push_back(run.id);
    }
    std::reverse(ids.begin(), ids.end());  // the oldest first
    return ids;
  }

  // The highest code of what was resumed counts, except for "later". What another process took in the
  // meantime is no concern of ours.
  OrRefusal<ExitCode> many(Wiring& wiring, store::CheckpointStore& store, Session& session) const {
    const auto ids = resumable(store, wiring.clock().now());
    if (!ids) return std::unexpected(refusal(ids.error()));
    if (ids->empty()) wiring.note(all_ ? "no run is interrupted or suspended\n" : "no run is due\n");
    Json documents = Json::array();
    ExitCode highest = ExitCode::kSuccess;
    for (const std::string& id : *ids) {
      if (session.was_stopped()) break;
      const auto ended = resume_run(wiring, store, session, {.id = id});
      if (!ended && ended.error().kind == RefusalKind::kOwned) continue;
      const ExitCode code = ended ? ended->code : exit_code(ended.error().kind);
      if (code != ExitCode::kResumeLater) highest = std::max(highest, code);
      if (!ended) wiring.err().write(render(ended.error(), wiring.err_style().color));
      documents.push_back(ended ? ended->json : refused(id, ended.error()));
    }
    if (wiring.options().json) wiring.document(documents);
    return session.was_stopped() && highest == ExitCode::kSuccess ? ExitCode::kResumeLater : highest;
  }

  static Json refused(const std::string& id, const Refusal& why) {
    Json out = to_json(why);
    out["id"] = id;
    return out;
  }

  std::string id_;
  std::optional<std::string> file_;
  std::optional<std::string> from_;
  std::vector<std::string> inputs_;
  bool migrate_ = false;
  bool all_ = false;
  bool due_ = false;
  bool suspend_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_resume() { return std::make_unique<Resume>(); }

}  // namespace canorun::cli
