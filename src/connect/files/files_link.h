#pragma once

#include <memory>
#include <thread>
#include <variant>

#include "base/bounded_queue.h"
#include "connect/client/back_off.h"
#include "connect/client/link_parts.h"
#include "connect/client/source_link.h"
#include "connect/files/file_marks.h"
#include "connect/files/folder_reader.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/mapping.h"
#include "connect/mapping/source_batch_builder.h"

namespace ficus::connect {

// Takes the files of a folder. A thread of its own reads them (FolderReader); mapping and handing
// over happen on the loop. One chunk is under way at a time and the next is read only when it is
// durable, so files are read no faster than the engine takes them.
//
// Behind each chunk a mark is written (FileMarks): after kill -9 reading goes on there. What was
// durable without its mark is read once more; its rows are then duplicates to the twin.
class FilesLink final : public SourceLink {
 public:
  // REQUIRES: the source is a files source.
  static Result<std::unique_ptr<FilesLink>> open(const LinkParts& parts,
                                                 std::shared_ptr<const Source> source,
                                                 RowFileOpener open_rows, FileHolder hold_file);
  // Waits a second for the thread at most. One that hangs in a mount that hangs is left behind.
  ~FilesLink() override;

  void drain() override;
  bool fetches_alike(const Source& next) const override;
  void declare(std::shared_ptr<const Source> next) override { source_ = std::move(next); }
  void end() override;
  bool is_ended() const override;

 private:
  struct Knowledge {
    std::string file;
    std::optional<FileProgress> progress;
  };
  struct Taken {
    std::shared_ptr<const FileChunk> chunk;
  };
  struct Dropped {};
  struct Look {};  // no news
  using Request = std::variant<Look, Knowledge, Taken, Dropped>;

  struct Answer {
    Result<std::optional<FileChunk>> chunk;
    std::vector<std::string> problems;
  };

  class Worker;

  FilesLink(const LinkParts& parts, std::shared_ptr<const Source> source, const FileMarks& marks,
            RowFileOpener open_rows, FileHolder hold_file);
  const FilesSource& declared() const {
    return std::get<FilesSource>(source_->declaration.connector);
  }
  void ask(Request request);
  void on_answer(Answer answer);
  void find_progress(const std::string& file);
  void take(std::shared_ptr<const FileChunk> chunk);
  void on_durable(std::shared_ptr<const FileChunk> chunk, const Status& status);
  void mark(const FileChunk& chunk);
  void fail_and_retry(std::string why, Request next);

  const LinkParts parts_;
  std::shared_ptr<const Source> source_;
  const FileMarks marks_;
  const SourceId own_;  // of the marks: they are not the source's items
  net::Timer timer_;
  BackOff back_off_;
  MappingScratch scratch_;
  SourceBatchBuilder builder_;
  Timestamp last_mark_ = Timestamp::min();
  bool is_draining_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::shared_ptr<Worker> worker_;  // shared with its thread
  std::thread thread_;
};

}  // namespace ficus::connect
