#include "history/cell_reader.h"

#include <duckdb.h>
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/time_text.h"

namespace ficus::history {
namespace {

// HUGEINT has 128 bits; both compilers have the type, the standard has not.
__extension__ typedef __int128 Integer128;
__extension__ typedef unsigned __int128 Unsigned128;

struct OwnedType {
  duckdb_logical_type raw = nullptr;
  explicit OwnedType(duckdb_logical_type type) : raw(type) {}
  OwnedType(const OwnedType&) = delete;
  OwnedType& operator=(const OwnedType&) = delete;
  ~OwnedType() { duckdb_destroy_logical_type(&raw); }
};

std::string taken(char* text) {
  std::string out = text == nullptr ? "" : text;
  duckdb_free(text);
  return out;
}

const char* simple_type_name(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    default:
      return nullptr;
  }
}

Status add_child(CellType& out, duckdb_logical_type child) {
  const OwnedType owned(child);
  FICUS_TRY(CellType type, cell_type(owned.raw));
  out.children.push_back(std::move(type));
  return {};
}

Status describe_members(CellType& out, duckdb_logical_type type, bool is_union) {
  const idx_t count =
      is_union ? duckdb_union_type_member_count(type) : duckdb_struct_type_child_count(type);
  out.text = is_union ? "UNION(" : "STRUCT(";
  for (idx_t i = 0; i < count; ++i) {
    out.names.push_back(taken(is_union ? duckdb_union_type_member_name(type, i)
                                       : duckdb_struct_type_child_name(type, i)));
    FICUS_TRY_VOID(add_child(out, is_union ? duckdb_union_type_member_type(type, i)
                                           : duckdb_struct_type_child_type(type, i)));
    out.text += (i == 0 ? "" : ", ") + out.names.back() + " " + out.children.back().text;
  }
  out.text += ')';
  return {};
}

Status describe_nested(CellType& out, duckdb_logical_type type) {
  switch (static_cast<duckdb_type>(out.id)) {
    case DUCKDB_TYPE_LIST:
      FICUS_TRY_VOID(add_child(out, duckdb_list_type_child_type(type)));
      out.text = out.children[0].text + "[]";
      return {};
    case DUCKDB_TYPE_ARRAY:
      FICUS_TRY_VOID(add_child(out, duckdb_array_type_child_type(type)));
      out.array_size = duckdb_array_type_array_size(type);
      out.text = fmt::format("{}[{}]", out.children[0].text, out.array_size);
      return {};
    case DUCKDB_TYPE_MAP:
      FICUS_TRY_VOID(add_child(out, duckdb_map_type_key_type(type)));
      FICUS_TRY_VOID(add_child(out, duckdb_map_type_value_type(type)));
      out.text = fmt::format("MAP({}, {})", out.children[0].text, out.children[1].text);
      return {};
    case DUCKDB_TYPE_STRUCT:
      return describe_members(out, type, false);
    case DUCKDB_TYPE_UNION:
      return describe_members(out, type, true);
    case DUCKDB_TYPE_ENUM:
      out.storage = static_cast<int>(duckdb_enum_internal_type(type));
      for (std::uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
        out.names.push_back(taken(duckdb_enum_dictionary_value(type, i)));
      }
      out.text = "ENUM";
      return {};
    case DUCKDB_TYPE_DECIMAL:
      out.storage = static_cast<int>(duckdb_decimal_internal_type(type));
      out.scale = duckdb_decimal_scale(type);
      out.text = fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), out.scale);
      return {};
    default:
      return invalid("cast it to VARCHAR: its type has no form in an answer");
  }
}

