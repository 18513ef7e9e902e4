// A library to be preloaded (LD_PRELOAD) that writes down, in order, everything a process does to
// the files below one directory: opens, writes, truncations, syncs, renames, removals. After the
// process has been killed, power_loss.py makes from it the directory as a power loss could have
// left it: what was synced, and of the rest any part.
//
//   FICUS_POWER_ROOT     the directory, absolute, without "." or ".." or links
//   FICUS_POWER_JOURNAL  the file to write to
//
// One lock is held around each call and its line, so the order of the lines is the order on the
// disk. A sync is written down after it has returned: what it made durable was on the disk by then.
// A journal entry, little-endian:
//   u8 kind, u32 handle, u64 a, u32 size, then `size` bytes
//   O open       handle, a: 1 made new | 2 truncated | 4 a directory; bytes: path below the root
//   W write      handle, a: offset; bytes: what was written
//   T truncate   handle, a: new size
//   S sync       handle
//   R rename     bytes: from, NUL, to;   U unlink, M make directory, D remove directory: bytes:
//   path
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

namespace {

constexpr int descriptors_max = 1 << 20;

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

class Recorder {
 public:
  static Recorder& get() {
    static auto* const one = new Recorder;  // never destroyed: other destructors still write files
    return *one;
  }

  // The path below the root, or nothing if it is not ours.
  std::string_view below_root(const char* path) const {
    const std::string_view whole(path);
    if (root_.empty() || !whole.starts_with(root_)) return {};
    if (whole.size() == root_.size()) return ".";
    return whole[root_.size()] == '/' ? whole.substr(root_.size() + 1) : std::string_view{};
  }
  std::uint32_t handle(int descriptor) const {
    return descriptor < 0 || descriptor >= descriptors_max
               ? 0
               : handles_[descriptor].load(std::memory_order_relaxed);
  }
  void set_handle(int descriptor, std::uint32_t handle) {
    if (descriptor >= 0 && descriptor < descriptors_max)
      handles_[descriptor].store(handle, std::memory_order_relaxed);
  }
  std::uint32_t new_handle() { return ++last_handle_; }

  void note(char kind, std::uint32_t handle, std::uint64_t a, std::string_view bytes) {
    char head[17];
    const auto size = static_cast<std::uint32_t>(bytes.size());
    head[0] = kind;
    std::memcpy(head + 1, &handle, 4);
    std::memcpy(head + 5, &a, 8);
    std::memcpy(head + 13, &size, 4);
    put({head, sizeof head});
    put(bytes);
  }

  std::mutex mutex;

 private:
  Recorder() : handles_(new std::atomic<std::uint32_t>[descriptors_max] {}) {
    const char* const root = std::getenv("FICUS_POWER_ROOT");
    const char* const journal = std::getenv("FICUS_POWER_JOURNAL");
    if (root == nullptr || journal == nullptr) return;
    journal_ = next<int(const char*, int, ...)>("open")(
        journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal_ < 0) std::abort();
    root_ = root;
  }
  void put(std::string_view bytes) {
    static auto* const write = next<ssize_t(int, const void*, std::size_t)>("write");
    while (!bytes.empty()) {
      const ssize_t done = write(journal_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) std::abort();  // a journal with a hole would show what never was
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }

  std::string root_;
  int journal_ = -1;
  std::atomic<std::uint32_t>* const handles_;
  std::uint32_t last_handle_ = 0;
};

int opened(const char* path, int flags, mode_t mode) {
  static auto* const real = next<int(const char*, int, ...)>("open");
  Recorder& recorder = Recorder::get();
  const std::string_view name = recorder.below_root(path);
  if (name.empty()) return real(path, flags, mode);
  const std::lock_guard lock(recorder.mutex);
  struct stat before{};
  const bool was_there = ::stat(path, &before) == 0;
  const int descriptor = real(path, flags, mode);
  if (descriptor < 0) return descriptor;
  struct stat now{};
  ::fstat(descriptor, &now);
  const std::uint32_t handle = recorder.new_handle();
  const std::uint64_t what =
      (was_there ? 0U : 1U) | ((flags & O_TRUNC) != 0 ? 2U : 0U) | (S_ISDIR(now.st_mode) ? 4U : 0U);
  recorder.note('O', handle, what, name);
  recorder.set_handle(descriptor, handle);
  return descriptor;
}

// Runs `call`, which writes to the descriptor; then notes what the file holds there now.
template <class Call>
ssize_t written(int descriptor, std::uint64_t offset, bool at_position, const iovec* parts,
                int count, Call call) {
  Recorder& recorder = Recorder::get();
  const std::uint32_t handle = recorder.handle(descriptor);
  if (handle == 0) return call();
  const std::lock_guard lock(recorder.mutex);
  const ssize_t done = call();
  if (done <= 0) return done;
  std::string bytes;
  for (int i = 0; i < count; ++i)
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  bytes.resize(static_cast<std::size_t>(done));
  const auto length = static_cast<std::uint64_t>(done);
  if (at_position) offset = static_cast<std::uint64_t>(::lseek(descriptor, 0, SEEK_CUR)) - length;
  recorder.note('W', handle, offset, bytes);
  return done;
}

template <class Call>
int noted(int descriptor, char kind, std::uint64_t a, Call call) {
  Recorder& recorder = Recorder::get();
  const std::uint32_t handle = recorder.handle(descriptor);
  if (handle == 0) return call();
  const std::lock_guard lock(recorder.mutex);
  const int result = call();
  if (result == 0) recorder.note(kind, handle, a, {});
  return result;
}

template <class Call>
int named(char kind, const char* path, Call call) {
  Recorder& recorder = Recorder::get();
  const std::string_view name = recorder.below_root(path);
  if (name.empty()) return call();
  const std::lock_guard lock(recorder.mutex);
  const int result = call();
  if (result == 0) recorder.note(kind, 0, 0, name);
  return result;
}

// open()'s third argument, which is there only when a file may be made.
mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
}

// What is not written down here must not happen unseen.
void refuse(const char* call, const char* path) {
  if (Recorder::get().below_root(path).empty()) return;
  constexpr std::string_view text =
      ": a call on the recorded directory that tests/system/power/record.cc does not know\n";
  [[maybe_unused]] const ssize_t one = ::write(2, call, std::strlen(call));
  [[maybe_unused]] const ssize_t two = ::write(2, text.data(), text.size());
  std::abort();
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return opened(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return opened(path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return opened(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int descriptor) {
  static auto* const real = next<int(int)>("close");
  Recorder& recorder = Recorder::get();
  recorder.set_handle(descriptor, 0);
  return real(descriptor);
}

ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t)>("write");
  const iovec part{const_cast<void*>(bytes), size};
  return written(descriptor, 0, true, &part, 1, [&] { return real(descriptor, bytes, size); });
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  static auto* const real = next<ssize_t(int, const iovec*, int)>("writev");
  return written(descriptor, 0, true, parts, count, [&] { return real(descriptor, parts, count); });
}
ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t offset) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t, off_t)>("pwrite");
  const iovec part{const_cast<void*>(bytes), size};
  return written(descriptor, static_cast<std::uint64_t>(offset), false, &part, 1,
                 [&] { return real(descriptor, bytes, size, offset); });
}
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t size, off64_t offset) {
  return pwrite(descriptor, bytes, size, offset);
}

