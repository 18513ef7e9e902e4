#include "connect/files/files_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "base/check.h"
#include "base/hash.h"
#include "engine/engine.h"

namespace ficus::connect {
namespace {

constexpr Micros kBackOffFirst = Micros::from_seconds(1);
constexpr Micros kBackOffMost = Micros::from_seconds(60);
constexpr Micros kEndLookEvery = Micros::from_millis(5);
constexpr int kEndLooks = 200;

}  // namespace

// The thread's side. It may outlive the link, and even the loop, when it hangs in a system call.
class FilesLink::Worker final : public std::enable_shared_from_this<Worker> {
 public:
  Worker(const LinkParts& parts, const FilesSource& declared, RowFileOpener open_rows,
         FileHolder hold_file, FilesLink& link)
      : clock_(parts.clock),
        reader_(parts.disk, declared, std::move(open_rows), std::move(hold_file)),
        loop_(&parts.loop),
        link_(&link) {}

  void work() {
    while (auto request = requests_.pop()) {
      if (auto* knowledge = std::get_if<Knowledge>(&*request)) {
        reader_.know(knowledge->file, std::move(knowledge->progress));
      } else if (const auto* taken = std::get_if<Taken>(&*request)) {
        reader_.taken(*taken->chunk);
      } else if (std::holds_alternative<Dropped>(*request)) {
        reader_.drop();
      }
      auto chunk = reader_.next(clock_.monotonic());
      answer({std::move(chunk), reader_.take_problems()});
    }
    is_done_ = true;
  }

  bool try_ask(Request request) { return requests_.try_push(std::move(request)); }
  void end() { requests_.close(); }
  bool is_done() const { return is_done_; }
  // From now on nothing is posted. On the loop's thread, like all that uses `link_`.
  void forget_link() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
    link_ = nullptr;
  }

 private:
  void answer(Answer given) {
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    loop_->post([self = shared_from_this(), given = std::move(given)]() mutable {
      if (self->link_ != nullptr) self->link_->on_answer(std::move(given));
    });
  }

  const Clock& clock_;
  FolderReader reader_;  // used by the thread only
  BoundedQueue<Request> requests_{1};
  std::atomic<bool> is_done_ = false;
  // Between posting and the end of the loop: a message could not say that there is none any more.
  std::mutex mutex_;
  net::EventLoop* loop_;
  FilesLink* link_;
};

FilesLink::FilesLink(const LinkParts& parts, std::shared_ptr<const Source> source,
                     const FileMarks& marks, RowFileOpener open_rows, FileHolder hold_file)
    : SourceLink(source->declaration.name,
                 std::get<FilesSource>(source->declaration.connector).folder),
      parts_(parts),
      source_(std::move(source)),
      marks_(marks),
      own_(parts.ingest.engine().intern_source("ficus")),
      timer_(parts.loop),
      back_off_(kBackOffFirst, kBackOffMost,
                hash_mix(parts.random_seed, hash64(source_->declaration.name))),
      builder_(source_->id),
      worker_(std::make_shared<Worker>(parts, declared(), std::move(open_rows),
                                       std::move(hold_file), *this)) {}

FilesLink::~FilesLink() {
  end();
  worker_->forget_link();
  if (!thread_.joinable()) return;
  for (int i = 0; i < kEndLooks && !is_ended(); ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(kEndLookEvery.count));
  }
  is_ended() ? thread_.join() : thread_.detach();
}

bool FilesLink::fetches_alike(const Source& next) const {
  const auto* const other = std::get_if<FilesSource>(&next.declaration.connector);
  return other != nullptr && *other == declared();
}

void FilesLink::end() {
  drain();
  worker_->end();
}

bool FilesLink::is_ended() const { return worker_->is_done(); }

Result<std::unique_ptr<FilesLink>> FilesLink::open(const LinkParts& parts,
                                                   std::shared_ptr<const Source> source,
                                                   RowFileOpener open_rows, FileHolder hold_file) {
  FICUS_TRY(const FileMarks marks, FileMarks::declare(parts.ingest.engine().schema()));
  std::unique_ptr<FilesLink> link(
      new FilesLink(parts, std::move(source), marks, std::move(open_rows), std::move(hold_file)));
  link->thread_ = std::thread([worker = link->worker_] { worker->work(); });
  // The marks are asked for when shards answer, so after the loop has begun.
  link->timer_.start_once({}, [self = link.get()] { self->ask(Look{}); });
  return link;
}

