#include "connect/files/file_marks.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace ficus::connect {

Result<FileMarks> FileMarks::declare(Schema& schema) {
  FileMarks marks;
  FICUS_TRY(marks.type, schema.intern_type("FileProgress"));
  FICUS_TRY(marks.source, schema.intern_attribute(marks.type, "fromSource", ValueKind::text));
  FICUS_TRY(marks.file, schema.intern_attribute(marks.type, "file", ValueKind::text));
  FICUS_TRY(marks.position, schema.intern_attribute(marks.type, "position", ValueKind::number));
  FICUS_TRY(marks.line, schema.intern_attribute(marks.type, "line", ValueKind::number));
  FICUS_TRY(marks.fingerprint, schema.intern_attribute(marks.type, "fingerprint", ValueKind::text));
  return marks;
}

// A file's name may be longer than an id, and hold anything.
std::string FileMarks::id(std::string_view source, std::string_view file) {
  return fmt::format("urn:ngsi-ld:FileProgress:{}:{:016x}", source, hash64(file));
}

ObservationBatch FileMarks::row(std::string_view source_name, std::string_view file_name,
                                const FileProgress& progress, Timestamp now) const {
  ObservationBatch batch(type);
  batch.begin_row(id(source_name, file_name), now);
  batch.set_text(source, ValueKind::text, source_name);
  batch.set_text(file, ValueKind::text, file_name);
  batch.set_number(position, static_cast<double>(progress.position));
  batch.set_number(line, static_cast<double>(progress.line));
  batch.set_text(fingerprint, ValueKind::text, progress.fingerprint);
  batch.finish();
  return batch;
}

std::optional<FileProgress> FileMarks::read(const twin::EntityView& entity) const {
  const twin::AttributeView* const at = entity.find(position);
  const twin::AttributeView* const line_at = entity.find(line);
  const twin::AttributeView* const print = entity.find(fingerprint);
  if (at == nullptr || line_at == nullptr || print == nullptr) return std::nullopt;
  return FileProgress{static_cast<std::uint64_t>(at->value.as_number()),
                      static_cast<std::uint64_t>(line_at->value.as_number()),
                      std::string(print->value.as_text())};
}

}  // namespace ficus::connect
