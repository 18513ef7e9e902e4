#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace ficus::net {

// What a connection has received and not consumed. Reads go to a buffer shared by all connections
// of a loop; only what is left over is kept here, and nothing is held while there is none. For this
// module only.
//   span room = input.prepare(shared);  n = read(room);  view = input.commit(n);
//   input.consume(used);
class InputBuffer {
 public:
  // Where to read to. A small rest is copied to the front of `shared`, so that the next read is a
  // large one; a large rest (the begin of a large message) stays and is read behind, so that it is
  // not copied each time.
  std::span<std::byte> prepare(std::span<std::byte> shared);
  // Everything not consumed, the `bytes` just read included. Valid until `consume`.
  std::span<const std::byte> commit(std::size_t bytes);
  // What is kept, without reading.
  std::span<const std::byte> view();
  // Drops `bytes` from the front of what `commit` or `view` showed, and keeps the rest.
  void consume(std::size_t bytes);
  std::size_t size() const { return size_; }
  void clear();

 private:
  static constexpr std::size_t kCopyBytesMax = std::size_t{16} << 10;
  static constexpr std::size_t kRoomBytesMin = std::size_t{64} << 10;

  void reserve_tail(std::size_t bytes);

  std::unique_ptr<std::byte[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // of the rest in storage_
  std::size_t size_ = 0;
  const std::byte* shared_ =
      nullptr;  // where the rest is while a read is shown, if not in storage_
};

}  // namespace ficus::net