void FilesLink::ask(Request request) {
  if (is_draining_) return;
  // One request is answered before the next is made.
  FICUS_CHECK(worker_->try_ask(std::move(request)));
}

void FilesLink::on_answer(Answer answer) {
  if (is_draining_) return;
  for (std::string& problem : answer.problems) {
    parts_.logger.warning("files", "cannot read a file",
                          {{"source", name_}, {"folder", status_.peer}, {"problem", problem}});
    note_failure(parts_.ingest.now(), std::move(problem));
  }
  if (!answer.chunk) return fail_and_retry(std::move(answer.chunk).error().message, Look{});
  ++status_.attempts;
  back_off_.reset();
  note_success(parts_.ingest.now());
  if (!*answer.chunk) {
    timer_.start_once(declared().every, [this] { ask(Look{}); });
    return;
  }
  auto chunk = std::make_shared<const FileChunk>(std::move(**answer.chunk));
  if (chunk->wants_progress) return find_progress(chunk->file);
  take(std::move(chunk));
}

void FilesLink::find_progress(const std::string& file) {
  // Answered on a shard's thread.
  parts_.ingest.engine().find(FileMarks::id(name_, file),
                              [this, alive = std::weak_ptr(alive_), &loop = parts_.loop,
                               file](Result<twin::EntityView> found) {
                                loop.post([this, alive, file, found = std::move(found)]() mutable {
                                  if (alive.expired()) return;
                                  if (!found && found.error().code != ErrorCode::not_found) {
                                    return fail_and_retry(std::move(found).error().message, Look{});
                                  }
                                  ask(Knowledge{file, found ? marks_.read(*found) : std::nullopt});
                                });
                              });
}

void FilesLink::take(std::shared_ptr<const FileChunk> chunk) {
  if (is_draining_) return;
  if (parts_.ingest.is_congested()) {
    return parts_.ingest.on_room(
        [this, alive = std::weak_ptr(alive_), chunk = std::move(chunk)]() mutable {
          if (!alive.expired()) take(std::move(chunk));
        });
  }
  const std::string key = declared().folder + "/" + chunk->file;
  const std::string_view file = chunk->file;
  const Timestamp now = parts_.ingest.now();
  for (const FileChunk::Item& item : chunk->items) {
    if (!item.problem.empty()) {
      builder_.quarantine(key, item.problem, item.bytes);
      continue;
    }
    source_->declaration.mapping->map(
        {.key = key, .placeholders = {&file, 1}, .payload = item.bytes, .received_at = now},
        scratch_, builder_);
  }
  if (builder_.empty()) return on_durable(std::move(chunk), {});
  parts_.ingest.submit(builder_.take(now),
                       [this, alive = std::weak_ptr(alive_),
                        chunk = std::move(chunk)](const Status& status) mutable {
                         if (!alive.expired()) on_durable(std::move(chunk), status);
                       });
}

void FilesLink::on_durable(std::shared_ptr<const FileChunk> chunk, const Status& status) {
  if (!status) return fail_and_retry(status.error().message, Dropped{});
  mark(*chunk);
  ask(Taken{std::move(chunk)});
}

// Nobody waits for the mark: without it the chunk is read once more.
void FilesLink::mark(const FileChunk& chunk) {
  const Timestamp now = std::max(parts_.ingest.now(), last_mark_ + Micros{1});
  last_mark_ = now;
  SourceBatch batch;
  batch.source = own_;
  batch.received_at = now;
  batch.observations.push_back(marks_.row(name_, chunk.file, chunk.after, now));
  parts_.ingest.submit(std::move(batch), [](const Status&) {});
}

void FilesLink::fail_and_retry(std::string why, Request next) {
  if (is_draining_) return;
  const Micros wait = back_off_.next();
  parts_.logger.warning("files", "cannot take files; will try again",
                        {{"source", name_},
                         {"folder", status_.peer},
                         {"error", why},
                         {"after_seconds", fmt::format("{:.1f}", wait.seconds())}});
  note_failure(parts_.ingest.now(), std::move(why));
  timer_.start_once(wait, [this, next = std::move(next)]() mutable { ask(std::move(next)); });
}

void FilesLink::drain() {
  is_draining_ = true;
  status_.state = LinkStatus::State::stopped;
  timer_.cancel();
}

}  // namespace ficus::connect
