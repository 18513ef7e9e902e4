#include "simulate/byte_source.h"

#include <fmt/format.h>
#include <zstd.h>

#include <vector>

namespace ficus::simulate {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr int kWindowLogMax = 27;  // 128 MiB: what the zstd program accepts by itself

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    FICUS_TRY(const std::size_t count, file_->read_at(offset_, out));
    offset_ += count;
    return count;
  }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t offset_ = 0;
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(PlainSource packed, std::string path)
      : packed_(std::move(packed)),
        path_(std::move(path)),
        stream_(ZSTD_createDStream()),
        input_bytes_(kChunkBytes) {
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }

  Result<std::size_t> read(std::span<std::byte> out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0 && output.size > 0) {
      if (input_.pos == input_.size) {
        FICUS_TRY(const std::size_t count, packed_.read(input_bytes_));
        if (count == 0 && is_between_frames_) return std::size_t{0};
        if (count == 0) return fail(ErrorCode::corrupt, path_ + ": the packed file is cut short");
        input_ = {input_bytes_.data(), count, 0};
      }
      const std::size_t rest = ZSTD_decompressStream(stream_.get(), &output, &input_);
      if (ZSTD_isError(rest) != 0) {
        return fail(ErrorCode::corrupt, fmt::format("{}: {}", path_, ZSTD_getErrorName(rest)));
      }
      is_between_frames_ = rest == 0;
    }
    return output.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };

  PlainSource packed_;
  const std::string path_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::vector<std::byte> input_bytes_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool is_between_frames_ = true;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_bytes(Disk& disk, const std::string& path) {
  FICUS_TRY(std::unique_ptr<File> file, disk.open(path, OpenMode::read));
  PlainSource plain(std::move(file));
  if (path.ends_with(".zst")) return std::make_unique<ZstdSource>(std::move(plain), path);
  return std::make_unique<PlainSource>(std::move(plain));
}

Result<bool> LineReader::next(std::string_view& line) {
  std::size_t searched = at_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (is_at_end_ && at_ < buffer_.size())) {
      const std::size_t stop = end == std::string::npos ? buffer_.size() : end;
      line = std::string_view(buffer_).substr(at_, stop - at_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      at_ = end == std::string::npos ? stop : stop + 1;
      return true;
    }
    if (is_at_end_) return false;
    if (buffer_.size() - at_ > kLineBytesMax) {
      return invalid(fmt::format("a line is longer than {} bytes", kLineBytesMax));
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kChunkBytes);
    const auto got = source_.read(std::as_writable_bytes(std::span(buffer_).subspan(searched)));
    buffer_.resize(searched + (got ? *got : 0));
    if (!got) return std::unexpected(got.error());
    is_at_end_ = *got == 0;
  }
}

}  // namespace ficus::simulate
