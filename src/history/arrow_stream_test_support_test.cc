#include "history/arrow_stream_test_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ficus::history {
namespace {

// The first complaint counts; what is read behind it is zero.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  void complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }
  bool is_good() const { return complaint_.empty(); }
  Error error() const { return {ErrorCode::corrupt, complaint_}; }
  std::size_t size() const { return bytes_.size(); }

  std::string_view piece(std::size_t at, std::size_t size) {
    if (at <= bytes_.size() && bytes_.size() - at >= size) return bytes_.substr(at, size);
    complain(fmt::format("{} bytes at {} reach behind the end {}", size, at, bytes_.size()));
    return {};
  }

  // Flatbuffers ask for the alignment of every number to its size.
  template <typename T>
  T number(std::size_t at) {
    T value{};
    if (at % sizeof(T) != 0) complain(fmt::format("a number of {} bytes at {}", sizeof(T), at));
    const std::string_view bytes = piece(at, sizeof(T));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
  std::string complaint_;
};

// https://flatbuffers.dev/internals/
class Flat : public Bytes {
 public:
  using Bytes::Bytes;
  static constexpr std::size_t kNone = 0;

  std::size_t root() { return follow(0); }
  std::size_t follow(std::size_t at) { return at + number<std::uint32_t>(at); }

