#include "cli/view_doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

constexpr std::uint64_t kLittleRoom = 64ULL << 20;
constexpr std::uint64_t kWorthwhile = 16ULL << 20;
constexpr std::string_view kRestore =
    "restore the folder from a backup; runs that are not named here can be used as they are";

struct Advice {
  std::string what;
  std::string todo = {};
};

std::string litter_text(const store::Litter& litter) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t count, std::string_view one, std::string_view many) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, count == 1 ? one : many));
  };
  add(litter.owners, "owner's file", "owners' files");
  add(litter.logs, "folder of logs", "folders of logs");
  add(litter.limits, "earlier boot's limits", "earlier boots' limits");
  add(litter.compactions, "compaction that was cut off", "compactions that were cut off");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<Advice> damage_of(const Diagnosis& diagnosis) {
  std::vector<Advice> damage;
  if (!diagnosis.failure.empty()) damage.push_back({diagnosis.failure, diagnosis.todo});
  if (!diagnosis.found) return damage;
  for (const std::string& what : diagnosis.found->damage) damage.push_back({what, std::string(kRestore)});
  return damage;
}

std::vector<Advice> notes_of(const Diagnosis& diagnosis, const CommandText& command) {
  std::vector<Advice> notes;
  if (!diagnosis.is_there) notes.push_back({"there is no store yet", "the first run makes it"});
  if (!diagnosis.found) return notes;
  const store::Examination& found = *diagnosis.found;
  if (found.interrupted > 0) {
    notes.push_back({counted(found.interrupted, "run") + (found.interrupted == 1 ? " is" : " are") + " interrupted",
                     command("resume --all")});
  }
  if (found.newer > 0) {
    notes.push_back(
        {fmt::format("of {} not all could be checked: a later canorun wrote it", counted(found.newer, "run")),
         "check with that one"});
  }
  if (found.unread > 0) {
    notes.push_back({found.unread == 1
                         ? "1 breaker or limit cannot be read, and begins anew"
                         : fmt::format("{} breakers and limits cannot be read, and begin anew", found.unread)});
  }
  if (found.readers > 0)
    notes.push_back({fmt::format("{} that had died no longer {} back space", counted(found.readers, "reader"),
                                 found.readers == 1 ? "holds" : "hold")});
  if (found.litter.count() > 0) {
    const std::string left = litter_text(found.litter);
    notes.push_back(diagnosis.tidied ? Advice{"removed what processes that died had left: " + left}
                                     : Advice{"processes that died have left: " + left, command("doctor --fix")});
  }
  if (found.unused > kWorthwhile && found.unused > found.bytes / 2) {
    notes.push_back({human_size(found.unused) + " of the store are unused", command("prune --compact")});
  }
  if (found.left < kLittleRoom) {
    notes.push_back({fmt::format("only {} are left on the disk", human_size(found.left)),
                     "make room; " + command("prune --older-than 30d") + " deletes old runs"});
  }
  return notes;
}

Json to_json(const std::vector<Advice>& advice) {
  Json out = Json::array();
  for (const Advice& each : advice) {
    out.push_back({{"what", each.what}, {"do", each.todo.empty() ? Json() : Json(each.todo)}});
  }
  return out;
}

// What is to be done is told once for several that have it in common.
std::string advice_text(const std::vector<Advice>& advice, const std::string& label, const Style& style) {
  std::string out;
  for (std::size_t i = 0; i < advice.size(); ++i) {
    const std::string& todo = advice[i].todo;
    out += fmt::format("{} {}\n", label, printable(advice[i].what));
    const bool again = i + 1 < advice.size() && advice[i + 1].todo == todo;
    if (!todo.empty() && !again) out += fmt::format("  {} {}\n", style.dim("do:"), printable(todo));
  }
  return out;
}

std::string contents_text(const store::Examination& found) {
  std::string runs = counted(found.runs, "run");
  if (found.interrupted > 0) runs += fmt::format(", {} interrupted", found.interrupted);
  return fmt::format("{}; {}\n{}, {} of it unused; {} left on the disk\n", runs, counted(found.rows, "row"),
                     human_size(found.bytes), human_size(found.unused), human_size(found.left));
}

}  // namespace

bool Diagnosis::is_well() const { return failure.empty() && (!found || found->damage.empty()); }

std::string diagnosis_text(const Diagnosis& diagnosis, const CommandText& command, const Style& style) {
  std::string out = fmt::format("{}\n", printable(diagnosis.folder));
  if (diagnosis.found) out += contents_text(*diagnosis.found);
  out += advice_text(damage_of(diagnosis), style.error("damage:"), style);
  if (diagnosis.found && diagnosis.found->more_damage > 0) {
    out += fmt::format("{} {} more\n", style.error("damage:"), diagnosis.found->more_damage);
  }
  out += advice_text(notes_of(diagnosis, command), style.bold("note:"), style);
  if (diagnosis.is_there) {
    out += diagnosis.is_well() ? style.good("the store is well") : style.bad("the store is damaged");
    out += '\n';
  }
  return out;
}

Json to_json(const Diagnosis& diagnosis, const CommandText& command) {
  Json out{{"store", diagnosis.folder},
           {"well", diagnosis.is_well()},
           {"damage", to_json(damage_of(diagnosis))},
           {"more_damage", diagnosis.found ? diagnosis.found->more_damage : 0},
           {"notes", to_json(notes_of(diagnosis, command))}};
  const auto& found = diagnosis.found;
  const auto number = [&](std::uint64_t store::Examination::* member) {
    return found ? Json((*found).*member) : Json();
  };
  out["runs"] = number(&store::Examination::runs);
  out["interrupted"] = number(&store::Examination::interrupted);
  out["rows"] = number(&store::Examination::rows);
  out["bytes"] = number(&store::Examination::bytes);
  out["bytes_unused"] = number(&store::Examination::unused);
  out["bytes_left"] = number(&store::Examination::left);
  return out;
}

}  // namespace canorun::cli
