#include "codec/fact/fact.h"

#include <fmt/format.h>

#include "codec/fact/bytes.h"

namespace ficus::fact {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kHeard = 1;
constexpr std::uint8_t kDerived = 2;
constexpr std::uint8_t kConfigurationChanged = 3;
constexpr std::uint8_t kTimePassed = 4;
constexpr std::uint8_t kEndedRulesCleared = 5;
constexpr std::uint8_t kAllValid = 1;
constexpr std::uint8_t kSomeValid = 0;

// What a row costs at least: one byte of id length and eight of time.
constexpr std::size_t kRowBytesMin = 9;

void write_texts(const TextColumn& texts, ByteWriter& out) {
  for (std::size_t row = 0; row < texts.size(); ++row) out.text(texts[row]);
}

void write_validity(std::span<const std::uint8_t> valid, ByteWriter& out) {
  bool all = true;
  for (const std::uint8_t v : valid) all = all && v != 0;
  out.u8(all ? kAllValid : kSomeValid);
  if (all) return;
  for (std::size_t row = 0; row < valid.size(); row += 8) {
    std::uint8_t bits = 0;
    for (std::size_t i = 0; i < 8 && row + i < valid.size(); ++i) {
      if (valid[row + i] != 0) bits = static_cast<std::uint8_t>(bits | (1U << i));
    }
    out.u8(bits);
  }
}

template <typename T>
void write_array(const std::vector<T>& values, ByteWriter& out) {
  out.raw(values.data(), values.size() * sizeof(T));
}

void write_column(const Column& column, const std::string& name, ByteWriter& out) {
  out.text(name);
  out.u8(static_cast<std::uint8_t>(column.kind));
  write_validity(column.valid, out);
  switch (column.kind) {
    case ValueKind::boolean:
    case ValueKind::number:
      return write_array(column.numbers, out);
    case ValueKind::time:
      return write_array(column.times, out);
    case ValueKind::point:
      return write_array(column.points, out);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return write_texts(column.texts, out);
    case ValueKind::none:
      return;
  }
}

void write_batch(const ObservationBatch& batch, const Schema& schema, ByteWriter& out) {
  out.text(schema.type_name(batch.type()));
  out.varint(batch.row_count());
  write_texts(batch.ids(), out);
  out.raw(batch.observed_at().data(), batch.observed_at().size_bytes());
  out.varint(batch.columns().size());
  for (const Column& column : batch.columns()) {
    write_column(column, schema.attribute_name(batch.type(), column.attribute), out);
  }
}

TextColumn read_texts(std::size_t rows, ByteReader& in) {
  TextColumn texts;
  for (std::size_t row = 0; row < rows && in.ok(); ++row) texts.push_back(in.text());
  return texts;
}

std::vector<std::uint8_t> read_validity(std::size_t rows, ByteReader& in) {
  std::vector<std::uint8_t> valid(rows, 1);
  if (in.u8() == kAllValid) return valid;
  const std::string_view bits = in.raw((rows + 7) / 8);
  if (!in.ok()) return {};
  for (std::size_t row = 0; row < rows; ++row) {
    valid[row] = (static_cast<unsigned char>(bits[row / 8]) >> (row % 8)) & 1U;
  }
  return valid;
}

template <typename T>
std::vector<T> read_array(std::size_t rows, ByteReader& in) {
  const std::string_view bytes = in.raw(rows * sizeof(T));
  if (!in.ok()) return {};
  std::vector<T> values(rows);
  if (rows > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("damaged fact: {}", what));
}

Result<Column> read_column(TypeId type, std::size_t rows, Schema& schema, ByteReader& in) {
  const std::string_view name = in.text();
  const auto kind = static_cast<ValueKind>(in.u8());
  if (!in.ok() || kind < ValueKind::boolean || kind > ValueKind::json) {
    return damaged("column header");
  }
  FICUS_TRY(const AttributeId attribute, schema.intern_attribute(type, name, kind));
  Column column(attribute, kind);
  column.valid = read_validity(rows, in);
  switch (kind) {
    case ValueKind::boolean:
    case ValueKind::number:
      column.numbers = read_array<double>(rows, in);
      break;
    case ValueKind::time:
      column.times = read_array<Timestamp>(rows, in);
      break;
    case ValueKind::point:
      column.points = read_array<GeoPoint>(rows, in);
      break;
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      column.texts = read_texts(rows, in);
      break;
    case ValueKind::none:
      break;
  }
  if (!in.ok()) return damaged("column content");
  return column;
}

Result<ObservationBatch> read_batch(Schema& schema, ByteReader& in) {
  const std::string_view type_name = in.text();
  if (!in.ok()) return damaged("type name");
  FICUS_TRY(const TypeId type, schema.intern_type(type_name));
  const std::size_t rows = in.count(kRowBytesMin);
  TextColumn ids = read_texts(rows, in);
  std::vector<Timestamp> observed_at = read_array<Timestamp>(rows, in);
  if (!in.ok()) return damaged("ids or times");
  const std::size_t column_count = in.count(1);
  std::vector<Column> columns;
  for (std::size_t i = 0; i < column_count; ++i) {
    FICUS_TRY(Column column, read_column(type, rows, schema, in));
    columns.push_back(std::move(column));
  }
  if (!in.ok()) return damaged("batch");
  return ObservationBatch::from_columns(type, std::move(ids), std::move(observed_at),
                                        std::move(columns));
}

Result<Fact> read_heard(Schema& schema, ByteReader& in) {
  Heard heard;
  heard.source = in.text();
  heard.batch.received_at = {in.i64()};
  const std::size_t refusals = in.count(2);
  for (std::size_t i = 0; i < refusals; ++i) {
    RefusedCount refused;
    refused.reason = in.text();
    refused.items = in.varint();
    heard.batch.refused.push_back(std::move(refused));
  }
  const std::size_t quarantined = in.count(3);
  for (std::size_t i = 0; i < quarantined; ++i) {
    QuarantinedItem item;
    item.key = in.text();
    item.reason = in.text();
    item.bytes = in.text();
    heard.batch.quarantined.push_back(std::move(item));
  }
  const std::size_t batches = in.count(1);
  for (std::size_t i = 0; i < batches; ++i) {
    FICUS_TRY(ObservationBatch batch, read_batch(schema, in));
    heard.batch.observations.push_back(std::move(batch));
  }
  if (!in.done()) return damaged("heard");
  return Fact(std::move(heard));
}

Result<Fact> read_derived(Schema& schema, ByteReader& in) {
  std::string origin(in.text());
  FICUS_TRY(ObservationBatch rows, read_batch(schema, in));
  if (!in.done()) return damaged("derived");
  return Fact(Derived{std::move(origin), std::move(rows)});
}

Result<Fact> read_configuration_changed(ByteReader& in) {
  ConfigurationChanged change;
  change.by = in.text();
  const std::size_t parts = in.count(9);
  for (std::size_t i = 0; i < parts; ++i) {
    std::string name(in.text());
    change.parts.emplace_back(std::move(name), static_cast<std::uint64_t>(in.i64()));
  }
  change.rules_state = in.text();
  const std::size_t ended = in.count(1);
  for (std::size_t i = 0; i < ended; ++i) change.ended_rules.emplace_back(in.text());
  if (!in.done()) return damaged("configuration");
  return Fact(std::move(change));
}

Result<Fact> read_fact(std::uint8_t kind, std::string_view content, Schema& schema) {
  ByteReader in(content);
  switch (kind) {
    case kHeard:
      return read_heard(schema, in);
    case kDerived:
      return read_derived(schema, in);
    case kConfigurationChanged:
      return read_configuration_changed(in);
    case kTimePassed: {
      const TimePassed passed{{in.i64()}};
      if (!in.done()) return damaged("time");
      return Fact(passed);
    }
    case kEndedRulesCleared:
      if (!in.done()) return damaged("ended rules");
      return Fact(EndedRulesCleared{});
    default:
      return damaged(fmt::format("unknown kind {}", kind));
  }
}

}  // namespace

