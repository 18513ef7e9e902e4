#include "connect/files/folder_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::uint64_t kPrintBytes = 1024;  // of each end of what has been taken

Result<std::uint64_t> hash_of(File& file, std::uint64_t begin, std::uint64_t end) {
  std::string bytes(end - begin, '\0');
  FICUS_TRY(const std::size_t count, file.read_at(begin, std::as_writable_bytes(std::span(bytes))));
  bytes.resize(count);
  return hash64(bytes);
}

// The first bytes of the file and the last in front of `position`: cheap, and different for any
// file that was not only appended to, unless it was changed in the middle alone.
Result<std::string> fingerprint(File& file, std::uint64_t position) {
  const std::uint64_t part = std::min(position, kPrintBytes);
  FICUS_TRY(const std::uint64_t head, hash_of(file, 0, part));
  FICUS_TRY(const std::uint64_t tail, hash_of(file, position - part, position));
  return fmt::format("{:016x}{:016x}", head, tail);
}

}  // namespace

bool fits_names(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

struct FolderReader::Current {
  std::string name;
  BodyFormat format = BodyFormat::csv;
  std::unique_ptr<File> file;
  std::uint64_t size = 0;
  std::uint64_t read_to = 0;
  std::string buffer;
  std::optional<CsvItems> csv;
  std::string lines;               // what was read and is not cut into lines yet
  std::size_t cut_to = 0;          // of `lines`
  bool is_skipping = false;        // the rest of a line that is too long
  std::unique_ptr<HeldFile> held;  // outlives what reads it
  std::unique_ptr<RowFile> rows;
  FileProgress progress;

  // Takes the next line, with what it was too long for; nothing if it is not whole yet.
  struct Line {
    std::string_view text;
    bool is_too_long = false;
  };
  Result<CsvItems::Step> next_record(bool is_last_whole);
  Result<std::optional<Line>> next_line(bool is_last_whole, FileProgress& after);

  // The next piece of the file into `buffer`; false at its end.
  Result<bool> read_piece() {
    buffer.resize(kReadBytes);
    FICUS_TRY(const std::size_t count,
              file->read_at(read_to, std::as_writable_bytes(std::span(buffer))));
    buffer.resize(count);
    read_to += count;
    return count > 0;
  }
};

// Step::end: nothing more that is whole.
Result<CsvItems::Step> FolderReader::Current::next_record(bool is_last_whole) {
  while (true) {
    const CsvItems::Step step = csv->next();
    if (step != CsvItems::Step::needs_more) return step;
    FICUS_TRY(const bool is_there, read_piece());
    if (is_there) {
      csv->feed(buffer);
    } else if (is_last_whole && size == read_to) {
      csv->finish();
    } else {
      return CsvItems::Step::end;
    }
  }
}

Result<std::optional<FolderReader::Current::Line>> FolderReader::Current::next_line(
    bool is_last_whole, FileProgress& after) {
  std::size_t searched = cut_to;
  while (true) {
    std::size_t end = lines.find('\n', searched);
    searched = lines.size();
    bool is_cut = end != std::string::npos;
    if (!is_cut) {
      const bool was_too_long = lines.size() - cut_to > kBytesMax;
      if (was_too_long && !is_skipping) {
        is_skipping = true;
        const Line line{std::string_view(lines).substr(cut_to, kBytesMax), true};
        // What was read of it is done with: the place moves, or nothing behind it were ever read.
        after.position += lines.size() - cut_to;
        cut_to = lines.size();
        return line;
      }
      if (is_skipping) {  // what was handed out, and what follows it, is passed over
        after.position += lines.size() - cut_to;
        lines.clear();
      } else {
        lines.erase(0, cut_to);
      }
      cut_to = 0;
      searched = lines.size();
      FICUS_TRY(const bool is_there, read_piece());
      lines += buffer;
      if (is_there) continue;
      if (!is_last_whole || size != read_to || lines.empty()) return std::nullopt;
      end = lines.size();
    }
    const std::string_view text = std::string_view(lines).substr(cut_to, end - cut_to);
    after.position += text.size() + (is_cut ? 1 : 0);
    ++after.line;
    cut_to = std::min(end + 1, lines.size());
    searched = cut_to;
    if (std::exchange(is_skipping, false)) continue;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    return Line{text, false};
  }
}

FolderReader::FolderReader(Disk& disk, FilesSource declared, RowFileOpener open_rows,
                           FileHolder hold_file)
    : disk_(disk),
      declared_(std::move(declared)),
      open_rows_(std::move(open_rows)),
      hold_file_(std::move(hold_file)) {}
FolderReader::~FolderReader() = default;

BodyFormat FolderReader::format_of(std::string_view name) const {
  if (declared_.format != BodyFormat::by_type) return declared_.format;
  if (name.ends_with(".parquet")) return BodyFormat::parquet;
  const bool is_lines =
      name.ends_with(".ndjson") || name.ends_with(".jsonl") || name.ends_with(".json");
  return is_lines ? BodyFormat::lines : BodyFormat::csv;
}

Status FolderReader::scan() {
  FICUS_TRY(const std::vector<std::string> names, disk_.list(declared_.folder));
  std::map<std::string, State> found;
  for (const std::string& name : names) {
    if (name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part")) continue;
    if (!fits_names(declared_.names, name)) continue;
    if (found.size() >= kFilesMax) {
      problems_.push_back(fmt::format("more than {} files: the rest is not read", kFilesMax));
      break;
    }
    const auto known = files_.find(name);
    found.emplace(name, known == files_.end() ? State{} : std::move(known->second));
  }
  files_ = std::move(found);
  for (auto& [name, state] : files_) state.is_checked = false;
  return {};
}

Result<std::optional<FileChunk>> FolderReader::next(Micros now) {
  if (!is_scanned_) {
    FICUS_TRY_VOID(scan());
    is_scanned_ = true;
    at_.clear();
  }
  for (auto place = files_.lower_bound(at_); place != files_.end(); ++place) {
    at_ = place->first;
    auto chunk = read(place->first, place->second, now);
    if (!chunk) {
      current_.reset();
      // Said once, not at every look.
      if (place->second.problem != chunk.error().message) {
        place->second.problem = chunk.error().message;
        problems_.push_back(fmt::format("{}: {}", place->first, chunk.error().message));
      }
      continue;
    }
    if (*chunk) {
      place->second.problem.clear();
      return chunk;
    }
  }
  current_.reset();
  is_scanned_ = false;
  return std::nullopt;
}

Result<std::optional<FileChunk>> FolderReader::read(const std::string& name, State& state,
                                                    Micros now) {
  if (!state.is_known) {
    FileChunk chunk;
    chunk.file = name;
    chunk.wants_progress = true;
    return chunk;
  }
  if (state.is_checked) return std::nullopt;
  if (current_ == nullptr || current_->name != name) {
    current_.reset();
    FICUS_TRY(current_, begin(name, state, now));
    if (current_ == nullptr) {
      state.is_checked = true;
      return std::nullopt;
    }
  }
  FICUS_TRY(FileChunk chunk, fill(*current_, state, now));
  if (chunk.after.position == state.progress.position) {
    state.is_checked = true;
    state.finished_size = current_->size;
    return std::nullopt;
  }
  return chunk;
}

// Null if there is nothing new.
Result<std::unique_ptr<FolderReader::Current>> FolderReader::begin(const std::string& name,
                                                                   State& state, Micros now) {
  auto current = std::make_unique<Current>();
  current->name = name;
  current->format = format_of(name);
  std::string path = declared_.folder + "/" + name;
  if (hold_file_) {
    FICUS_TRY(current->held, hold_file_(path));
    path = current->held->path();
  }
  FICUS_TRY(current->file, disk_.open(path, OpenMode::read));
  FICUS_TRY(current->size, current->file->size());
  if (current->size != state.size) {
    state.size = current->size;
    state.changed_at = now;
  }
  const bool is_parquet = current->format == BodyFormat::parquet;
  // A Parquet file has its directory at its end: another end, another file.
  const std::uint64_t printed = is_parquet ? current->size : state.progress.position;
  if (state.progress.position > 0) {
    const auto print = printed <= current->size ? fingerprint(*current->file, printed)
                                                : Result<std::string>(std::string());
    if (!print) return std::unexpected(print.error());
    if (*print != state.progress.fingerprint) {
      state.progress = {};
    } else if (is_parquet && state.finished_size == current->size) {
      return nullptr;
    }
  }
  if (state.progress.position >= current->size && !is_parquet) return nullptr;
  current->progress = state.progress;
  current->read_to = state.progress.position;
  if (is_parquet) {
    if (!open_rows_) return fail(ErrorCode::unavailable, "Parquet cannot be read here");
    FICUS_TRY(current->rows, open_rows_(path, state.progress.position));
  } else if (current->format == BodyFormat::csv) {
    FICUS_TRY(current->csv, CsvItems::open(declared_.csv));
    if (state.progress.position > 0) {
      // Only the names of the columns are of interest at the front.
      current->read_to = 0;
      while (!current->csv->has_columns()) {
        FICUS_TRY(const bool is_there, current->read_piece());
        if (!is_there) break;
        current->csv->feed(current->buffer);
        (void)current->csv->next();
      }
      current->read_to = state.progress.position;
    }
    current->csv->go_on_at(state.progress.position, state.progress.line);
  }
  return current;
}

Result<FileChunk> FolderReader::fill(Current& current, const State& state, Micros now) {
  FileChunk chunk;
  chunk.file = current.name;
  std::size_t bytes = 0;
  const auto add = [&](std::string_view text, std::string_view problem) {
    bytes += text.size() + 64;
    chunk.items.push_back({std::string(text), std::string(problem)});
  };
  const auto has_room = [&] { return chunk.items.size() < kItemsMax && bytes < kBytesMax; };
  const bool is_quiet = now - state.changed_at >= declared_.quiet;
  FileProgress after = current.progress;

  bool is_over = false;
  while (has_room() && !is_over) {
    if (current.format == BodyFormat::csv) {
      FICUS_TRY(const CsvItems::Step step, current.next_record(is_quiet));
      if (step == CsvItems::Step::item) add(current.csv->item(), {});
      if (step == CsvItems::Step::damaged) add(current.csv->raw(), current.csv->problem());
      is_over = step == CsvItems::Step::end;
      after.position = current.csv->position();
      after.line = current.csv->line();
    } else if (current.format == BodyFormat::parquet) {
      FICUS_TRY(const bool is_there, current.rows->next(current.lines));
      is_over = !is_there;
      if (is_there) add(current.lines, {});
      after.position += is_there ? 1 : 0;
    } else {
      FICUS_TRY(const auto line, current.next_line(is_quiet, after));
      is_over = !line.has_value();
      if (line) add(line->text, line->is_too_long ? "a line is longer than 1 MiB" : "");
    }
  }
  const bool is_parquet = current.format == BodyFormat::parquet;
  FICUS_TRY(after.fingerprint,
            fingerprint(*current.file, is_parquet ? current.size : after.position));
  current.progress = after;
  chunk.after = std::move(after);
  return chunk;
}

void FolderReader::drop() { current_.reset(); }

void FolderReader::know(const std::string& file, std::optional<FileProgress> progress) {
  const auto place = files_.find(file);
  if (place == files_.end()) return;
  place->second.is_known = true;
  if (progress) place->second.progress = *std::move(progress);
}

void FolderReader::taken(const FileChunk& chunk) {
  const auto place = files_.find(chunk.file);
  if (place != files_.end()) place->second.progress = chunk.after;
}

}  // namespace ficus::connect
