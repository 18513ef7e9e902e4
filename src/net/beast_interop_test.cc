// Our server against another implementation of the same standards: Beast's own client streams,
// blocking, in a thread of their own.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>
#include <string>
#include <thread>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

// Echoes bodies and WebSocket messages, and streams ten lines on /stream.
struct EchoSite final : HttpHandler {
  struct Socket final : WebSocketHandler {
    void on_message(WebSocketKind kind, std::span<const std::byte> payload) override {
      if (kind == WebSocketKind::text) {
        socket->send_text(text_of(payload));
      } else {
        socket->send_binary(payload);
      }
    }
    void on_closed(const WebSocketClose& how) override { code = how.code; }
    std::unique_ptr<WebSocket> socket;
    std::atomic<int> code = 0;
  };

  EchoSite() { server = *HttpServer::open(loop, loopback_any_port(), {}, *this); }

  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    if (exchange->target().path == "/ws") {
      socket.socket = *exchange->upgrade_websocket({}, socket);
      return;
    }
    if (exchange->target().path == "/stream") {
      exchange->start_stream(200, {{"Content-Type", "text/plain"}});
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(exchange->write("line " + std::to_string(i) + "\n"));
      exchange->finish();
      return;
    }
    HttpExchange& ref = *exchange;
    ref.read_body(1 << 20, [exchange = std::move(exchange)](std::string_view body) {
      exchange->respond(200, "text/plain", std::string(body));
    });
  }

  // Runs `client` in a thread and the loop here until it has ended.
  template <typename Client>
  void serve(Client client) {
    std::thread thread([&] {
      try {
        tcp::socket connection(context);
        connection.connect({boost::asio::ip::make_address("127.0.0.1"), server->address().port});
        client(std::move(connection));
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      loop.stop();
    });
    loop.run();
    thread.join();
  }

  EventLoop loop;
  boost::asio::io_context context;
  Socket socket;
  std::unique_ptr<HttpServer> server;
};

TEST(BeastInterop, Http) {
  EchoSite site;
  site.serve([](tcp::socket connection) {
    beast::flat_buffer buffer;
    for (const bool is_chunked : {false, true}) {
      http::request<http::string_body> request(http::verb::post, "/echo", 11);
      request.set(http::field::host, "x");
      request.body() = pattern(100'000);
      request.chunked(is_chunked);
      if (!is_chunked) request.prepare_payload();
      http::write(connection, request);
      http::response<http::string_body> response;
      http::read(connection, buffer, response);
      EXPECT_EQ(response.result_int(), 200u);
      EXPECT_TRUE(response.body() == request.body());
      EXPECT_TRUE(response.keep_alive());
    }
    http::request<http::empty_body> request(http::verb::get, "/stream", 11);
    request.set(http::field::host, "x");
    http::write(connection, request);
    http::response<http::string_body> response;
    http::read(connection, buffer, response);
    EXPECT_TRUE(response.chunked());
    EXPECT_EQ(response.body().size(), 70u);
  });
}

TEST(BeastInterop, WebSocket) {
  EchoSite site;
  site.serve([](tcp::socket connection) {
    beast::websocket::stream<tcp::socket> stream(std::move(connection));
    stream.handshake("x", "/ws");
    stream.auto_fragment(true);
    stream.write_buffer_bytes(1000);  // so that long messages come in fragments
    for (const std::size_t size : {0u, 1u, 125u, 126u, 5000u, 65535u, 65536u, 300'000u}) {
      const std::string sent = pattern(size);
      stream.binary(true);
      stream.write(boost::asio::buffer(sent));
      stream.ping("are you there");
      beast::flat_buffer got;
      stream.read(got);
      EXPECT_TRUE(beast::buffers_to_string(got.data()) == sent) << size;
      EXPECT_TRUE(stream.got_binary());
    }
    stream.text(true);
    stream.write(boost::asio::buffer(std::string("你好")));
    beast::flat_buffer got;
    stream.read(got);
    EXPECT_EQ(beast::buffers_to_string(got.data()), "你好");
    stream.close({beast::websocket::close_code::normal, "bye"});
  });
  ASSERT_TRUE(run_until(site.loop, [&] { return site.socket.code != 0; }));
  EXPECT_EQ(site.socket.code, kWebSocketNormal);
}

}  // namespace
}  // namespace ficus::net