template <typename T>
const T& at(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

bool is_null(duckdb_vector vector, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::string_view text_at(duckdb_vector vector, idx_t row) {
  duckdb_string_t& text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row];
  return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
}

std::string digits(Unsigned128 magnitude) {
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string integer_text(Integer128 value) {
  const auto bits = static_cast<Unsigned128>(value);
  return value < 0 ? "-" + digits(0 - bits) : digits(bits);
}

Integer128 hugeint(const duckdb_hugeint& v) {
  return static_cast<Integer128>(
      (static_cast<Unsigned128>(static_cast<std::uint64_t>(v.upper)) << 64) | v.lower);
}

Integer128 whole_number(duckdb_type type, duckdb_vector vector, idx_t row) {
  switch (type) {
    case DUCKDB_TYPE_TINYINT:
      return at<std::int8_t>(vector, row);
    case DUCKDB_TYPE_SMALLINT:
      return at<std::int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return at<std::int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return at<std::int64_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT:
      return at<std::uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return at<std::uint16_t>(vector, row);
    case DUCKDB_TYPE_UINTEGER:
      return at<std::uint32_t>(vector, row);
    case DUCKDB_TYPE_UBIGINT:
      return at<std::uint64_t>(vector, row);
    default:
      return hugeint(at<duckdb_hugeint>(vector, row));
  }
}

std::string decimal_text(Integer128 value, int scale) {
  std::string text = integer_text(value);
  if (scale == 0) return text;
  const bool negative = text.front() == '-';
  if (negative) text.erase(0, 1);
  const auto wanted = static_cast<std::size_t>(scale) + 1;
  if (text.size() < wanted) text.insert(0, wanted - text.size(), '0');
  text.insert(text.size() - static_cast<std::size_t>(scale), 1, '.');
  return negative ? "-" + text : text;
}

std::string uuid_text(const duckdb_hugeint& v) {
  // The top bit is flipped so that hugeints sort as UUIDs do.
  const std::uint64_t high = static_cast<std::uint64_t>(v.upper) ^ (std::uint64_t{1} << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, v.lower >> 48, v.lower & 0xffffffffffff);
}

std::string time_of_day(std::int64_t micros) {
  std::string out = fmt::format("{:02}:{:02}:{:02}", micros / 3'600'000'000,
                                micros / 60'000'000 % 60, micros / 1'000'000 % 60);
  if (micros % 1'000'000 != 0) out += fmt::format(".{:06}", micros % 1'000'000);
  return out;
}

std::string interval_text(const duckdb_interval& v) {
  std::string out;
  if (v.months != 0) out += fmt::format("{} months ", v.months);
  if (v.days != 0) out += fmt::format("{} days ", v.days);
  if (v.micros != 0 || out.empty()) {
    if (v.micros < 0) out += '-';
    return out + time_of_day(v.micros < 0 ? -v.micros : v.micros);
  }
  out.pop_back();
  return out;
}

std::string blob_text(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c >= ' ' && c < '\x7f' && c != '\\') {
      out += c;
    } else {
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// ISO 8601; DuckDB's infinities are the ends of the range.
std::string time_text(Integer128 micros) {
  if (micros >= INT64_MAX) return "infinity";
  if (micros <= -INT64_MAX) return "-infinity";
  return to_iso8601({static_cast<std::int64_t>(micros)});
}

std::string timestamp_text(duckdb_type type, std::int64_t value) {
  const bool is_infinite = value == INT64_MAX || value == -INT64_MAX;
  if (type == DUCKDB_TYPE_TIMESTAMP || type == DUCKDB_TYPE_TIMESTAMP_TZ || is_infinite) {
    return time_text(value);
  }
  if (type == DUCKDB_TYPE_TIMESTAMP_S) return time_text(static_cast<Integer128>(value) * 1'000'000);
  if (type == DUCKDB_TYPE_TIMESTAMP_MS) return time_text(static_cast<Integer128>(value) * 1'000);
  return time_text(value >= 0 ? value / 1000 : -((-value + 999) / 1000));
}

std::string date_text(std::int32_t days) {
  if (days == INT32_MAX) return "infinity";
  if (days == -INT32_MAX) return "-infinity";
  const duckdb_date_struct date = duckdb_from_date({days});
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

Cell kept_cell(CellKind kind, const std::string& keep) {
  Cell cell;
  cell.kind = kind;
  cell.text = keep;
  return cell;
}

Cell text_cell(CellKind kind, std::string text, std::string& keep) {
  keep = std::move(text);
  return kept_cell(kind, keep);
}

// Most times are plain: their text goes where the last one was.
Cell time_cell(duckdb_type type, std::int64_t value, std::string& keep) {
  if (type != DUCKDB_TYPE_TIMESTAMP || value == INT64_MAX || value == -INT64_MAX) {
    return text_cell(CellKind::time, timestamp_text(type, value), keep);
  }
  keep.clear();
  append_iso8601({value}, keep);
  return kept_cell(CellKind::time, keep);
}

Cell number_cell(double value) {
  Cell cell;
  cell.kind = CellKind::number;
  cell.number = value;
  return cell;
}

Cell whole_cell(Integer128 value, std::string& keep) {
  if (value < INT64_MIN || value > INT64_MAX) {
    return text_cell(CellKind::decimal, integer_text(value), keep);
  }
  Cell cell;
  cell.kind = CellKind::integer;
  cell.integer = static_cast<std::int64_t>(value);
  return cell;
}

void append_json(const CellType& type, duckdb_vector vector, idx_t row, std::string& out);

Cell read_cell(const CellType& type, duckdb_vector vector, idx_t row, std::string& keep) {
  if (is_null(vector, row)) return {};
  const auto id = static_cast<duckdb_type>(type.id);
  switch (id) {
    case DUCKDB_TYPE_SQLNULL:
      return {};
    case DUCKDB_TYPE_BOOLEAN: {
      Cell cell;
      cell.kind = CellKind::boolean;
      cell.boolean = at<bool>(vector, row);
      return cell;
    }
    case DUCKDB_TYPE_FLOAT:
      return number_cell(static_cast<double>(at<float>(vector, row)));
    case DUCKDB_TYPE_DOUBLE:
      return number_cell(at<double>(vector, row));
    case DUCKDB_TYPE_VARCHAR: {
      Cell cell;
      cell.kind = CellKind::text;
      cell.text = text_at(vector, row);
      return cell;
    }
    case DUCKDB_TYPE_BLOB:
      return text_cell(CellKind::text, blob_text(text_at(vector, row)), keep);
    case DUCKDB_TYPE_UUID:
      return text_cell(CellKind::text, uuid_text(at<duckdb_hugeint>(vector, row)), keep);
    case DUCKDB_TYPE_DATE:
      return text_cell(CellKind::text, date_text(at<std::int32_t>(vector, row)), keep);
    case DUCKDB_TYPE_TIME:
      return text_cell(CellKind::text, time_of_day(at<std::int64_t>(vector, row)), keep);
    case DUCKDB_TYPE_INTERVAL:
      return text_cell(CellKind::text, interval_text(at<duckdb_interval>(vector, row)), keep);
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return time_cell(id, at<std::int64_t>(vector, row), keep);
    case DUCKDB_TYPE_DECIMAL:
      return text_cell(
          CellKind::decimal,
          decimal_text(whole_number(static_cast<duckdb_type>(type.storage), vector, row),
                       type.scale),
          keep);
    case DUCKDB_TYPE_ENUM:
      return text_cell(CellKind::text,
                       type.names[static_cast<std::size_t>(
                           whole_number(static_cast<duckdb_type>(type.storage), vector, row))],
                       keep);
    case DUCKDB_TYPE_UHUGEINT: {
      const auto& v = at<duckdb_uhugeint>(vector, row);
      const auto whole = (static_cast<Unsigned128>(v.upper) << 64) | v.lower;
      if (whole > INT64_MAX) return text_cell(CellKind::decimal, digits(whole), keep);
      return whole_cell(static_cast<Integer128>(whole), keep);
    }
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_UNION: {
      keep.clear();
      append_json(type, vector, row, keep);
      return kept_cell(CellKind::json, keep);
    }
    default:
      return whole_cell(whole_number(id, vector, row), keep);
  }
}

// RFC 8259, 7.
void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  const auto is_plain = [](char c) {
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
  };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out.append(text) += '"';
    return;
  }
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json_list(const CellType& type, duckdb_vector child, idx_t begin, idx_t count,
                      std::string& out) {
  out += '[';
  for (idx_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_json(type.children[0], child, begin + i, out);
  }
  out += ']';
}

void append_json_struct(const CellType& type, duckdb_vector vector, idx_t row, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(type.names[i], out);
    out += ':';
    append_json(type.children[i], duckdb_struct_vector_get_child(vector, i), row, out);
  }
  out += '}';
}

// A member name must be a string: other keys are written as the text of their JSON.
void append_json_map(const CellType& type, duckdb_vector vector, idx_t row, std::string& out) {
  const auto& entry = at<duckdb_list_entry>(vector, row);
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0);
  const duckdb_vector values = duckdb_struct_vector_get_child(pairs, 1);
  out += '{';
  for (idx_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += ',';
    std::string key;
    append_json(type.children[0], keys, entry.offset + i, key);
    key.starts_with('"') ? void(out += key) : append_json_string(key, out);
    out += ':';
    append_json(type.children[1], values, entry.offset + i, out);
  }
  out += '}';
}

// A union is a struct of a tag and its members.
void append_json_union(const CellType& type, duckdb_vector vector, idx_t row, std::string& out) {
  const duckdb_vector tags = duckdb_struct_vector_get_child(vector, 0);
  const std::size_t tag = at<std::uint8_t>(tags, row);
  if (tag >= type.children.size()) {
    out += "null";
    return;
  }
  append_json(type.children[tag], duckdb_struct_vector_get_child(vector, tag + 1), row, out);
}

void append_json_leaf(const Cell& cell, std::string& out) {
  switch (cell.kind) {
    case CellKind::null:
      out += "null";
      return;
    case CellKind::boolean:
      out += cell.boolean ? "true" : "false";
      return;
    case CellKind::integer:
      fmt::format_to(std::back_inserter(out), "{}", cell.integer);
      return;
    case CellKind::number:
      std::isfinite(cell.number)
          ? void(fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), cell.number))
          : void(out += "null");
      return;
    case CellKind::decimal:
    case CellKind::json:
      out += cell.text;
      return;
    case CellKind::text:
    case CellKind::time:
      append_json_string(cell.text, out);
      return;
  }
  std::unreachable();
}