int ftruncate(int descriptor, off_t size) noexcept {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  return noted(descriptor, 'T', static_cast<std::uint64_t>(size),
               [&] { return real(descriptor, size); });
}
int ftruncate64(int descriptor, off64_t size) noexcept { return ftruncate(descriptor, size); }
int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  // Whoever asks for room ahead must live without it: a file system may have none to promise.
  if (Recorder::get().handle(descriptor) != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  static auto* const real = next<int(int, int, off_t, off_t)>("fallocate");
  return real(descriptor, mode, offset, size);
}

int fsync(int descriptor) {
  static auto* const real = next<int(int)>("fsync");
  return noted(descriptor, 'S', 0, [&] { return real(descriptor); });
}
int fdatasync(int descriptor) {
  static auto* const real = next<int(int)>("fdatasync");
  return noted(descriptor, 'S', 0, [&] { return real(descriptor); });
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  Recorder& recorder = Recorder::get();
  const std::string_view old_name = recorder.below_root(from);
  const std::string_view new_name = recorder.below_root(to);
  if (old_name.empty() || new_name.empty()) return real(from, to);
  const std::lock_guard lock(recorder.mutex);
  const int result = real(from, to);
  if (result == 0) recorder.note('R', 0, 0, std::string(old_name) + '\0' + std::string(new_name));
  return result;
}
int unlink(const char* path) noexcept {
  static auto* const real = next<int(const char*)>("unlink");
  return named('U', path, [&] { return real(path); });
}
int rmdir(const char* path) noexcept {
  static auto* const real = next<int(const char*)>("rmdir");
  return named('D', path, [&] { return real(path); });
}
int remove(const char* path) noexcept {
  struct stat info{};
  const bool is_directory = ::lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
  return is_directory ? rmdir(path) : unlink(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return named('M', path, [&] { return real(path, mode); });
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  std::string whole = path;
  if (!whole.starts_with('/') && directory != AT_FDCWD) {
    char base[4096];
    const ssize_t length =
        ::readlink(("/proc/self/fd/" + std::to_string(directory)).c_str(), base, sizeof base);
    if (length > 0) whole = std::string(base, static_cast<std::size_t>(length)) + '/' + path;
  }
  return named((flags & AT_REMOVEDIR) != 0 ? 'D' : 'U', whole.c_str(),
               [&] { return real(directory, path, flags); });
}
int link(const char* from, const char* to) noexcept {
  refuse("link", to);
  return next<int(const char*, const char*)>("link")(from, to);
}
int truncate(const char* path, off_t size) noexcept {
  refuse("truncate", path);
  return next<int(const char*, off_t)>("truncate")(path, size);
}
FILE* fopen(const char* path, const char* mode) {
  if (std::strpbrk(mode, "wa+") != nullptr) refuse("fopen", path);
  return next<FILE*(const char*, const char*)>("fopen")(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  if (std::strpbrk(mode, "wa+") != nullptr) refuse("fopen64", path);
  return next<FILE*(const char*, const char*)>("fopen64")(path, mode);
}

}  // extern "C"
