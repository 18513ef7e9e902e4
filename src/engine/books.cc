#include "engine/books.h"

#include <algorithm>

#include "codec/fact/bytes.h"

namespace ficus {

std::uint64_t SourceBooks::refused() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, items] : refused_by) sum += items;
  return sum;
}

void SourceBooks::add(const SourceBooks& other) {
  received += other.received;
  applied += other.applied;
  late += other.late;
  duplicate += other.duplicate;
  quarantined += other.quarantined;
  for (const auto& [reason, items] : other.refused_by) refused_by[reason] += items;
  last_received_at = std::max(last_received_at, other.last_received_at);
}

SourceBooks& Books::of(std::string_view source) {
  const auto found = sources_.find(source);
  if (found != sources_.end()) return found->second;
  return sources_.emplace(std::string(source), SourceBooks{}).first->second;
}

void Books::encode(std::string& out) const {
  fact::ByteWriter writer(out);
  writer.varint(sources_.size());
  for (const auto& [name, books] : sources_) {
    writer.text(name);
    writer.varint(books.received);
    writer.varint(books.applied);
    writer.varint(books.late);
    writer.varint(books.duplicate);
    writer.varint(books.quarantined);
    writer.varint(books.refused_by.size());
    for (const auto& [reason, items] : books.refused_by) {
      writer.text(reason);
      writer.varint(items);
    }
    writer.i64(books.last_received_at.micros);
  }
}

Status Books::decode(std::string_view bytes) {
  fact::ByteReader reader(bytes);
  std::map<std::string, SourceBooks, std::less<>> sources;
  const std::size_t count = reader.count(15);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    SourceBooks& books = sources[std::string(reader.text())];
    books.received = reader.varint();
    books.applied = reader.varint();
    books.late = reader.varint();
    books.duplicate = reader.varint();
    books.quarantined = reader.varint();
    const std::size_t reasons = reader.count(2);
    for (std::size_t r = 0; r < reasons && reader.ok(); ++r) {
      const std::string_view reason = reader.text();
      books.refused_by[std::string(reason)] = reader.varint();
    }
    books.last_received_at = {reader.i64()};
  }
  if (!reader.done()) return fail(ErrorCode::corrupt, "damaged books in snapshot");
  sources_ = std::move(sources);
  return {};
}

}  // namespace ficus
