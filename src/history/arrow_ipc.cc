#include "history/arrow_ipc.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "history/arrow_abi.h"
#include "history/flat_buffer.h"

namespace ficus::history {
namespace {

// Numbers of the union Type in Arrow's Schema.fbs.
enum class TypeTag : std::uint8_t {
  null = 1,
  integer = 2,
  floating_point = 3,
  binary = 4,
  utf8 = 5,
  boolean = 6,
  decimal = 7,
  date = 8,
  time = 9,
  timestamp = 10,
  interval = 11,
  list = 12,
  structure = 13,
  union_ = 14,
  fixed_size_binary = 15,
  fixed_size_list = 16,
  map = 17,
  large_binary = 19,
  large_utf8 = 20,
  large_list = 21,
};

// How the buffers of a type lie (Columnar.html, "Buffer Listing for Each Layout").
enum class Layout : std::uint8_t {
  none,        // null: no buffers
  bits,        // validity, one bit a value
  fixed,       // validity, `width` bytes a value
  text,        // validity, offsets of `width` bytes, bytes
  list,        // validity, offsets of `width` bytes
  structure,   // validity; also lists of fixed size, whose child is longer
  union_tags,  // one byte a value (sparse union: children as long as it)
};

struct TypeForm {
  TypeTag tag = TypeTag::null;
  Layout layout = Layout::none;
  std::int64_t width = 0;
  FlatTable table;
  std::string time_zone;                // a timestamp's
  std::vector<std::int32_t> union_ids;  // a union's
};

constexpr std::int16_t kVersion5 = 4;      // MetadataVersion.V5
constexpr std::int64_t kNullableFlag = 2;  // ARROW_FLAG_NULLABLE
enum class Header : std::uint8_t { schema = 1, record_batch = 3 };

TypeForm form(TypeTag tag, Layout layout, std::int64_t width) {
  TypeForm out;
  out.tag = tag;
  out.layout = layout;
  out.width = width;
  return out;
}

TypeForm integer_form(int bits, bool is_signed) {
  TypeForm out = form(TypeTag::integer, Layout::fixed, bits / 8);
  out.table.scalar(0, std::int32_t{bits}).scalar(1, is_signed);
  return out;
}

TypeForm float_form(std::int16_t precision, std::int64_t width) {
  TypeForm out = form(TypeTag::floating_point, Layout::fixed, width);
  out.table.scalar(0, precision);
  return out;
}

// The number at the front of `text`, which is advanced behind it and a following comma.
int take_number(std::string_view& text) {
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(',')) text.remove_prefix(1);
  return value;
}

// SECOND, MILLISECOND, MICROSECOND, NANOSECOND of TimeUnit; -1 for another letter.
std::int16_t time_unit(char letter) {
  return static_cast<std::int16_t>(std::string_view("smun").find(letter) == std::string_view::npos
                                       ? -1
                                       : static_cast<int>(std::string_view("smun").find(letter)));
}

// "tdD", "ttu", "tsu:UTC", "tin" and their like.
std::optional<TypeForm> temporal_form(std::string_view format) {
  if (format.size() < 3) return std::nullopt;
  TypeForm out;
  const char unit = format[2];
  switch (format[1]) {
    case 'd':
      if (unit != 'D' && unit != 'm') return std::nullopt;
      out = form(TypeTag::date, Layout::fixed, unit == 'D' ? 4 : 8);
      out.table.scalar(0, static_cast<std::int16_t>(unit == 'D' ? 0 : 1));
      return out;
    case 't': {
      if (time_unit(unit) < 0) return std::nullopt;
      const int bits = unit == 's' || unit == 'm' ? 32 : 64;
      out = form(TypeTag::time, Layout::fixed, bits / 8);
      out.table.scalar(0, time_unit(unit)).scalar(1, std::int32_t{bits});
      return out;
    }
    case 's':
      if (time_unit(unit) < 0) return std::nullopt;
      out = form(TypeTag::timestamp, Layout::fixed, 8);
      out.table.scalar(0, time_unit(unit)).reference(1);
      // DuckDB's times have no zone; history's are UTC.
      out.time_zone = format.size() > 4 ? format.substr(4) : "UTC";
      return out;
    case 'i':
      if (unit != 'n') return std::nullopt;
      out = form(TypeTag::interval, Layout::fixed, 16);
      out.table.scalar(0, std::int16_t{2});  // MONTH_DAY_NANO
      return out;
    default:
      return std::nullopt;
  }
}

std::optional<TypeForm> nested_form(std::string_view format) {
  TypeForm out;
  switch (format.size() < 2 ? '\0' : format[1]) {
    case 'l':
      return form(TypeTag::list, Layout::list, 4);
    case 'L':
      return form(TypeTag::large_list, Layout::list, 8);
    case 's':
      return form(TypeTag::structure, Layout::structure, 0);
    case 'm':
      out = form(TypeTag::map, Layout::list, 4);
      out.table.scalar(0, false);  // keysSorted
      return out;
    case 'w':
      if (!format.starts_with("+w:")) return std::nullopt;
      out = form(TypeTag::fixed_size_list, Layout::structure, 0);
      format.remove_prefix(3);
      out.table.scalar(0, std::int32_t{take_number(format)});
      return out;
    case 'u': {
      if (!format.starts_with("+us:")) return std::nullopt;  // dense unions
      out = form(TypeTag::union_, Layout::union_tags, 1);
      out.table.scalar(0, std::int16_t{0}).reference(1);  // Sparse
      for (std::string_view ids = format.substr(4); !ids.empty();) {
        out.union_ids.push_back(take_number(ids));
      }
      return out;
    }
    default:
      return std::nullopt;
  }
}

std::optional<TypeForm> decimal_form(std::string_view format) {
  format.remove_prefix(2);
  const int precision = take_number(format);
  const int scale = take_number(format);
  const int bits = format.empty() ? 128 : take_number(format);
  TypeForm out = form(TypeTag::decimal, Layout::fixed, bits / 8);
  out.table.scalar(0, std::int32_t{precision})
      .scalar(1, std::int32_t{scale})
      .scalar(2, std::int32_t{bits});
  return out;
}

// The type that a format string names (CDataInterface.html, "Data type description").
std::optional<TypeForm> type_form(std::string_view format) {
  if (format.starts_with('t')) return temporal_form(format);
  if (format.starts_with('+')) return nested_form(format);
  if (format.starts_with("d:")) return decimal_form(format);
  if (format.starts_with("w:")) {
    format.remove_prefix(2);
    const int width = take_number(format);
    TypeForm out = form(TypeTag::fixed_size_binary, Layout::fixed, width);
    out.table.scalar(0, std::int32_t{width});
    return out;
  }
  if (format.size() != 1) return std::nullopt;
  switch (format[0]) {
    case 'n':
      return form(TypeTag::null, Layout::none, 0);
    case 'b':
      return form(TypeTag::boolean, Layout::bits, 0);
    case 'c':
      return integer_form(8, true);
    case 'C':
      return integer_form(8, false);
    case 's':
      return integer_form(16, true);
    case 'S':
      return integer_form(16, false);
    case 'i':
      return integer_form(32, true);
    case 'I':
      return integer_form(32, false);
    case 'l':
      return integer_form(64, true);
    case 'L':
      return integer_form(64, false);
    case 'f':
      return float_form(1, 4);
    case 'g':
      return float_form(2, 8);
    case 'u':
      return form(TypeTag::utf8, Layout::text, 4);
    case 'U':
      return form(TypeTag::large_utf8, Layout::text, 8);
    case 'z':
      return form(TypeTag::binary, Layout::text, 4);
    case 'Z':
      return form(TypeTag::large_binary, Layout::text, 8);
    default:
      return std::nullopt;
  }
}

// --- The schema message.

std::string_view name_of(const ArrowSchema& field) {
  return field.name == nullptr ? "" : field.name;
}

// False if the type, or that of a part, has no form.
bool write_field(FlatWriter& writer, FlatWriter::Reference from, const ArrowSchema& field) {
  const std::optional<TypeForm> type =
      field.dictionary == nullptr ? type_form(field.format) : std::nullopt;
  if (!type) return false;
  // Of a map neither the entries nor the keys may be nullable: readers refuse it otherwise.
  const bool is_nullable = (field.flags & kNullableFlag) != 0;
  // Field: name, nullable, type_type, type, dictionary, children.
  const auto references = writer.table(from, FlatTable()
                                                 .scalar(1, is_nullable)
                                                 .scalar(2, static_cast<std::uint8_t>(type->tag))
                                                 .reference(0)
                                                 .reference(3)
                                                 .reference(5));
  writer.text(references[0], name_of(field));
  const auto of_type = writer.table(references[1], type->table);
  if (type->tag == TypeTag::timestamp) writer.text(of_type[0], type->time_zone);
  if (type->tag == TypeTag::union_) {
    writer.vector(of_type[0], type->union_ids.data(), type->union_ids.size(), 4);
  }
  const auto children =
      writer.references(references[2], static_cast<std::size_t>(field.n_children));
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!write_field(writer, children[i], *field.children[i])) return false;
  }
  return true;
}

