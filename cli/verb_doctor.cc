// canorun doctor: checks a store, and says what is wrong with it and what to do.
#include <fmt/format.h>

#include <csignal>

#include "cli/apart.h"
#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_doctor.h"
#include "cli/wiring.h"
#include "engine/process/launcher.h"
#include "engine/store/lmdb_store.h"

namespace canorun::cli {
namespace {

// A signal that bytes can be the cause of.
bool is_fault(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGFPE || signal == SIGILL;
}

class Doctor final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.flag(fix_, "--fix", "remove what processes that died have left; damage is only told");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto folder = store_folder(wiring.options());
    if (!folder) return std::unexpected(folder.error());
    // LMDB trusts its file: bytes that are wrong may be a signal instead of an error.
    const Apart looked = apart([&] { return to_json_text(look(wiring, *folder)); });
    if (looked.signal != 0 && !is_fault(looked.signal)) {
      return refuse(RefusalKind::kStoreFailed, "the store was not looked at to its end: a signal ended that",
                    "try again");
    }
    if (looked.signal != 0) {
      const Diagnosis fatal{.folder = *folder,
                            .failure = fmt::format("reading the store ends in {}: its file is damaged",
                                                   process::signal_name(looked.signal)),
                            .todo = "restore the folder from a backup, or choose another one with --store DIR"};
      return tell(wiring, answer(wiring, fatal));
    }
    const auto said = parse_json(looked.said);
    if (!said)
      return refuse(RefusalKind::kStoreFailed, "the store could not be looked at",
                    looked.error.empty() ? "try again with more memory" : looked.error);
    if (said->contains("refused")) {
      return refuse(static_cast<RefusalKind>((*said)["refused"].get<int>()), (*said)["message"], (*said)["hint"]);
    }
    return tell(wiring, *said);
  }

 private:
  // In a process of its own.
  Json look(Wiring& wiring, const std::string& folder) const {
    Diagnosis diagnosis{.folder = folder};
    auto store = open_on_disk(folder, false);
    if (!store && store.error().kind == store::StoreErrorKind::kCorrupt) {
      diagnosis.failure = store.error().message;
      diagnosis.todo = store.error().hint;
      return answer(wiring, diagnosis);
    }
    if (!store) return refused(store.error());
    diagnosis.is_there = *store != nullptr;
    if (!diagnosis.is_there) return answer(wiring, diagnosis);
    auto found = (*store)->examine();
    if (!found) return refused(found.error());
    diagnosis.found = std::move(*found);
    if (fix_ && diagnosis.is_well()) {  // what damage hides is not to be taken for what is not there
      const auto cleared = (*store)->clear_litter();
      if (!cleared) return refused(cleared.error());
      diagnosis.found->litter = *cleared;
      diagnosis.tidied = true;
    }
    return answer(wiring, diagnosis);
  }

  static Json refused(store::StoreError error) {
    const Refusal told = refusal(std::move(error));
    return {{"refused", static_cast<int>(told.kind)}, {"message", told.message}, {"hint", told.hint}};
  }

  static Json answer(Wiring& wiring, const Diagnosis& diagnosis) {
    const CommandText command = [&](std::string_view words) { return wiring.command(words); };
    const std::string text = wiring.options().json ? to_json_text(to_json(diagnosis, command)) + "\n"
                                                   : diagnosis_text(diagnosis, command, wiring.out_style());
    return {{"well", diagnosis.is_well()}, {"text", text}};
  }

  static OrRefusal<ExitCode> tell(Wiring& wiring, const Json& said) {
    const bool well = said["well"];
    if (!well || wiring.options().json || !wiring.options().quiet) wiring.out().write(said["text"].get<std::string>());
    return well ? ExitCode::kSuccess : ExitCode::kStore;
  }

  bool fix_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace canorun::cli
