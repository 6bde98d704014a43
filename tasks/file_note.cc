#include "tasks/file_note.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "tasks/file_access.h"
#include "tasks/save_file.h"

namespace canorun::tasks {
namespace {

constexpr std::uint64_t kLongestNote = 64 * 1024;

// What the note is about. It is kept with the run, where no secret may be.
Json about(const FileWork& work) {
  Json paths{{"path", work.path}, {"to", work.to}};
  work.masker->mask(paths);
  return paths;
}

}  // namespace

std::optional<Json> read_note(const FileWork& work) {
  const auto file = open_to_read(work.note);
  if (!file) return std::nullopt;
  const auto text = read_at_most(*file, kLongestNote);
  if (!text) return std::nullopt;
  auto note = parse_json(*text);
  if (!note || !note->is_object()) return std::nullopt;
  const auto what = note->find("what");
  if (what == note->end()) return std::nullopt;
  Json found = std::move(*what);
  note->erase(what);
  if (*note != about(work)) return std::nullopt;
  return found;
}

Result<void> keep_note(const FileWork& work, Json what) {
  SaveFile file(work.note, work.key);
  Json note = about(work);
  note["what"] = std::move(what);
  auto kept = file.write(to_json_text(note));
  if (kept) kept = file.commit();
  // The folder may be as new as the note.
  if (kept) kept = sync_folder_of(std::filesystem::path(work.note).parent_path());
  if (!kept) return fail(fmt::format("cannot keep a note of it: {}", kept.error().message), kept.error().hint);
  return {};
}

void drop_note(const FileWork& work) { ::unlink(work.note.c_str()); }

}  // namespace canorun::tasks
