#pragma once

#include <string>
#include <vector>

// For the tests of this folder only: the recorded data beside the repository.

namespace ficus::ais {

// The folder "ais" of the test data: $FICUS_TEST_DATA, else shared/data beside the source tree.
std::string test_data_folder();

// The lines of a file of that folder without their line ends, unpacked if its name ends in ".zst"
// (by the program zstd). Empty if it cannot be read.
std::vector<std::string> test_data_lines(const std::string& name);

}  // namespace ficus::ais

// Leaves the present test, saying why, where the data is not installed.
#define FICUS_AIS_NEED_DATA(lines, name)                                     \
  if ((lines).empty())                                                       \
  GTEST_SKIP() << "no " << ::ficus::ais::test_data_folder() << "/" << (name) \
               << " (set FICUS_TEST_DATA; packed files need the program zstd)"
