#include "history/bounded_replace.h"

#include <duckdb.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ficus::history {
namespace {

constexpr std::size_t kChunkBytesMax = std::size_t{64} << 20;

// False if `out` would have more than `bytes_max`.
bool replace_all(std::string_view text, std::string_view wanted, std::string_view with,
                 std::size_t bytes_max, std::string& out) {
  out.clear();
  if (wanted.empty()) {
    out = text;
    return out.size() <= bytes_max;
  }
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(wanted, at);
    if (found == std::string_view::npos) {
      out += text.substr(at);
      return out.size() <= bytes_max;
    }
    out.append(text.substr(at, found - at)).append(with);
    if (out.size() > bytes_max) return false;
    at = found + wanted.size();
  }
}

void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  std::array<duckdb_string_t*, 3> texts{};
  std::array<std::uint64_t*, 3> valid{};
  for (idx_t i = 0; i < texts.size(); ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
    texts[i] = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    valid[i] = duckdb_vector_get_validity(vector);
  }
  const auto text = [&](std::size_t i, idx_t row) {
    return std::string_view(duckdb_string_t_data(&texts[i][row]),
                            duckdb_string_t_length(texts[i][row]));
  };
  const auto is_null = [&](idx_t row) {
    for (std::uint64_t* const mask : valid) {
      if (mask != nullptr && !duckdb_validity_row_is_valid(mask, row)) return true;
    }
    return false;
  };
  const idx_t count = duckdb_data_chunk_get_size(input);
  std::size_t left = kChunkBytesMax;
  std::string answer;
  for (idx_t row = 0; row < count; ++row) {
    if (is_null(row)) {
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
      continue;
    }
    if (!replace_all(text(0, row), text(1, row), text(2, row), left, answer)) {
      duckdb_scalar_function_set_error(
          info, "replace: the texts would become larger than 64 MiB; narrow the query");
      return;
    }
    left -= answer.size();
    duckdb_vector_assign_string_element_len(output, row, answer.data(), answer.size());
  }
}

}  // namespace

Status bound_replace(DuckConnection& connection) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_scalar_function_set_name(function, "replace");
  for (int i = 0; i < 3; ++i) duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_set_return_type(function, text);
  duckdb_scalar_function_set_function(function, run);
  const duckdb_state state = duckdb_register_scalar_function(connection.raw(), function);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBSuccess) return {};
  return fail(ErrorCode::internal, "DuckDB does not take our replace");
}

}  // namespace ficus::history
