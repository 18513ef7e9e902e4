# One function makes a module: `ficus_module(twin DEPS model)` compiles every *.cc of the folder into
# the library ficus_twin, and every *_test.cc into the test program twin_test (run by ctest).
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(FICUS_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(FICUS_TESTS "Build the tests" ON)
option(FICUS_SYSTEM_TESTS "Run the whole-system tests with ctest" OFF)
option(FICUS_BENCH "Build the micro benchmarks" OFF)
option(FICUS_PLANTED_BUGS "Build bugs in that tests/sim/prove lets the simulation find" OFF)
set(FICUS_SANITIZE "" CACHE STRING "Sanitizers for every target, such as address,undefined")

find_program(FICUS_CCACHE ccache)
if(FICUS_CCACHE)
  # Objects are shared between checkouts: paths inside them are relative to the source folder.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
                                  CCACHE_NOHASHDIR=1 ${FICUS_CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wno-sign-conversion
                    -Wnon-virtual-dtor -Wold-style-cast)
# Library assertions stay on in every build: an overrun in a parser becomes a clean stop.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely in libstdc++ (GCC bugs 105329, 105593, 107852).
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(FICUS_PLANTED_BUGS)
  add_compile_definitions(FICUS_PLANTED_BUGS)
endif()
if(FICUS_SANITIZE)
  add_compile_options(-fsanitize=${FICUS_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FICUS_SANITIZE})
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(FICUS_FUZZ)
  # Every module reports its coverage to the fuzzers.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
if(FICUS_TESTS)
  find_package(GTest REQUIRED)
endif()

function(ficus_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE;SUBDIRS" ${ARGN})
  set(globs "*.cc")
  set(headers_glob "*.h")
  foreach(dir IN LISTS ARG_SUBDIRS)
    list(APPEND globs "${dir}/*.cc")
    list(APPEND headers_glob "${dir}/*.h")
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${globs})
  file(GLOB headers CONFIGURE_DEPENDS ${headers_glob})
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(ficus_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(ficus_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(ficus_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src
                 FILES ${headers})
  set_target_properties(ficus_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(ficus_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPS PREPEND ficus_)
  target_link_libraries(ficus_${name} ${scope} ${ARG_DEPS})
  if(sources)
    target_link_libraries(ficus_${name} PRIVATE ${ARG_PRIVATE})
  endif()
  if(tests AND FICUS_TESTS)
    add_executable(${name}_test ${tests})
    # A test that includes a library of the module's own must see it with the same definitions.
    target_link_libraries(${name}_test PRIVATE ficus_${name} ${ARG_PRIVATE} GTest::gtest_main
                          Threads::Threads)
    add_test(NAME ${name} COMMAND ${name}_test)
    # DuckDB is not built with the thread sanitizer: what it does inside must not be reported.
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/src/history/tsan.supp")
  endif()
endfunction()