// Message: version, header_type, header, bodyLength. Returns where the header goes.
FlatWriter::Reference begin_message(FlatWriter& writer, Header header, std::int64_t body_length) {
  return writer.table(writer.root(), FlatTable()
                                         .scalar(0, kVersion5)
                                         .scalar(1, static_cast<std::uint8_t>(header))
                                         .reference(2)
                                         .scalar(3, body_length))[0];
}

constexpr std::size_t kAlignment = 8;

std::size_t padded(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Encapsulated message format: continuation mark, length of the metadata, metadata, (body).
void append_metadata(const FlatWriter& writer, std::string& out) {
  constexpr std::uint32_t kContinuation = 0xFFFFFFFF;
  const auto length = static_cast<std::uint32_t>(padded(writer.bytes().size()));
  out.append(reinterpret_cast<const char*>(&kContinuation), sizeof kContinuation);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out += writer.bytes();
  out.append(length - writer.bytes().size(), '\0');
}

// --- A record batch.

struct FieldNode {  // as in Message.fbs
  std::int64_t length;
  std::int64_t null_count;
};
struct Buffer {
  std::int64_t offset;
  std::int64_t length;
};

class BatchParts {
 public:
  std::vector<FieldNode> nodes;
  std::vector<Buffer> buffers;
  std::vector<std::span<const char>> bytes;
  std::size_t body_size = 0;

  // Depth first, parents before children (Columnar.html, "RecordBatch message").
  Status add(const ArrowSchema& schema, const ArrowArray& array) {
    const std::optional<TypeForm> type = type_form(schema.format);
    FICUS_CHECK(type.has_value());
    if (array.offset != 0) {
      return fail(ErrorCode::internal, "DuckDB gave an Arrow array with an offset");
    }
    const bool has_no_nulls = type->layout == Layout::none || type->layout == Layout::union_tags;
    nodes.push_back({array.length, type->layout == Layout::none ? array.length
                                   : has_no_nulls               ? 0
                                                                : nulls(array)});
    add_buffers(*type, array);
    for (std::int64_t i = 0; i < array.n_children; ++i) {
      FICUS_TRY_VOID(add(*schema.children[i], *array.children[i]));
    }
    return {};
  }

 private:
  static std::size_t bit_bytes(std::int64_t count) {
    return static_cast<std::size_t>((count + 7) / 8);
  }

  static std::int64_t nulls(const ArrowArray& array) {
    const auto* bits = static_cast<const unsigned char*>(array.buffers[0]);
    if (array.null_count >= 0 || bits == nullptr) return bits == nullptr ? 0 : array.null_count;
    std::int64_t valid = 0;
    for (std::int64_t i = 0; i < array.length; ++i) valid += (bits[i / 8] >> (i % 8)) & 1;
    return array.length - valid;
  }

  void put(const void* data, std::size_t size) {
    if (data == nullptr) size = 0;
    buffers.push_back({static_cast<std::int64_t>(body_size), static_cast<std::int64_t>(size)});
    bytes.push_back({static_cast<const char*>(data), size});
    body_size += padded(size);
  }

  void add_buffers(const TypeForm& type, const ArrowArray& array) {
    if (type.layout == Layout::none) return;
    const auto length = static_cast<std::size_t>(array.length);
    const auto width = static_cast<std::size_t>(type.width);
    if (type.layout == Layout::union_tags) return put(array.buffers[0], length);
    put(array.buffers[0], nodes.back().null_count == 0 ? 0 : bit_bytes(array.length));
    switch (type.layout) {
      case Layout::bits:
        return put(array.buffers[1], bit_bytes(array.length));
      case Layout::fixed:
        return put(array.buffers[1], length * width);
      case Layout::list:
        return put(array.buffers[1], (length + 1) * width);
      case Layout::text:
        put(array.buffers[1], (length + 1) * width);
        return put(array.buffers[2], text_bytes(array.buffers[1], length, width));
      case Layout::none:
      case Layout::structure:
      case Layout::union_tags:
        return;
    }
  }

  static std::size_t text_bytes(const void* offsets, std::size_t length, std::size_t width) {
    if (offsets == nullptr) return 0;
    return width == 8 ? static_cast<std::size_t>(static_cast<const std::int64_t*>(offsets)[length])
                      : static_cast<std::size_t>(static_cast<const std::int32_t*>(offsets)[length]);
  }
};

}  // namespace

