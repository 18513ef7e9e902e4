#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/files/folder_reader.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "twin/query.h"

namespace ficus::connect {

// How far files were taken, as entities of the type FileProgress: facts in the log like all else,
// so they survive what the data survives.
struct FileMarks {
  TypeId type;
  AttributeId source, file, position, line, fingerprint;

  static Result<FileMarks> declare(Schema& schema);

  static std::string id(std::string_view source, std::string_view file);
  ObservationBatch row(std::string_view source_name, std::string_view file_name,
                       const FileProgress& progress, Timestamp now) const;
  std::optional<FileProgress> read(const twin::EntityView& entity) const;
};

}  // namespace ficus::connect
