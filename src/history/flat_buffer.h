#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ficus::history {

// A table of a flatbuffer on its way: the fields it carries, by their number in the schema.
class FlatTable {
 public:
  template <typename T>
  FlatTable& scalar(int field, T value) {
    static_assert(std::is_arithmetic_v<T>);
    Slot slot{field, sizeof(T), false, {}};
    std::memcpy(slot.bytes, &value, sizeof(T));
    slots_.push_back(slot);
    return *this;
  }
  // A string, table or vector that is written behind the table.
  FlatTable& reference(int field) {
    slots_.push_back({field, sizeof(std::uint32_t), true, {}});
    return *this;
  }

 private:
  struct Slot {
    int field;
    std::size_t size;
    bool is_reference;
    char bytes[8];
  };
  std::vector<Slot> slots_;
  friend class FlatWriter;
};

// Writes flatbuffers (https://flatbuffers.dev/internals/) from front to back: a table first, what
// it refers to behind it, as the format asks (references point forward). Little-endian machines
// only, as all of ours are.
class FlatWriter {
 public:
  // Where a reference stands that `here` fills in.
  using Reference = std::size_t;

  FlatWriter() : bytes_(sizeof(std::uint32_t), '\0') {}  // the reference to the root table

  Reference root() const { return 0; }
  // Writes the table and points `from` at it. The references of its fields, in the order in which
  // `table` names them.
  std::vector<Reference> table(Reference from, const FlatTable& table);
  void text(Reference from, std::string_view text);
  // A vector of `count` references, to be filled in.
  std::vector<Reference> references(Reference from, std::size_t count);
  // A vector of numbers or of structures; `bytes` are theirs, of 8-byte alignment at most.
  void vector(Reference from, const void* bytes, std::size_t count, std::size_t size);

  const std::string& bytes() const { return bytes_; }

 private:
  void align(std::size_t to);
  void put(const void* bytes, std::size_t size) {
    bytes_.append(static_cast<const char*>(bytes), size);
  }
  template <typename T>
  void put(T value) {
    put(&value, sizeof value);
  }
  void point(Reference from);

  std::string bytes_;
};

}  // namespace ficus::history
