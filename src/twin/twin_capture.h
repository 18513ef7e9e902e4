#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/large_pages.h"
#include "base/result.h"
#include "twin/attribute_column.h"
#include "twin/duplicate_filter.h"
#include "twin/type_table.h"

namespace ficus::twin {

class Twin;

// The state of a twin as it was when the capture was made, in the bytes of Twin::encode, gathered
// in shares while the twin goes on: whoever changes a value has keep() called before, which encodes
// it with its neighbours as they still are. What nobody changes is encoded by work(), a share at a
// time. Entities are only ever added, so their number is enough; of the duplicate filter it takes a
// copy at once.
//
// Used by the twin's thread until it is complete; then it shares nothing with the twin and any one
// thread may write() it. It holds the bytes of the snapshot, no more.
class TwinCapture {
 public:
  explicit TwinCapture(const Twin& twin);
  TwinCapture(const TwinCapture&) = delete;
  TwinCapture& operator=(const TwinCapture&) = delete;

  // The values of these rows are about to change.
  void keep(const TypeTable& table, AttributeId attribute, std::span<const std::uint32_t> rows);
  // Encodes about so many values (or entities) more. REQUIRES: the twin lives.
  void work(std::size_t values_max);
  bool is_complete() const { return is_complete_; }
  // How many values were encoded since it was made, by work() and keep().
  std::uint64_t values_done() const { return values_done_; }
  std::size_t memory_bytes() const { return memory_.memory_bytes(); }  // of the values so far

  // The bytes, in pieces and in order; stops at the first failure. REQUIRES: is_complete().
  using Put = std::function<Status(std::string_view)>;
  Status write(const Put& put) const;

 private:
  // Rows of a column that are encoded together: few, so that a turn that touches thousands of
  // entities of a million encodes little more than those.
  static constexpr std::uint32_t kRowsPerPiece = 32;
  static_assert(CellChunks<double>::kRowsPerChunk % kRowsPerPiece == 0);
  static constexpr std::uint32_t kEntitiesPerPiece = 2048;
  static constexpr std::uint32_t kNotYet = 0xffffffffU;
  static constexpr std::uint32_t kNone = 0xffffffffU;

  // The known values of some rows: a bit a row, times, lengths if they are texts, values.
  struct Piece {
    std::uint32_t known_count = kNotYet;
    std::string_view bytes;  // of the capture's own memory; empty if none is known
  };
  struct CapturedColumn {
    std::string name;
    ValueKind kind = ValueKind::none;
    AttributeId id;
    std::vector<Piece> pieces;
  };
  struct CapturedType {
    std::string name;
    const TypeTable* table = nullptr;
    std::uint32_t row_count = 0;
    std::vector<CapturedColumn> columns;   // with values, by name
    std::vector<std::uint32_t> column_of;  // by AttributeId; kNone if it has no value
  };
  struct EntityPiece {
    std::string types, lengths, ids;
  };

  void encode(const CapturedType& type, CapturedColumn& column, std::uint32_t piece);
  void encode_entities();
  bool encode_next_piece();  // false: there is none
  Status write_column(const CapturedType& type, const CapturedColumn& column, const Put& put) const;

  const Twin& twin_;
  // Of the pieces: it goes as a whole, and leaves no holes among the twin's own.
  BlockArena memory_;
  const std::uint32_t entity_count_;
  std::vector<CapturedType> types_;     // with entities, by name
  std::vector<std::uint32_t> type_of_;  // by TypeId: place in types_, or kNone
  std::vector<EntityPiece> entities_;
  const DuplicateFilter duplicates_;
  std::uint32_t next_entity_ = 0;
  std::size_t next_type_ = 0, next_column_ = 0;  // where work() goes on
  std::uint32_t next_piece_ = 0;
  std::uint64_t values_done_ = 0;
  bool is_complete_ = false;
};

}  // namespace ficus::twin
