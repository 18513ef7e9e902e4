#include "history/time_bucket.h"

#include <duckdb.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "base/time_text.h"

namespace ficus::history {
namespace {

constexpr std::int64_t kMicrosOfDay = 86'400'000'000;
// Where buckets begin, as DuckDB documents it: Monday 2000-01-03, so that weeks begin on Mondays;
// for months and years 2000-01-01.
constexpr std::int64_t kOrigin = 946'857'600'000'000;
constexpr std::int64_t kOriginMonth = 2000 * 12;

struct Bucket {
  std::int64_t begin = 0;
  std::int64_t end = 0;  // begin == end: none yet
};

std::int64_t floor_divided(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::optional<std::int64_t> begin_of_month(std::int64_t month) {
  CivilTime civil;
  civil.year = static_cast<int>(floor_divided(month, 12));
  civil.month = static_cast<int>(month - civil.year * std::int64_t{12}) + 1;
  const std::optional<Timestamp> begin = from_civil(civil);
  return begin ? std::optional(begin->micros) : std::nullopt;
}

std::optional<Bucket> months_bucket(std::int64_t months, std::int64_t t) {
  const CivilTime civil = to_civil({t});
  const std::int64_t month = civil.year * std::int64_t{12} + civil.month - 1 - kOriginMonth;
  const std::int64_t first = floor_divided(month, months) * months + kOriginMonth;
  const std::optional<std::int64_t> begin = begin_of_month(first);
  const std::optional<std::int64_t> end = begin_of_month(first + months);
  if (!begin || !end) return std::nullopt;
  return Bucket{*begin, *end};
}

std::optional<Bucket> micros_bucket(std::int64_t width, std::int64_t t) {
  Bucket bucket;
  std::int64_t distance = 0;
  if (__builtin_sub_overflow(t, kOrigin, &distance) ||
      __builtin_mul_overflow(floor_divided(distance, width), width, &distance) ||
      __builtin_add_overflow(distance, kOrigin, &bucket.begin) ||
      __builtin_add_overflow(bucket.begin, width, &bucket.end)) {
    return std::nullopt;
  }
  return bucket;
}

// What is wrong with the width; null: nothing. `micros`: the width, unless it is in months.
const char* width_complaint(const duckdb_interval& width, std::int64_t& micros) {
  if (width.months != 0) {
    if (width.days != 0 || width.micros != 0) {
      return "time_bucket: a width in months cannot have days or a time, too";
    }
    return width.months > 0 ? nullptr : "time_bucket: the width must be more than nothing";
  }
  if (__builtin_mul_overflow(std::int64_t{width.days}, kMicrosOfDay, &micros) ||
      __builtin_add_overflow(micros, width.micros, &micros)) {
    return "time_bucket: the width is too large";
  }
  return micros > 0 ? nullptr : "time_bucket: the width must be more than nothing";
}

// Infinities stay what they are.
bool is_infinite(std::int64_t t) { return t == INT64_MAX || t == -INT64_MAX; }

// The bucket of one time; an error is set if there is none.
bool find_bucket(duckdb_function_info info, const duckdb_interval& width, std::int64_t t,
                 Bucket& bucket) {
  std::int64_t micros = 0;
  const char* complaint = width_complaint(width, micros);
  if (complaint == nullptr) {
    const std::optional<Bucket> found =
        width.months != 0 ? months_bucket(width.months, t) : micros_bucket(micros, t);
    if (found) {
      bucket = *found;
      return true;
    }
    complaint = "time_bucket: the time is too far away";
  }
  duckdb_scalar_function_set_error(info, complaint);
  return false;
}

// Rows with a NULL have any bytes.
void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const duckdb_vector width_vector = duckdb_data_chunk_get_vector(input, 0);
  const duckdb_vector time_vector = duckdb_data_chunk_get_vector(input, 1);
  const auto* widths = static_cast<const duckdb_interval*>(duckdb_vector_get_data(width_vector));
  const auto* times = static_cast<const std::int64_t*>(duckdb_vector_get_data(time_vector));
  auto* out = static_cast<std::int64_t*>(duckdb_vector_get_data(output));
  std::uint64_t* const has_width = duckdb_vector_get_validity(width_vector);
  std::uint64_t* const has_time = duckdb_vector_get_validity(time_vector);
  const auto is_valid = [](std::uint64_t* validity, idx_t row) {
    return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
  };
  const idx_t count = duckdb_data_chunk_get_size(input);
  Bucket bucket;
  duckdb_interval width{};
  for (idx_t row = 0; row < count; ++row) {
    if (!is_valid(has_width, row) || !is_valid(has_time, row)) {
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
      continue;
    }
    const std::int64_t t = times[row];
    const bool is_same = std::memcmp(&widths[row], &width, sizeof(width)) == 0;
    if (!is_same || t < bucket.begin || t >= bucket.end) {
      if (is_infinite(t)) {
        out[row] = t;
        continue;
      }
      width = widths[row];
      if (!find_bucket(info, width, t, bucket)) return;
    }
    out[row] = bucket.begin;
  }
}

}  // namespace

Status replace_time_bucket(DuckConnection& connection) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type width = duckdb_create_logical_type(DUCKDB_TYPE_INTERVAL);
  duckdb_logical_type time = duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
  duckdb_scalar_function_set_name(function, "time_bucket");
  duckdb_scalar_function_add_parameter(function, width);
  duckdb_scalar_function_add_parameter(function, time);
  duckdb_scalar_function_set_return_type(function, time);
  duckdb_scalar_function_set_function(function, run);
  const duckdb_state state = duckdb_register_scalar_function(connection.raw(), function);
  duckdb_destroy_logical_type(&width);
  duckdb_destroy_logical_type(&time);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBSuccess) return {};
  return fail(ErrorCode::internal, "DuckDB does not take our time_bucket");
}

}  // namespace ficus::history
