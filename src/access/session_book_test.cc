#include "access/session_book.h"

#include <gtest/gtest.h>

namespace ficus::access {
namespace {

PrincipalPtr somebody(std::string name) {
  return std::make_shared<const Principal>(std::move(name), "", Rights{}, 0);
}

Digest secret(int number) { return sha256(std::to_string(number)); }

TEST(SessionBook, NobodyPushesOthersOut) {
  SessionBook book({.sessions_max = 10, .sessions_per_user_max = 3});
  const std::string other = book.start(somebody("li"), secret(0), Micros{1});
  std::string first;
  std::string last;
  for (int i = 1; i <= 20; ++i) {
    last = book.start(somebody("wang"), secret(i), Micros{1 + i});
    if (i == 1) first = last;
  }
  EXPECT_EQ(book.size(), 4U);
  EXPECT_NE(book.find(other, Micros{30}), nullptr);
  EXPECT_NE(book.find(last, Micros{30}), nullptr);
  EXPECT_EQ(book.find(first, Micros{30}), nullptr);
}

TEST(SessionBook, ALoginLooksThroughNoOtherSessions) {
  SessionBook book({.sessions_per_user_max = 3});
  std::string cookie;
  for (int i = 0; i < 1000; ++i) {
    cookie = book.start(somebody(std::to_string(i / 3)), secret(i), Micros{i});
  }
  EXPECT_EQ(book.walks(), 0U);
  // What has ended is not counted any more, however it ended.
  EXPECT_TRUE(book.end(cookie));
  EXPECT_FALSE(book.end(cookie));
  book.start(somebody("333"), secret(2000), Micros{2000});
  book.start(somebody("333"), secret(2001), Micros{2000});
  book.start(somebody("333"), secret(2002), Micros{2000});
  EXPECT_EQ(book.walks(), 0U);
  book.start(somebody("333"), secret(2003), Micros{2000});
  EXPECT_EQ(book.walks(), 1U);
  book.sweep(Micros::from_hours(13));
  EXPECT_EQ(book.size(), 0U);
  book.start(somebody("333"), secret(2004), Micros::from_hours(13));
  EXPECT_EQ(book.walks(), 1U);
}

TEST(SessionBook, AtTheLimitOfAllTheLongestIdleGoes) {
  SessionBook book({.sessions_max = 2});
  const std::string a = book.start(somebody("a"), secret(1), Micros{1});
  const std::string b = book.start(somebody("b"), secret(2), Micros{2});
  EXPECT_NE(book.find(a, Micros{3}), nullptr);
  const std::string c = book.start(somebody("c"), secret(3), Micros{4});
  EXPECT_EQ(book.find(b, Micros{5}), nullptr);
  EXPECT_NE(book.find(a, Micros{5}), nullptr);
  EXPECT_NE(book.find(c, Micros{5}), nullptr);
}

}  // namespace
}  // namespace ficus::access
