#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/large_pages.h"
#include "base/time.h"
#include "model/value.h"

namespace ficus::twin {

// The present value of one attribute of one entity, and since when. Value and time lie together: an
// update reads one and writes both, which so is one cache miss.
template <typename T>
struct Cell {
  Timestamp observed_at = Timestamp::min();  // min: not known
  T value{};

  bool is_known() const { return observed_at != Timestamp::min(); }
};

// One cell a row, in chunks that are created when a row of theirs is first written: growing copies
// nothing, and attributes that few entities have cost little. The memory is that of an arena, which
// must outlive it.
template <typename T>
class CellChunks {
 public:
  static constexpr std::uint32_t kRowsPerChunk = 512;

  CellChunks() = default;
  CellChunks(CellChunks&&) noexcept = default;
  CellChunks& operator=(CellChunks&&) = delete;
  ~CellChunks() {
    for (Cell<T>* const chunk : chunks_) {
      if (chunk != nullptr) std::destroy_n(chunk, kRowsPerChunk);
    }
  }

  // Null if the row was never written; a cell that is there may still be unknown.
  const Cell<T>* find(std::uint32_t row) const {
    const std::size_t chunk = row / kRowsPerChunk;
    if (chunk >= chunks_.size() || !chunks_[chunk]) return nullptr;
    return &chunks_[chunk][row % kRowsPerChunk];
  }
  Cell<T>& at(std::uint32_t row, BlockArena& arena) {
    const std::size_t chunk = row / kRowsPerChunk;
    if (chunk >= chunks_.size() || !chunks_[chunk]) [[unlikely]]
      create(chunk, arena);
    return chunks_[chunk][row % kRowsPerChunk];
  }
  void prefetch(std::uint32_t row) const {
    if (const Cell<T>* cell = find(row)) __builtin_prefetch(cell, 1);
  }
  // A chunk is created for a cell that becomes known, and a known one stays so.
  bool is_empty() const { return chunk_count_ == 0; }
  std::size_t memory_bytes() const {
    return chunks_.capacity() * sizeof(Cell<T>*) + chunk_count_ * kRowsPerChunk * sizeof(Cell<T>);
  }

 private:
  void create(std::size_t chunk, BlockArena& arena) {
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    void* const memory = arena.take(kRowsPerChunk * sizeof(Cell<T>), alignof(Cell<T>));
    chunks_[chunk] = static_cast<Cell<T>*>(memory);
    std::uninitialized_value_construct_n(chunks_[chunk], kRowsPerChunk);
    ++chunk_count_;
  }

  std::vector<Cell<T>*> chunks_;
  std::size_t chunk_count_ = 0;
};

// Texts are a std::string a cell: short ones (15 bytes) lie in the cell, a longer one has its own
// memory that the next text reuses. So a text that changes leaves nothing behind, and there is
// nothing to compact.
//
// Sets the text; returns by how many bytes the memory outside the cell grew or shrank.
std::ptrdiff_t assign_text(std::string& cell, std::string_view text);

// The present values of one attribute of all entities of a type. Only the chunks that fit the kind
// are used.
struct AttributeColumn {
  ValueKind kind = ValueKind::none;
  std::uint64_t name_hash = 0;  // the same in every process, as fingerprints outlive it
  CellChunks<double> numbers;   // number; boolean as 0 or 1
  CellChunks<Timestamp> times;
  CellChunks<GeoPoint> points;
  CellChunks<std::string> texts;  // text, geometry, relationship, json

  // Calls visit(chunks) with the chunks of the kind. REQUIRES: kind is not none.
  template <typename Self, typename Visit>
  static decltype(auto) visit_chunks(Self& self, Visit&& visit) {
    switch (self.kind) {
      case ValueKind::time:
        return visit(self.times);
      case ValueKind::point:
        return visit(self.points);
      case ValueKind::text:
      case ValueKind::geometry:
      case ValueKind::relationship:
      case ValueKind::json:
        return visit(self.texts);
      case ValueKind::none:
      case ValueKind::boolean:
      case ValueKind::number:
        break;
    }
    return visit(self.numbers);
  }

  bool has_value() const;                          // of any row
  Timestamp observed_at(std::uint32_t row) const;  // min if not known
  Value value(std::uint32_t row) const;            // none if not known
  std::size_t memory_bytes() const;                // without the texts outside of cells
};

}  // namespace ficus::twin