Result<std::string> arrow_schema_message(const ArrowSchema& schema) {
  FlatWriter writer;
  const auto header = begin_message(writer, Header::schema, 0);
  // Schema: endianness (0: little), fields.
  const auto fields = writer.table(header, FlatTable().scalar(0, std::int16_t{0}).reference(1))[0];
  const auto columns = writer.references(fields, static_cast<std::size_t>(schema.n_children));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ArrowSchema& column = *schema.children[i];
    if (write_field(writer, columns[i], column)) continue;
    return invalid(
        fmt::format("column '{}': cast it to VARCHAR: its type has no form in an Arrow answer",
                    name_of(column)));
  }
  std::string out;
  append_metadata(writer, out);
  return out;
}

Status append_arrow_batch(const ArrowSchema& schema, const ArrowArray& batch, std::string& out) {
  BatchParts parts;
  for (std::int64_t i = 0; i < batch.n_children; ++i) {
    FICUS_TRY_VOID(parts.add(*schema.children[i], *batch.children[i]));
  }
  FlatWriter writer;
  const auto header =
      begin_message(writer, Header::record_batch, static_cast<std::int64_t>(parts.body_size));
  // RecordBatch: length, nodes, buffers.
  const auto references =
      writer.table(header, FlatTable().scalar(0, batch.length).reference(1).reference(2));
  writer.vector(references[0], parts.nodes.data(), parts.nodes.size(), sizeof(FieldNode));
  writer.vector(references[1], parts.buffers.data(), parts.buffers.size(), sizeof(Buffer));
  append_metadata(writer, out);
  for (const std::span<const char>& piece : parts.bytes) {
    out.append(piece.data(), piece.size());
    out.append(padded(piece.size()) - piece.size(), '\0');
  }
  return {};
}

std::string arrow_end() { return std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8); }

}  // namespace ficus::history
