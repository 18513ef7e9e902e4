# Where third-party libraries are found. Each is used by exactly one module of ours (docs/DEPENDENCIES.md).
include_guard(GLOBAL)

find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)

# DuckDB comes from npm, put under third_party/duckdb by scripts/install.
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${CMAKE_SOURCE_DIR}/third_party/duckdb/lib/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}/third_party/duckdb/include)
if(NOT EXISTS ${CMAKE_SOURCE_DIR}/third_party/duckdb/lib/libduckdb.so)
  message(FATAL_ERROR "third_party/duckdb is missing: run scripts/install first")
endif()