  // Where field `index` of the table stands.
  std::size_t field(std::size_t table, std::size_t index) {
    const auto vtable =
        static_cast<std::size_t>(static_cast<std::int64_t>(table) - number<std::int32_t>(table));
    const auto vtable_size = number<std::uint16_t>(vtable);
    const auto table_size = number<std::uint16_t>(vtable + 2);
    piece(vtable, vtable_size);
    piece(table, table_size);
    const std::size_t slot = 4 + 2 * index;
    if (!is_good() || slot + 2 > vtable_size) return kNone;
    const auto offset = number<std::uint16_t>(vtable + slot);
    if (offset >= table_size) complain(fmt::format("field {} lies behind its table", index));
    return offset == 0 ? kNone : table + offset;
  }
  template <typename T>
  T scalar(std::size_t table, std::size_t index, T otherwise) {
    const std::size_t at = field(table, index);
    return at == kNone ? otherwise : number<T>(at);
  }
  std::size_t reference(std::size_t table, std::size_t index) {
    const std::size_t at = field(table, index);
    return at == kNone ? kNone : follow(at);
  }
  std::string text(std::size_t table, std::size_t index) {
    const std::size_t at = reference(table, index);
    if (at == kNone) return "";
    const auto size = number<std::uint32_t>(at);
    if (piece(at + 4, std::size_t{size} + 1).ends_with('\0'))
      return std::string(piece(at + 4, size));
    complain("a text has no zero behind it");
    return "";
  }
  // Where the elements of a vector stand, and how many there are.
  std::pair<std::size_t, std::size_t> vector(std::size_t table, std::size_t index,
                                             std::size_t element_size) {
    const std::size_t at = reference(table, index);
    if (at == kNone) return {0, 0};
    const std::size_t count = number<std::uint32_t>(at);
    piece(at + 4, count * element_size);
    if ((at + 4) % std::min<std::size_t>(element_size, 8) != 0) complain("a vector is not aligned");
    return is_good() ? std::pair{at + 4, count} : std::pair<std::size_t, std::size_t>{0, 0};
  }
};

const char* unit_name(std::int16_t unit) {
  constexpr const char* kNames[] = {"s", "ms", "us", "ns"};
  return unit < 0 || unit > 3 ? "of no unit" : kNames[unit];
}

std::string union_name(Flat& flat, std::size_t type) {
  std::string name = flat.scalar<std::int16_t>(type, 0, 0) == 0 ? "sparse union" : "dense union";
  const auto [at, count] = flat.vector(type, 1, 4);
  for (std::size_t i = 0; i < count; ++i) {
    name += fmt::format("{}{}", i == 0 ? ' ' : ',', flat.number<std::int32_t>(at + 4 * i));
  }
  return name;
}

// The tables of Schema.fbs with their defaults.
std::string number_type(Flat& flat, std::size_t type, ArrowColumn& out) {
  switch (out.tag) {
    case 2:
      out.bits = flat.scalar<std::int32_t>(type, 0, 0);
      out.is_signed = flat.scalar<std::uint8_t>(type, 1, 0) != 0;
      return fmt::format("{}int{}", out.is_signed ? "" : "u", out.bits);
    case 3: {
      const auto precision = flat.scalar<std::int16_t>(type, 0, 0);
      out.bits = 16 << precision;
      return fmt::format("float{}", out.bits);
    }
    case 7: {
      const auto precision = flat.scalar<std::int32_t>(type, 0, 0);
      out.scale = flat.scalar<std::int32_t>(type, 1, 0);
      out.bits = flat.scalar<std::int32_t>(type, 2, 128);
      return fmt::format("decimal {},{} of {} bits", precision, out.scale, out.bits);
    }
    case 8: {
      const bool is_day = flat.scalar<std::int16_t>(type, 0, 1) == 0;
      out.bits = is_day ? 32 : 64;
      return is_day ? "date day" : "date ms";
    }
    case 9:
      out.bits = flat.scalar<std::int32_t>(type, 1, 32);
      return fmt::format("time {} of {} bits", unit_name(flat.scalar<std::int16_t>(type, 0, 1)),
                         out.bits);
    case 10: {
      out.bits = 64;
      const std::string zone = flat.text(type, 1);
      return fmt::format("timestamp {}{}{}", unit_name(flat.scalar<std::int16_t>(type, 0, 0)),
                         zone.empty() ? "" : " ", zone);
    }
    default:
      return "";
  }
}

std::string type_name(Flat& flat, std::size_t type, ArrowColumn& out) {
  switch (out.tag) {
    case 1:
      return "null";
    case 4:
      return "binary";
    case 5:
      return "utf8";
    case 6:
      return "bool";
    case 11:
      return fmt::format("interval {}", flat.scalar<std::int16_t>(type, 0, 0));
    case 12:
      return "list";
    case 13:
      return "struct";
    case 14:
      return union_name(flat, type);
    case 15:
      out.list_size = flat.scalar<std::int32_t>(type, 0, 0);
      return fmt::format("binary of {}", out.list_size);
    case 16:
      out.list_size = flat.scalar<std::int32_t>(type, 0, 0);
      return fmt::format("list of {}", out.list_size);
    case 17:
      return flat.scalar<std::uint8_t>(type, 0, 0) != 0 ? "sorted map" : "map";
    case 19:
      return "large binary";
    case 20:
      return "large utf8";
    case 21:
      return "large list";
    default:
      return number_type(flat, type, out);
  }
}

ArrowColumn read_field(Flat& flat, std::size_t field) {
  ArrowColumn out;
  out.name = flat.text(field, 0);
  out.is_nullable = flat.scalar<std::uint8_t>(field, 1, 0) != 0;
  out.tag = flat.scalar<std::uint8_t>(field, 2, 0);
  out.type = type_name(flat, flat.reference(field, 3), out);
  if (out.type.empty()) flat.complain(fmt::format("no type {}", out.tag));
  if (flat.field(field, 4) != Flat::kNone) flat.complain("a dictionary");
  const auto [at, count] = flat.vector(field, 5, 4);
  for (std::size_t i = 0; i < count && flat.is_good(); ++i) {
    out.children.push_back(read_field(flat, flat.follow(at + 4 * i)));
  }
  return out;
}

void read_schema(Flat& flat, std::size_t schema, ArrowStream& out) {
  if (flat.scalar<std::int16_t>(schema, 0, 0) != 0) flat.complain("not little-endian");
  const auto [at, count] = flat.vector(schema, 1, 4);
  for (std::size_t i = 0; i < count && flat.is_good(); ++i) {
    out.columns.push_back(read_field(flat, flat.follow(at + 4 * i)));
  }
}

std::vector<std::pair<std::int64_t, std::int64_t>> read_pairs(Flat& flat, std::size_t table,
                                                              std::size_t index) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  const auto [at, count] = flat.vector(table, index, 16);
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(flat.number<std::int64_t>(at + 16 * i),
                     flat.number<std::int64_t>(at + 16 * i + 8));
  }
  return out;
}

