#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "codec/csv/text_encoding.h"
#include "connect/mapping/topic_pattern.h"

// Where a source's data comes from, as declared in sources.yaml. Values.

namespace ficus::connect {

// Messages published to the broker under these topics.
struct MqttSource {
  TopicPattern topic;
};

// POST /ingest/{name of the source}.
struct HttpSource {
  std::vector<std::string> parameters;  // of the URL's query, usable as placeholders
};

// An AIS receiver or a coast station's stream.
struct AisSource {
  enum class Transport : std::uint8_t { udp, tcp };
  Transport transport = Transport::udp;
  bool is_listening = true;  // else we connect (tcp only)
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const AisSource&, const AisSource&) = default;
};

// Where a secret is kept; it is read each time it is needed and never stored or shown.
struct SecretPlace {
  std::string file;      // its first line
  std::string variable;  // of the environment

  bool is_none() const { return file.empty() && variable.empty(); }

  friend bool operator==(const SecretPlace&, const SecretPlace&) = default;
};

// PEM files for connecting over TLS.
struct TlsPlaces {
  std::string ca;           // empty: the system's
  std::string certificate;  // of ours, if the server asks for one
  std::string key;

  friend bool operator==(const TlsPlaces&, const TlsPlaces&) = default;
};

// Someone else's MQTT broker, to which we subscribe.
struct MqttClientSource {
  TopicPattern topic;
  std::string host_port;
  bool is_encrypted = false;
  TlsPlaces tls;
  std::string client_id;
  std::string user;
  SecretPlace password;
  int qos = 1;
  bool is_v5 = true;                                   // else 3.1.1
  Micros session_expiry = Micros::from_hours(24 * 7);  // how long the broker is to keep for us

  friend bool operator==(const MqttClientSource&, const MqttClientSource&) = default;
};

// How comma-separated values are written.
struct CsvFormat {
  char delimiter = ',';
  csv::TextEncoding encoding = csv::TextEncoding::utf8;
  std::vector<std::string> columns;  // empty: the first record names them

  friend bool operator==(const CsvFormat&, const CsvFormat&) = default;
};

enum class BodyFormat : std::uint8_t {
  by_type,  // as the Content-Type or the file's name says
  json,
  lines,  // one JSON text a line
  csv,
  parquet,  // files only
};

// A URL that is asked again and again.
struct HttpPollSource {
  struct Header {
    std::string name;
    std::string value;
    SecretPlace secret;  // instead of the value

    friend bool operator==(const Header&, const Header&) = default;
  };
  std::string url;
  std::string host_port;
  std::string target;
  bool is_encrypted = false;
  TlsPlaces tls;
  Micros every = Micros::from_seconds(60);
  std::vector<Header> headers;
  BodyFormat body = BodyFormat::by_type;
  CsvFormat csv;
  std::size_t body_bytes_max = std::size_t{16} << 20;

  friend bool operator==(const HttpPollSource&, const HttpPollSource&) = default;
};

// A folder into which someone puts files.
struct FilesSource {
  std::string folder;
  std::string names = "*";  // '*' stands for any text, '?' for one character
  BodyFormat format = BodyFormat::by_type;
  CsvFormat csv;
  Micros every = Micros::from_seconds(5);
  // How long a file must not have grown before its last line counts as whole without a line end.
  Micros quiet = Micros::from_seconds(10);

  friend bool operator==(const FilesSource&, const FilesSource&) = default;
};

// The order is that of kConnectorNames.
using Connector =
    std::variant<MqttSource, HttpSource, AisSource, MqttClientSource, HttpPollSource, FilesSource>;

inline constexpr const char* kConnectorNames[] = {"mqtt",        "http",      "ais",
                                                  "mqtt_client", "http_poll", "files"};

}  // namespace ficus::connect
