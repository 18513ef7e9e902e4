#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"
#include "connect/client/csv_items.h"
#include "connect/mapping/connector.h"

namespace ficus::connect {

// How far a file has been taken. What is in front of `position` is durable and is not read again.
struct FileProgress {
  std::uint64_t position = 0;  // bytes; rows of a Parquet file
  std::uint64_t line = 1;      // that begins there
  // Of the bytes in front of `position`: a file of the same name with others is a new file.
  std::string fingerprint;

  friend bool operator==(const FileProgress&, const FileProgress&) = default;
};

// The rows of a file that is no text (Parquet), as JSON objects.
class RowFile {
 public:
  virtual ~RowFile() = default;
  // False: the end. Replaces `json`.
  virtual Result<bool> next(std::string& json) = 0;
};
// Opens the file at its row `first` (from 0).
using RowFileOpener =
    std::function<Result<std::unique_ptr<RowFile>>(const std::string& path, std::uint64_t first)>;

// A file that is held, so that it stays the same under `path` whatever its folder's owner does to
// its name. Destroying it lets go.
class HeldFile {
 public:
  virtual ~HeldFile() = default;
  virtual const std::string& path() const = 0;
};
// Takes hold of the file itself: an error if the name is that of a link, a pipe or a folder.
using FileHolder = std::function<Result<std::unique_ptr<HeldFile>>(const std::string& path)>;

// Some of a file's items, and how far it has been taken once they are durable.
struct FileChunk {
  struct Item {
    std::string bytes;
    std::string problem;  // empty: `bytes` is a payload
  };
  std::string file;  // its name in the folder
  // Nothing was read: tell how far the file was taken in an earlier life (know()).
  bool wants_progress = false;
  std::vector<Item> items;
  FileProgress after;
};

// Whether the name fits a pattern in which '*' stands for any text and '?' for one character.
bool fits_names(std::string_view pattern, std::string_view name);

// Reads the files of a folder piece by piece, in the order of their names, and again when they have
// grown or are replaced. Blocks on the disk, so it lives in a thread of its own; no threads inside.
//
// A line is taken when its line end is there, or when the file has not grown for `quiet`. Names
// that begin with '.' or end in .tmp or .part are passed over: write such a file, then rename it.
class FolderReader {
 public:
  static constexpr std::size_t kItemsMax = 2048;  // of one chunk
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kFilesMax = 100'000;

  // Without `hold_file` names are opened as they are: for disks that have nothing but files.
  FolderReader(Disk& disk, FilesSource declared, RowFileOpener open_rows,
               FileHolder hold_file = {});
  ~FolderReader();

  // The next chunk; nothing when every file has been read as far as it goes: ask again later. An
  // error is about the folder; what is wrong with single files is in take_problems().
  Result<std::optional<FileChunk>> next(Micros now);
  void know(const std::string& file, std::optional<FileProgress> progress);
  // The chunk is durable: go on behind it.
  void taken(const FileChunk& chunk);
  // It is not: read it again.
  void drop();

  // "NAME: why", of files that could not be read since the last call.
  std::vector<std::string> take_problems() { return std::exchange(problems_, {}); }
  std::size_t file_count() const { return files_.size(); }

 private:
  struct State {
    bool is_known = false;
    FileProgress progress;
    std::uint64_t size = 0;
    Micros changed_at;                // when it was first seen with this size
    std::uint64_t finished_size = 0;  // read to its end when it had this size
    bool is_checked = false;          // since the last scan
    std::string problem;              // told already
  };
  struct Current;  // the file that is being read

  Status scan();
  Result<std::optional<FileChunk>> read(const std::string& name, State& state, Micros now);
  Result<std::unique_ptr<Current>> begin(const std::string& name, State& state, Micros now);
  Result<FileChunk> fill(Current& current, const State& state, Micros now);
  BodyFormat format_of(std::string_view name) const;

  Disk& disk_;
  const FilesSource declared_;
  const RowFileOpener open_rows_;
  const FileHolder hold_file_;
  std::map<std::string, State> files_;
  std::string at_;  // the file to look at next
  bool is_scanned_ = false;
  std::unique_ptr<Current> current_;
  std::vector<std::string> problems_;
};

}  // namespace ficus::connect