void append_json(const CellType& type, duckdb_vector vector, idx_t row, std::string& out) {
  if (is_null(vector, row)) {
    out += "null";
    return;
  }
  switch (static_cast<duckdb_type>(type.id)) {
    case DUCKDB_TYPE_LIST: {
      const auto& entry = at<duckdb_list_entry>(vector, row);
      return append_json_list(type, duckdb_list_vector_get_child(vector), entry.offset,
                              entry.length, out);
    }
    case DUCKDB_TYPE_ARRAY:
      return append_json_list(type, duckdb_array_vector_get_child(vector), row * type.array_size,
                              type.array_size, out);
    case DUCKDB_TYPE_MAP:
      return append_json_map(type, vector, row, out);
    case DUCKDB_TYPE_STRUCT:
      return append_json_struct(type, vector, row, out);
    case DUCKDB_TYPE_UNION:
      return append_json_union(type, vector, row, out);
    default: {
      std::string keep;
      return append_json_leaf(read_cell(type, vector, row, keep), out);
    }
  }
}

}  // namespace

const char* cell_kind_name(CellKind kind) {
  switch (kind) {
    case CellKind::null:
      return "null";
    case CellKind::boolean:
      return "boolean";
    case CellKind::integer:
      return "integer";
    case CellKind::number:
      return "number";
    case CellKind::decimal:
      return "decimal";
    case CellKind::text:
      return "text";
    case CellKind::time:
      return "time";
    case CellKind::json:
      return "json";
  }
  std::unreachable();
}

Result<CellType> cell_type(_duckdb_logical_type* type) {
  CellType out;
  const duckdb_type id = duckdb_get_type_id(type);
  out.id = static_cast<int>(id);
  if (const char* name = simple_type_name(id); name != nullptr) {
    out.text = name;
    return out;
  }
  FICUS_TRY_VOID(describe_nested(out, type));
  return out;
}

CellReader::CellReader(std::vector<CellType> types)
    : types_(std::move(types)), cells_(types_.size()), texts_(types_.size()) {}

std::span<const Cell> CellReader::row(_duckdb_data_chunk* chunk, std::size_t row) {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    cells_[i] = read_cell(types_[i], duckdb_data_chunk_get_vector(chunk, i), row, texts_[i]);
  }
  return cells_;
}

}  // namespace ficus::history