StepWriter::StepWriter(const Schema& schema, std::string& out) : schema_(schema), out_(out) {
  ByteWriter(out_).u8(kVersion);
}

void StepWriter::write_head(std::string_view source, const SourceBatch& batch,
                            std::size_t batch_count) {
  content_.clear();
  ByteWriter content(content_);
  content.text(source);
  content.i64(batch.received_at.micros);
  content.varint(batch.refused.size());
  for (const RefusedCount& refused : batch.refused) {
    content.text(refused.reason);
    content.varint(refused.items);
  }
  content.varint(batch.quarantined.size());
  for (const QuarantinedItem& item : batch.quarantined) {
    content.text(item.key);
    content.text(item.reason);
    content.text(item.bytes);
  }
  content.varint(batch_count);
}

void StepWriter::put(std::uint8_t kind) {
  ByteWriter out(out_);
  out.u8(kind);
  out.text(content_);
}

void StepWriter::heard(std::string_view source, const SourceBatch& batch) {
  write_head(source, batch, batch.observations.size());
  ByteWriter content(content_);
  for (const ObservationBatch& rows : batch.observations) write_batch(rows, schema_, content);
  put(kHeard);
}

void StepWriter::heard(std::string_view source, const SourceBatch& batch,
                       std::span<const std::shared_ptr<const ObservationBatch>> observations) {
  write_head(source, batch, observations.size());
  ByteWriter content(content_);
  for (const auto& rows : observations) write_batch(*rows, schema_, content);
  put(kHeard);
}

void StepWriter::derived(std::string_view origin, const ObservationBatch& rows) {
  content_.clear();
  ByteWriter content(content_);
  content.text(origin);
  write_batch(rows, schema_, content);
  put(kDerived);
}

void StepWriter::configuration_changed(const ConfigurationChanged& change) {
  content_.clear();
  ByteWriter content(content_);
  content.text(change.by);
  content.varint(change.parts.size());
  for (const auto& [name, fingerprint] : change.parts) {
    content.text(name);
    content.i64(static_cast<std::int64_t>(fingerprint));
  }
  content.text(change.rules_state);
  content.varint(change.ended_rules.size());
  for (const std::string& rule : change.ended_rules) content.text(rule);
  put(kConfigurationChanged);
}

void StepWriter::time_passed(Timestamp until) {
  content_.clear();
  ByteWriter(content_).i64(until.micros);
  put(kTimePassed);
}

void StepWriter::ended_rules_cleared() {
  content_.clear();
  put(kEndedRulesCleared);
}

Result<std::vector<Fact>> read_step(std::string_view bytes, Schema& schema) {
  ByteReader in(bytes);
  if (in.u8() != kVersion) return damaged("unknown version");
  std::vector<Fact> facts;
  while (!in.done()) {
    const std::uint8_t kind = in.u8();
    const std::string_view content = in.text();
    if (!in.ok()) return damaged("length");
    FICUS_TRY(Fact fact, read_fact(kind, content, schema));
    facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace ficus::fact
