#include "base/errno_text.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ficus {
namespace {

TEST(ErrnoText, SaysWhatANumberMeans) {
  EXPECT_EQ(errno_text(ENOENT), "No such file or directory");
  EXPECT_EQ(errno_text(123'456), "error 123456");
}

}  // namespace
}  // namespace ficus