ArrowRecords read_records(Flat& flat, std::size_t batch, std::string_view body) {
  ArrowRecords out;
  out.length = flat.scalar<std::int64_t>(batch, 0, 0);
  out.nodes = read_pairs(flat, batch, 1);
  out.buffers = read_pairs(flat, batch, 2);
  out.body = body;
  std::int64_t end = 0;
  for (const auto& [offset, length] : out.buffers) {
    if (offset % 8 != 0 || offset < end || length < 0) flat.complain("buffers that overlap");
    end = offset + length;
  }
  if (end > static_cast<std::int64_t>(body.size())) flat.complain("a buffer behind the body");
  return out;
}

// One field of a record batch after the other, parents before children.
class Values {
 public:
  explicit Values(const ArrowRecords& records) : records_(records), body_(records.body) {}

  Bytes& bytes() { return body_; }
  bool is_at_end() const {
    return node_ == records_.nodes.size() && buffer_ == records_.buffers.size();
  }

  std::vector<std::string> of(const ArrowColumn& column) {
    if (node_ == records_.nodes.size()) {
      body_.complain("a node is missing");
      return {};
    }
    const auto [length, nulls] = records_.nodes[node_++];
    const auto count = static_cast<std::size_t>(length);
    if (column.tag == 1) return std::vector<std::string>(count, "NULL");
    if (column.tag == 14) return of_union(column, count);
    const std::size_t validity = next_buffer();
    std::vector<std::string> out = of_type(column, count);
    out.resize(count);
    std::int64_t missing = 0;
    for (std::size_t i = 0; i < count && buffer_size_[validity] > 0; ++i) {
      if (bit(validity, i)) continue;
      out[i] = "NULL";
      ++missing;
    }
    if (missing != nulls) body_.complain(fmt::format("{} nulls instead of {}", missing, nulls));
    return out;
  }

 private:
  // Its place in the lists of where the buffers stand.
  std::size_t next_buffer() {
    const bool is_there = buffer_ < records_.buffers.size();
    if (!is_there) body_.complain("a buffer is missing");
    const auto [offset, size] = is_there ? records_.buffers[buffer_++] : std::pair{0L, 0L};
    buffer_at_.push_back(static_cast<std::size_t>(offset));
    buffer_size_.push_back(static_cast<std::size_t>(size));
    return buffer_at_.size() - 1;
  }
  template <typename T>
  T element(std::size_t buffer, std::size_t index) {
    if ((index + 1) * sizeof(T) <= buffer_size_[buffer]) {
      return body_.number<T>(buffer_at_[buffer] + index * sizeof(T));
    }
    body_.complain(fmt::format("element {} of a buffer of {} bytes", index, buffer_size_[buffer]));
    return {};
  }
  bool bit(std::size_t buffer, std::size_t index) {
    return ((element<std::uint8_t>(buffer, index / 8) >> (index % 8)) & 1) != 0;
  }
  std::size_t offset(std::size_t buffer, std::size_t index, bool is_large) {
    const std::int64_t value =
        is_large ? element<std::int64_t>(buffer, index) : element<std::int32_t>(buffer, index);
    if (value < 0) body_.complain("a negative offset");
    return value < 0 ? 0 : static_cast<std::size_t>(value);
  }

