#include <fmt/format.h>

#include <limits>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

using File = StreamDef::File;
using ItemErrors = model::StreamShape::ItemErrors;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};

constexpr std::array kFileKeys{
    key<File>(
        "file", "The file whose lines are read, from the flow file's folder.", accept::TextTemplate{},
        [](File& d, const Node& path) { d.path = &path; }, kRequired),
    key<File>("follow", "Whether it waits for more at the end of the file. false is the default.", accept::Flag{},
              [](File& d, bool follow) { d.follow = follow; }),
};

constexpr std::array kWindowKeys{
    key<StreamDef>("count", "A window is full with so many items.", accept::Integer{1, kLargest},
                   [](StreamDef& d, std::int64_t count) { d.count = static_cast<std::uint64_t>(count); }),
    key<StreamDef>("every", "A window ends so long after its first item.", accept::Duration{kShortest},
                   [](StreamDef& d, Millis every) { d.every = every; }),
};

constexpr std::array kItemErrorKeys{
    key<ItemErrors>(
        "max_errors", "So many items are skipped; one more fails the state.", accept::Integer{0, kLargest},
        [](ItemErrors& d, std::int64_t most) { d.max = static_cast<std::uint64_t>(most); }, kRequired),
};

constexpr std::array kStreamKeys{
    key<StreamDef>(
        "source", "Where the lines come from: an action that prints them, or a file.", accept::Source{},
        [](StreamDef& d, decltype(d.source) source) { d.source = std::move(source); }, kRequired),
    key<StreamDef>("initial", "The first cursor. null is the default; of a file, its beginning.", accept::Value{},
                   [](StreamDef& d, const Node& initial) { d.initial = &initial; }),
    key<StreamDef>("parse", "What a line is. text is the default.", accept::Choice{kFormats},
                   [](StreamDef& d, std::size_t format) { d.json = format == 1; }),
    key<StreamDef>("as", "What expressions call a line's item. item is the default.", accept::ItemName{},
                   [](StreamDef& d, std::string_view name) { d.as = name; }),
    key<StreamDef>("cursor",
                   "An expression over an item: from where the source goes on behind it. A file has its place, if "
                   "nothing else is said.",
                   accept::Expression{}, [](StreamDef& d, const Node& cursor) { d.cursor = &cursor; }),
    key<StreamDef>(
        "window", "How many items are flushed together.", accept::Window{},
        [](StreamDef& d, StreamDef window) {
          d.count = window.count;
          d.every = window.every;
        },
        kRequired),
    key<StreamDef>("each", "An action for every item.", accept::Action{},
                   [](StreamDef& d, ActionDef action) { d.each = std::move(action); }),
    key<StreamDef>(
        "flush", "The action for a window, with `items` in scope. Then its cursor is kept.", accept::Action{},
        [](StreamDef& d, ActionDef action) { d.flush = std::move(action); }, kRequired),
    key<StreamDef>("on_item_error",
                   "What an item that fails does: fail, skip, or {max_errors: n}. fail is the default.",
                   accept::ItemErrors{}, [](StreamDef& d, ItemErrors errors) { d.on_item_error = errors; }),
    key<StreamDef>("stop_when", "An expression over an item: true makes it the last one.", accept::Expression{},
                   [](StreamDef& d, const Node& stop) { d.stop_when = &stop; }),
};

}  // namespace

std::optional<StreamDef> read_value(Reader& reader, const Entry& entry, accept::Stream) {
  StreamDef stream;
  const MapRead read = read_map(reader, *entry.value, *entry.key, "'stream'", kStreamKeys, stream);
  if (read && std::holds_alternative<ActionDef>(stream.source) && !read.has("cursor")) {
    reader.error(Code::kMissingKey, *entry.key, "'stream' needs 'cursor': only a file has one of its own",
                 "an expression over an item, for example item.offset, or cursor + 1");
  }
  return stream;
}

std::optional<decltype(StreamDef::source)> read_value(Reader& reader, const Entry& entry, accept::Source) {
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kMap && node.find("file") != nullptr) {
    File file;
    read_map(reader, node, *entry.key, "a 'source' that is a file", kFileKeys, file);
    return file;
  }
  auto action = read_value(reader, entry, accept::Action{});
  if (!action) return std::nullopt;
  return std::move(*action);
}

std::optional<StreamDef> read_value(Reader& reader, const Entry& entry, accept::Window) {
  StreamDef window;
  const MapRead read = read_map(reader, *entry.value, *entry.key, quoted(entry), kWindowKeys, window);
  if (read && !read.has("count") && !read.has("every")) {
    reader.error(Code::kMissingKey, *entry.key, "'window' needs 'count' or 'every'", "for example {count: 100}");
  }
  return window;
}

std::optional<ItemErrors> read_value(Reader& reader, const Entry& entry, accept::ItemErrors) {
  const Node& node = *entry.value;
  ItemErrors errors;
  if (node.kind == NodeKind::kMap) {
    errors.skip = true;
    read_map(reader, node, *entry.key, quoted(entry), kItemErrorKeys, errors);
  } else if (node.is_scalar() && node.kind != NodeKind::kNull) {
    errors.skip = reader.read(accept::Choice{kItemErrorWords}, node, quoted(entry)) == 1;
  } else {
    reader.wrong_type(node, quoted(entry), "fail, skip or a map", "for example {max_errors: 10}");
  }
  return errors;
}

std::vector<KeyInfo> stream_keys() { return infos(kStreamKeys); }
std::vector<KeyInfo> file_keys() { return infos(kFileKeys); }
std::vector<KeyInfo> window_keys() { return infos(kWindowKeys); }
std::vector<KeyInfo> item_error_keys() { return infos(kItemErrorKeys); }

}  // namespace canorun::workflows
