// The kind `file`: reads, writes and moves files, so that doing it again changes nothing more.
#pragma once

#include <array>

#include "engine/model/task_kind.h"
#include "tasks/parse.h"

namespace canorun::tasks {

Result<void> check_file(const Json& literals);
Result<std::unique_ptr<model::Task>> make_file(Json params);

/// In the order of FileOp.
inline constexpr std::array<std::string_view, 7> kFileOps{"read", "write", "append", "copy", "move", "remove", "stat"};

inline constexpr std::array<std::string_view, 1> kReadOps{"read"};
inline constexpr std::array<std::string_view, 2> kContentOps{"write", "append"};
inline constexpr std::array<std::string_view, 2> kTargetOps{"copy", "move"};
inline constexpr std::array<std::string_view, 1> kStatOps{"stat"};
inline constexpr std::array<std::string_view, 6> kSizeOps{"read", "write", "append", "copy", "move", "stat"};

inline constexpr std::array kFileParams{
    model::Param{.name = "content",
                 .type = model::ParamType::kAny,
                 .doc = "what to write; what is no text is written as JSON",
                 .required = true,
                 .with = {.param = "op", .values = kContentOps}},
    model::Param{.name = "max_size",
                 .type = model::ParamType::kSize,
                 .doc = "the largest file that is read; default 1MiB",
                 .with = {.param = "op", .values = kReadOps}},
    model::Param{.name = "op",
                 .type = model::ParamType::kString,
                 .doc = "what to do",
                 .required = true,
                 .literal = true,
                 .one_of = kFileOps},
    model::Param{.name = "parse",
                 .type = model::ParamType::kString,
                 .doc = "reads the content as one JSON document (`json`) or as lines; default none",
                 .literal = true,
                 .one_of = kParseForms,
                 .with = {.param = "op", .values = kReadOps}},
    model::Param{.name = "path",
                 .type = model::ParamType::kString,
                 .doc = "the file, from the flow file's folder",
                 .required = true},
    model::Param{.name = "to",
                 .type = model::ParamType::kString,
                 .doc = "the file it becomes, name and all, from the flow file's folder",
                 .required = true,
                 .with = {.param = "op", .values = kTargetOps}},
};

inline constexpr std::array kFileOutputs{
    model::Field{.name = "content",
                 .type = model::FieldType::kString,
                 .doc = "what the file holds",
                 .with = {.param = "op", .values = kReadOps}},
    model::Field{.name = "exists",
                 .type = model::FieldType::kBool,
                 .doc = "whether anything has that path",
                 .with = {.param = "op", .values = kStatOps}},
    model::Field{.name = "json", .type = model::FieldType::kAny, .doc = "the content, read", .with = kWithJson},
    model::Field{
        .name = "lines", .type = model::FieldType::kStringList, .doc = "the content, line by line", .with = kWithLines},
    model::Field{.name = "modified_at",
                 .type = model::FieldType::kAny,
                 .doc = "when it was last written, as in `2026-11-23T08:15:00.123Z`; null where nothing is",
                 .with = {.param = "op", .values = kStatOps}},
    model::Field{.name = "path",
                 .type = model::FieldType::kString,
                 .doc = "the absolute path of the file; after `copy` and `move` that of `to`"},
    model::Field{.name = "size",
                 .type = model::FieldType::kInt,
                 .doc = "how many bytes the file has then; 0 of what is no file",
                 .with = {.param = "op", .values = kSizeOps}},
    model::Field{.name = "type",
                 .type = model::FieldType::kString,
                 .doc = "`file`, `folder`, `other` or `none`; symbolic links are followed",
                 .with = {.param = "op", .values = kStatOps}},
};

inline constexpr model::TaskKind kFile{
    .name = "file",
    .doc =
        "Reads, writes, appends to, copies, moves, removes or looks at a file. Done again, it leaves the same files.",
    .params = kFileParams,
    .outputs = kFileOutputs,
    .example = R"(publish:
  task: file
  with: {op: write, path: public/order.json, content: {id: "${{ inputs.order_id }}"}}
  next: done
)",
    .check = check_file,
    .make = make_file,
};

}  // namespace canorun::tasks
