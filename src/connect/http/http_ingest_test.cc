#include "connect/http/http_ingest.h"

#include <gtest/gtest.h>

#include <optional>

#include "codec/json/json_reader.h"
#include "connect/ingest/engine_testing.h"
#include "net/http_client.h"
#include "net/loopback_testing.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kSources = R"(
sources:
  - name: parks
    http: {}
    map:
      type: OffStreetParking
      id: "urn:ngsi-ld:OffStreetParking:{$.code}"
      observed_at: received
      attributes:
        occupied: {path: $.occupied, min: 0}
  - name: city
    mqtt: {topic: 'city/{id}'}
    map:
      type: OffStreetParking
      id: "urn:ngsi-ld:OffStreetParking:{$.code}"
      observed_at: received
      attributes:
        occupied: {path: $.occupied, min: 0}
)";

constexpr std::string_view kTypes = R"(
types:
  OffStreetParking:
    label: {zh: 停车场, en: car park}
    attributes:
      occupied: {kind: number}
)";

class HttpIngestTest : public ::testing::Test, public net::HttpHandler {
 protected:
  void open(const HttpIngestLimits& limits = {}) {
    http_ingest_.emplace(*house_.ingest, house_.sources, limits);
    server_ = *net::HttpServer::open(house_.loop, net::loopback_any_port(), {}, *this);
    client_.emplace(house_.loop, server_->address().text(), net::HttpClientOptions{});
  }
  void on_request(std::unique_ptr<net::HttpExchange> exchange) override {
    const std::string source = exchange->target().segments.at(1);
    http_ingest_->on_post(source, std::move(exchange));
  }
  net::HttpResponse post(std::string_view source, std::string body,
                         std::string_view type = "application/json") {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/ingest/" + std::string(source);
    request.headers.add("Content-Type", type);
    request.body = std::move(body);
    std::optional<Result<net::HttpResponse>> answer;
    client_->request(std::move(request), [&](auto response) { answer = std::move(response); });
    EXPECT_TRUE(net::run_until(house_.loop, [&] { return answer.has_value(); }));
    if (!answer || !*answer) return {};
    return **std::move(answer);
  }
  double number(const net::HttpResponse& response, std::string_view key) {
    json::JsonDocument document;
    const auto root = document.parse(response.body);
    return root ? root->member(key).as_number() : -1;
  }

  EngineHouse house_{kSources, kTypes};
  std::optional<HttpIngest> http_ingest_;
  std::unique_ptr<net::HttpServer> server_;
  std::optional<net::HttpClient> client_;
};

TEST_F(HttpIngestTest, PackedBodiesAreNotTaken) {
  open();
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/ingest/parks";
  request.headers.add("Content-Encoding", "gzip");
  request.body = std::string("\x1f\x8b\x08\0", 4);
  std::optional<Result<net::HttpResponse>> answer;
  client_->request(std::move(request), [&](auto response) { answer = std::move(response); });
  ASSERT_TRUE(net::run_until(house_.loop, [&] { return answer.has_value(); }));
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status, 415);
  EXPECT_EQ(house_.books("parks").received, 0u);
}