  std::vector<std::string> of_union(const ArrowColumn& column, std::size_t count) {
    const std::size_t tags = next_buffer();
    std::vector<std::vector<std::string>> children;
    for (const ArrowColumn& child : column.children) children.push_back(of(child));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count && body_.is_good(); ++i) {
      const std::size_t tag = element<std::uint8_t>(tags, i);
      if (tag >= children.size() || i >= children[tag].size()) {
        body_.complain("a union's tag or child");
        break;
      }
      out.push_back(column.children[tag].name + "=" + children[tag][i]);
    }
    out.resize(count);
    return out;
  }

  std::vector<std::string> of_type(const ArrowColumn& column, std::size_t count) {
    switch (column.tag) {
      case 4:
      case 5:
        return of_texts(count, false);
      case 19:
      case 20:
        return of_texts(count, true);
      case 12:
      case 17:
        return of_lists(column, count, false);
      case 21:
        return of_lists(column, count, true);
      case 13:
        return of_structs(column, count);
      case 16:
        return of_fixed_lists(column, count);
      default:
        return of_fixed(column, count);
    }
  }

  std::vector<std::string> of_texts(std::size_t count, bool is_large) {
    const std::size_t offsets = next_buffer();
    const std::size_t texts = next_buffer();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count && body_.is_good(); ++i) {
      const std::size_t begin = offset(offsets, i, is_large);
      const std::size_t end = offset(offsets, i + 1, is_large);
      if (end < begin || end > buffer_size_[texts]) {
        body_.complain("a text's offsets");
        break;
      }
      out.emplace_back(body_.piece(buffer_at_[texts] + begin, end - begin));
    }
    return out;
  }

  static std::string joined(const std::vector<std::string>& items, std::size_t begin,
                            std::size_t end) {
    std::string out = "[";
    for (std::size_t i = begin; i < end; ++i) out += (i == begin ? "" : ",") + items[i];
    return out + "]";
  }

  std::vector<std::string> of_lists(const ArrowColumn& column, std::size_t count, bool is_large) {
    const std::size_t offsets = next_buffer();
    const std::vector<std::string> items = of(column.children.at(0));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count && body_.is_good(); ++i) {
      const std::size_t begin = offset(offsets, i, is_large);
      const std::size_t end = offset(offsets, i + 1, is_large);
      if (end < begin || end > items.size()) {
        body_.complain("a list's offsets");
        break;
      }
      out.push_back(joined(items, begin, end));
    }
    return out;
  }

  std::vector<std::string> of_fixed_lists(const ArrowColumn& column, std::size_t count) {
    const std::vector<std::string> items = of(column.children.at(0));
    const auto size = static_cast<std::size_t>(column.list_size);
    if (items.size() != count * size) {
      body_.complain("a list of fixed size");
      return {};
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(joined(items, i * size, (i + 1) * size));
    return out;
  }

  std::vector<std::string> of_structs(const ArrowColumn& column, std::size_t count) {
    std::vector<std::string> out(count, "{");
    for (const ArrowColumn& child : column.children) {
      const std::vector<std::string> values = of(child);
      if (values.size() != count) {
        body_.complain("a member is shorter than its structure");
        return {};
      }
      for (std::size_t i = 0; i < count; ++i) {
        out[i] += (out[i].size() > 1 ? "," : "") + child.name + ":" + values[i];
      }
    }
    for (std::string& text : out) text += '}';
    return out;
  }

  std::vector<std::string> of_fixed(const ArrowColumn& column, std::size_t count) {
    const std::size_t values = next_buffer();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count && body_.is_good(); ++i) {
      out.push_back(fixed(column, values, i));
    }
    return out;
  }

  std::string fixed(const ArrowColumn& column, std::size_t values, std::size_t i) {
    switch (column.tag) {
      case 3:
        return column.bits == 32 ? fmt::format("{}", element<float>(values, i))
                                 : fmt::format("{}", element<double>(values, i));
      case 6:
        return bit(values, i) ? "true" : "false";
      case 7:
        return decimal(values, i);
      case 11:
        return fmt::format("{} months {} days {} ns", element<std::int32_t>(values, 4 * i),
                           element<std::int32_t>(values, 4 * i + 1),
                           element<std::int64_t>(values, 2 * i + 1));
      case 15: {
        const auto size = static_cast<std::size_t>(column.list_size);
        return std::string(body_.piece(buffer_at_[values] + i * size, size));
      }
      default:
        return whole(column, values, i);
    }
  }

  std::string whole(const ArrowColumn& column, std::size_t values, std::size_t i) {
    switch (column.bits) {
      case 8:
        return column.is_signed ? fmt::format("{}", element<std::int8_t>(values, i))
                                : fmt::format("{}", element<std::uint8_t>(values, i));
      case 16:
        return column.is_signed ? fmt::format("{}", element<std::int16_t>(values, i))
                                : fmt::format("{}", element<std::uint16_t>(values, i));
      case 32:
        return column.is_signed ? fmt::format("{}", element<std::int32_t>(values, i))
                                : fmt::format("{}", element<std::uint32_t>(values, i));
      case 64:
        return column.is_signed ? fmt::format("{}", element<std::int64_t>(values, i))
                                : fmt::format("{}", element<std::uint64_t>(values, i));
      default:
        body_.complain(fmt::format("a number of {} bits", column.bits));
        return "";
    }
  }

  // Small ones as they are, others as their two halves.
  std::string decimal(std::size_t values, std::size_t i) {
    const auto low = element<std::uint64_t>(values, 2 * i);
    const auto high = element<std::int64_t>(values, 2 * i + 1);
    const auto small = static_cast<std::int64_t>(low);
    if (high == (small < 0 ? -1 : 0)) return std::to_string(small);
    return fmt::format("{:x}:{:016x}", static_cast<std::uint64_t>(high), low);
  }

  const ArrowRecords& records_;
  Bytes body_;
  std::size_t node_ = 0;
  std::size_t buffer_ = 0;
  std::vector<std::size_t> buffer_at_;
  std::vector<std::size_t> buffer_size_;
};

}  // namespace

