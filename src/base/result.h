#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ficus {

// What the caller can do about a failure. Code branches on the code, people read the message.
enum class ErrorCode : std::uint8_t {
  invalid_input,  // the bytes or the request are wrong: do not try the same again
  not_found,      // the thing named does not exist
  conflict,       // the thing exists, or is in a state that forbids this
  denied,         // the caller may not do this
  overloaded,     // a limit is reached: try again later
  disk_full,      // no room on the disk: goes on by itself when there is, try again then
  timed_out,      // the work was stopped at its time limit
  unavailable,    // a part we need (peer, file, device) does not answer: try again later
  corrupt,        // stored bytes are damaged: an operator must look
  internal,       // a fault of ours
};

const char* error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // what happened, to which thing, what to do

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}
inline std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_input, std::move(message));
}

// Puts `context` in front of the message: "sources.yaml: " + message.
inline std::unexpected<Error> in_context(std::string_view context, Error error) {
  error.message.insert(0, context);
  return std::unexpected(std::move(error));
}

}  // namespace ficus

#define FICUS_CONCAT_INNER(a, b) a##b
#define FICUS_CONCAT(a, b) FICUS_CONCAT_INNER(a, b)

// FICUS_TRY(const EntityId entity, store.intern(urn));  returns the error to the caller, or
// declares.
#define FICUS_TRY(declaration, ...) \
  FICUS_TRY_INNER(FICUS_CONCAT(ficus_try_, __COUNTER__), declaration, __VA_ARGS__)
#define FICUS_TRY_INNER(name, declaration, ...)      \
  auto name = (__VA_ARGS__);                         \
  if (!name) [[unlikely]]                            \
    return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)

// For a Status: FICUS_TRY_VOID(file.sync());
#define FICUS_TRY_VOID(...)                                        \
  do {                                                             \
    auto ficus_try_status = (__VA_ARGS__);                         \
    if (!ficus_try_status) [[unlikely]]                            \
      return std::unexpected(std::move(ficus_try_status).error()); \
  } while (false)