TEST_F(HttpIngestTest, AnObjectIsInTheBooksWhenItIsAnswered) {
  open();
  const auto answer = post("parks", R"({"code": "a", "occupied": 7})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(number(answer, "received"), 1);
  EXPECT_EQ(number(answer, "accepted"), 1);
  EXPECT_EQ(house_.books("parks").applied, 1u);
}

TEST_F(HttpIngestTest, AnArrayIsManyAndTheBadOnesAreNamed) {
  open();
  const auto answer =
      post("parks", R"([{"code":"a","occupied":1},{"occupied":2},{"code":"c","occupied":3}])");
  EXPECT_EQ(answer.status, 207) << answer.body;
  EXPECT_EQ(number(answer, "received"), 3);
  EXPECT_EQ(number(answer, "quarantined"), 1);
  EXPECT_TRUE(answer.body.contains(R"("item":1)")) << answer.body;
  const SourceBooks books = house_.books("parks");
  EXPECT_EQ(books.applied, 2u);
  EXPECT_EQ(books.quarantined, 1u);
  EXPECT_TRUE(books.balanced());
}

TEST_F(HttpIngestTest, NothingUsableIs422AndKept) {
  open();
  const auto answer = post("parks", "this is no JSON");
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_EQ(house_.books("parks").quarantined, 1u);
}

TEST_F(HttpIngestTest, LinesAreTakenAsTheyComeAtAnyLength) {
  HttpIngestLimits limits;
  limits.batch_items_max = 100;
  limits.batches_in_flight_max = 2;  // the body waits again and again
  open(limits);
  std::string body;
  constexpr int kLines = 5000;
  for (int i = 0; i < kLines; ++i) {
    body += R"({"code":"p)" + std::to_string(i) + R"(","occupied":)" + std::to_string(i) + "}\n";
  }
  body.pop_back();  // the last line needs no end
  const auto answer = post("parks", body, "application/x-ndjson");
  EXPECT_EQ(answer.status, 200) << answer.body.substr(0, 500);
  EXPECT_EQ(number(answer, "accepted"), kLines);
  EXPECT_EQ(house_.books("parks").applied, std::uint64_t{kLines});
  // Sent as application/json the same is understood.
  const auto again =
      post("parks", "{\"code\":\"x\",\"occupied\":1}\n{\"code\":\"y\",\"occupied\":2}");
  EXPECT_EQ(number(again, "accepted"), 2) << again.body;
}

TEST_F(HttpIngestTest, ALineTooLongIsQuarantinedAndStopsNothing) {
  HttpIngestLimits limits;
  limits.line_bytes_max = 1000;
  open(limits);
  const std::string body = "{\"code\":\"a\",\"occupied\":1}\n{\"code\":\"" +
                           std::string(5000, 'x') + "\"}\n{\"code\":\"b\",\"occupied\":2}\n";
  const auto answer = post("parks", body, "application/jsonl");
  EXPECT_EQ(answer.status, 207) << answer.body;
  EXPECT_EQ(number(answer, "accepted"), 2);
  EXPECT_TRUE(answer.body.contains("longer than 1000 bytes")) << answer.body;
}

TEST_F(HttpIngestTest, ErrorsListedAreBounded) {
  HttpIngestLimits limits;
  limits.errors_listed_max = 3;
  open(limits);
  std::string body;
  for (int i = 0; i < 50; ++i) body += "{}\n";
  const auto answer = post("parks", body, "application/x-ndjson");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(number(answer, "quarantined"), 50);
  EXPECT_TRUE(answer.body.contains(R"("item":2)"));
  EXPECT_FALSE(answer.body.contains(R"("item":3,)"));
}

TEST_F(HttpIngestTest, ADocumentTooLongIs413) {
  HttpIngestLimits limits;
  limits.document_bytes_max = 1000;
  open(limits);
  EXPECT_EQ(post("parks", "[" + std::string(2000, ' ') + "]").status, 413);
  EXPECT_EQ(house_.books("parks").received, 0u);
}

TEST_F(HttpIngestTest, AnEmptyArrayIsNothingAndFine) {
  open();
  const auto answer = post("parks", "[]");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(number(answer, "received"), 0);
}

TEST_F(HttpIngestTest, OnlyHttpSourcesAreThere) {
  open();
  for (const std::string_view name : {"nobody", "city", ""}) {
    const auto answer = post(std::string(name) + "x", "{}");
    EXPECT_EQ(answer.status, 404) << name;
  }
  EXPECT_EQ(post("city", "{}").status, 404);  // it comes by MQTT
  EXPECT_TRUE(post("nobody", "{}").body.contains("declare it in sources.yaml"));
}

TEST_F(HttpIngestTest, AClientThatBreaksOffKeepsWhatArrivedBefore) {
  HttpIngestLimits limits;
  limits.batch_items_max = 1;
  open(limits);
  const auto raw = net::RawPeer::connect(house_.loop, server_->address());
  raw->send(
      "POST /ingest/parks HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: 100000\r\n\r\n{\"code\":\"a\",\"occupied\":1}\n{\"code\":\"half");
  EXPECT_TRUE(net::run_until(house_.loop, [&] { return house_.books("parks").applied == 1; }));
  raw->tcp->abort();
  net::run_for(house_.loop, Micros::from_millis(100));
  EXPECT_EQ(house_.books("parks").received, 1u);  // half a line is nobody's item
  EXPECT_EQ(post("parks", R"({"code": "b", "occupied": 7})").status, 200);
}

}  // namespace
}  // namespace ficus::connect
