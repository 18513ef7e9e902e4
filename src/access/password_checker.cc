#include "access/password_checker.h"

#include <utility>

#include "access/digest.h"
#include "access/password.h"

namespace ficus::access {

PasswordChecker::PasswordChecker(std::size_t waiting_max,
                                 std::function<void(std::uint64_t, bool)> on_checked)
    : on_checked_(std::move(on_checked)), queue_(waiting_max), thread_([this] { run(); }) {}

PasswordChecker::~PasswordChecker() {
  queue_.close();
  thread_.join();
}

bool PasswordChecker::submit(std::uint64_t number, std::string phc, std::string password) {
  Job job{.number = number, .phc = std::move(phc), .password = std::move(password)};
  if (queue_.try_push(std::move(job))) return true;
  // A full queue leaves the job as it was. NOLINTNEXTLINE(bugprone-use-after-move)
  wipe(job.password);
  return false;
}

void PasswordChecker::run() {
  while (auto job = queue_.pop()) {
    // After close() the rest is only wiped: nobody waits for an answer any more.
    const bool fits = !queue_.is_closed() && verify_password(job->phc, job->password);
    wipe(job->password);
    if (!queue_.is_closed()) on_checked_(job->number, fits);
  }
}

}  // namespace ficus::access