Result<ArrowStream> read_arrow_stream(std::string_view bytes) {
  ArrowStream out;
  Bytes all(bytes);
  for (std::size_t at = 0; at < bytes.size();) {
    const auto mark = all.number<std::uint32_t>(at);
    const auto length = all.number<std::uint32_t>(at + 4);
    if (mark != 0xFFFFFFFF) all.complain("no continuation mark");
    if ((at + 8 + length) % 8 != 0) all.complain("the body is not aligned");
    if (!all.is_good()) return std::unexpected(all.error());
    at += 8;
    if (length == 0) {
      out.has_end = at == bytes.size();
      if (!out.has_end) return fail(ErrorCode::corrupt, "bytes behind the end");
      break;
    }
    Flat flat(all.piece(at, length));
    at += length;
    if (!all.is_good()) return std::unexpected(all.error());
    const std::size_t message = flat.root();
    const auto body_length = flat.scalar<std::int64_t>(message, 3, 0);
    const auto kind = flat.scalar<std::uint8_t>(message, 1, 0);
    if (flat.scalar<std::int16_t>(message, 0, 0) != 4) flat.complain("not metadata version 5");
    if (body_length % 8 != 0) flat.complain("the length of the body");
    const std::string_view body = all.piece(at, static_cast<std::size_t>(body_length));
    at += body.size();
    const std::size_t header = flat.reference(message, 2);
    if (kind == 1 && out.columns.empty() && body.empty()) {
      read_schema(flat, header, out);
    } else if (kind == 3) {
      out.batches.push_back(read_records(flat, header, body));
    } else {
      flat.complain(fmt::format("a message of kind {}", kind));
    }
    if (!all.is_good()) return std::unexpected(all.error());
    if (!flat.is_good()) return std::unexpected(flat.error());
  }
  return out;
}

Result<std::vector<std::string>> arrow_rows(const ArrowStream& stream) {
  std::vector<std::string> rows;
  for (const ArrowRecords& batch : stream.batches) {
    Values values(batch);
    std::vector<std::string> some(static_cast<std::size_t>(batch.length));
    for (std::size_t c = 0; c < stream.columns.size(); ++c) {
      const std::vector<std::string> column = values.of(stream.columns[c]);
      if (!values.bytes().is_good()) return std::unexpected(values.bytes().error());
      if (column.size() != some.size()) return fail(ErrorCode::corrupt, "columns of many lengths");
      for (std::size_t i = 0; i < some.size(); ++i) some[i] += (c == 0 ? "" : "|") + column[i];
    }
    if (!values.is_at_end()) return fail(ErrorCode::corrupt, "nodes or buffers of no column");
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

}  // namespace ficus::history
