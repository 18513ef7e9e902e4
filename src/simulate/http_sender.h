#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "net/event_loop.h"
#include "net/http_client.h"

namespace ficus::simulate {

struct HttpSenderCounts {
  std::uint64_t accepted = 0;      // records given to `post`
  std::uint64_t acknowledged = 0;  // records that the brain has answered for, quarantined ones too
  std::uint64_t quarantined = 0;
  std::uint64_t refused = 0;  // records of bodies that the brain will never take
  std::uint64_t retries = 0;
};

// Posts bodies of records to one server, one at a time and in order. A body that got no answer, or
// "try again later" (429, 5xx), is sent again after a pause: at least once. Runs on the loop's
// thread.
class HttpSender {
 public:
  HttpSender(net::EventLoop& loop, std::string host_port, std::size_t bodies_max,
             std::shared_ptr<net::TlsClientContext> tls = {}, std::string authorization = {});

  bool is_full() const { return queue_.size() >= bodies_max_; }
  bool is_idle() const { return queue_.empty(); }
  // Taken even when full: a caller asks `is_full` before each burst of its own.
  void post(std::string target, std::string content_type, std::string body, std::size_t records);
  void on_progress(net::Task task) { on_progress_ = std::move(task); }

  const HttpSenderCounts& counts() const { return counts_; }
  const std::string& last_error() const { return last_error_; }

 private:
  struct Item {
    std::string target;
    std::string content_type;
    std::string body;
    std::size_t records = 0;
  };

  void send_first();
  void on_answer(Result<net::HttpResponse> answer);
  void retry_later(std::string why);

  net::HttpClient client_;
  const std::string authorization_;  // empty: none is shown
  net::Timer retry_;
  net::Task on_progress_;
  const std::size_t bodies_max_;
  std::deque<Item> queue_;  // the first is on its way
  Micros backoff_;
  HttpSenderCounts counts_;
  std::string last_error_;
};

}  // namespace ficus::simulate
