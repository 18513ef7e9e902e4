#include "net/http_types.h"

#include <algorithm>

#include "base/check.h"

namespace ficus::net {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<Error> bad_target(std::string_view raw, std::string_view why) {
  return invalid("request target '" + std::string(raw.substr(0, 200)) + "': " + std::string(why));
}

Status parse_segments(HttpTarget& target, std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment.empty() && path.empty()) break;  // a slash at the end
    auto decoded = percent_decode(segment, false);
    if (!decoded) return bad_target(target.raw, "broken percent escape");
    // Clients resolve these before they send (RFC 3986, 5.2.4): what still has them wants out of a
    // folder.
    if (*decoded == "." || *decoded == "..") return bad_target(target.raw, "'.' or '..' segment");
    if (decoded->contains('\0')) return bad_target(target.raw, "zero byte");
    target.path += '/';
    target.path += *decoded;
    target.segments.push_back(std::move(*decoded));
  }
  if (target.path.empty()) target.path = "/";
  return {};
}

Status parse_query(HttpTarget& target, std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return bad_target(target.raw, "broken percent escape");
    target.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

HttpHeaders::HttpHeaders(std::initializer_list<HttpField> fields) {
  for (const HttpField& field : fields) add(field.name, field.value);
}

void HttpHeaders::add(std::string_view name, std::string_view value) {
  entries_.push_back({.offset = static_cast<std::uint32_t>(text_.size()),
                      .name_size = static_cast<std::uint32_t>(name.size()),
                      .value_size = static_cast<std::uint32_t>(value.size())});
  text_ += name;
  text_ += value;
}

HttpField HttpHeaders::at(std::size_t index) const {
  FICUS_CHECK(index < entries_.size());
  const Entry& entry = entries_[index];
  const std::string_view text = text_;
  return {.name = text.substr(entry.offset, entry.name_size),
          .value = text.substr(entry.offset + entry.name_size, entry.value_size)};
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const HttpField field = at(i);
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t HttpHeaders::count(std::string_view name) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (equals_ignoring_case(at(i).name, name)) ++count;
  }
  return count;
}

bool HttpHeaders::has_token(std::string_view name, std::string_view token) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const HttpField field = at(i);
    if (!equals_ignoring_case(field.name, name)) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const std::string_view part = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), part.size() + 1));
      if (equals_ignoring_case(trimmed(part), token)) return true;
    }
  }
  return false;
}

void HttpHeaders::clear() {
  text_.clear();
  entries_.clear();
}

Result<HttpTarget> HttpTarget::parse(std::string_view raw) {
  HttpTarget target;
  target.raw = raw;
  for (const char c : raw) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
      return bad_target(raw, "control character or space");
    }
  }
  if (raw == "*") {  // OPTIONS * (RFC 9112, 3.2.4)
    target.path = "*";
    return target;
  }
  std::string_view rest = raw;
  if (!rest.starts_with('/')) {
    // A server must take the absolute form too (RFC 9112, 3.2.2); the authority is not ours to
    // judge.
    const std::size_t scheme = rest.find("://");
    if (scheme == std::string_view::npos || scheme == 0)
      return bad_target(raw, "must begin with '/'");
    rest.remove_prefix(scheme + 3);
    const std::size_t path = rest.find_first_of("/?");
    rest = path == std::string_view::npos ? std::string_view("/") : rest.substr(path);
  }
  rest = rest.substr(0, rest.find('#'));
  const std::size_t question = rest.find('?');
  const std::string_view path = rest.substr(0, question);
  if (!path.empty()) {
    FICUS_TRY_VOID(parse_segments(target, path));
  } else {
    target.path = "/";
  }
  if (question != std::string_view::npos) {
    FICUS_TRY_VOID(parse_query(target, rest.substr(question + 1)));
  }
  return target;
}

std::optional<std::string_view> HttpTarget::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view http_reason(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

}  // namespace ficus::net
