#pragma once

#include <string>

#include "base/random.h"

namespace ficus::rules::testing {

// Writes random expressions of the language over columns a, b (numbers), s, t (texts), p, q
// (booleans), w, z (times): correct in kind, and free of what fails at run time. For tests only.
class RandomExpression {
 public:
  explicit RandomExpression(Random& random) : random_(random) {}

  std::string any(int depth) {
    switch (random_.below(8)) {
      case 0:
        return text(depth);
      case 1:
        return number(depth);
      case 2:
        return time(depth);
      case 3:
        return integer(depth);
      default:
        return boolean(depth);
    }
  }

  std::string boolean(int depth) {
    if (depth <= 0) return pick({"p", "q", "true", "false", "a > 1", "s = 'a'", "b IS NULL"});
    const int d = depth - 1;
    switch (random_.below(16)) {
      case 0:
        return wrap(boolean(d) + " AND " + boolean(d));
      case 1:
        return wrap(boolean(d) + " OR " + boolean(d));
      case 2:
        return wrap("NOT " + boolean(d));
      case 3:
        return boolean(d) + " AND " + boolean(d) + " AND " + boolean(d);
      case 4:
        return boolean(d) + " OR NOT " + boolean(d);
      case 5:
        return wrap(number(d) + comparison() + number(d));
      case 6:
        return wrap(text(d) + comparison() + text(d));
      case 7:
        return wrap(time(d) + comparison() + time(d));
      case 8:
        return wrap(wrap(boolean(d)) + comparison() + wrap(boolean(d)));
      case 9:
        return wrap(number(d) + maybe_not() + " BETWEEN " + number(d) + " AND " + number(d));
      case 10:
        return wrap(number(d) + maybe_not() + " IN (" + number(d) + ", " + number(0) + ", NULL)");
      case 11:
        return wrap(text(d) + maybe_not() + " IN ('a', " + text(0) + ")");
      case 12:
        return wrap(text(d) + maybe_not() + pick({" LIKE ", " ILIKE "}) + pattern());
      case 13:
        return wrap(wrap(boolean(d)) + " IS" + maybe_not() + pick({" NULL", " TRUE", " FALSE"}));
      case 14:
        return wrap(number(d) + " IS" + maybe_not() + " DISTINCT FROM " + number(d));
      default:
        return pick({"starts_with(", "ends_with(", "contains("}) + text(d) + ", " + text(0) + ")";
    }
  }

  std::string number(int depth) {
    if (depth <= 0) return pick({"a", "b", "a", "b", "0", "1", "2.5e0", "-3", "1e3", "40"});
    const int d = depth - 1;
    switch (random_.below(12)) {
      case 0:
      case 1:
        return wrap(number(d) + pick({" + ", " - ", " * ", " / ", " // ", " % "}) + number(d));
      case 2:
        return number(d) + pick({" + ", " * "}) + number(d);
      case 3:
        return pick({"abs(", "round(", "floor(", "ceil("}) + real(d) + ")";
      case 4:
        return "round(" + real(d) + pick({", 2)", ", 0)", ", -1)"});
      case 5:
        return "sqrt(abs(" + real(d) + "))";
      case 6:
        return pick({"COALESCE(", "LEAST(", "GREATEST("}) + number(d) + ", " + number(d) + ")";
      case 7:
        return "CASE WHEN " + boolean(d) + " THEN " + number(d) + " ELSE " + number(d) + " END";
      case 8:
        return "NULLIF(" + number(d) + ", " + number(0) + ")";
      case 9:
        return "TRY_CAST(" + text(d) + " AS DOUBLE)";
      case 10:
        return wrap("-" + wrap(number(d)));
      default:
        return integer(d);
    }
  }

  std::string integer(int depth) {
    if (depth <= 0) return pick({"1", "2", "7", "-3", "length(s)", "length(t)"});
    const int d = depth - 1;
    switch (random_.below(4)) {
      case 0:
        return wrap(integer(d) + pick({" + ", " - ", " * ", " // ", " % "}) + integer(d));
      case 1:
        return "length(" + text(d) + ")";
      case 2:
        return "CASE WHEN " + boolean(d) + " THEN " + integer(d) + " ELSE " + integer(0) + " END";
      default:
        return "abs(" + integer(d) + ")";
    }
  }

  std::string text(int depth) {
    if (depth <= 0) return pick({"s", "t", "s", "t", "'a'", "'福州'", "''", "' x '", "'1e2'"});
    const int d = depth - 1;
    switch (random_.below(9)) {
      case 0:
        return wrap(text(d) + " || " + text(d));
      case 1:
        return wrap(text(d) + " || " + wrap(any(0)));
      case 2:
        return pick({"lower(", "upper(", "trim(", "ltrim(", "rtrim("}) + text(d) + ")";
      case 3:
        // The column keeps DuckDB off its short cut for texts that are known to be ASCII, which
        // treats positions beyond the end differently from its general path.
        return "substring(" + text(d) + " || t, " + integer(0) + ", " + integer(0) + ")";
      case 4:
        return "substring(" + text(d) + " || s, " + integer(d) + ")";
      case 5:
        return "CASE WHEN " + boolean(d) + " THEN " + text(d) + " END";
      case 6:
        return pick({"COALESCE(", "LEAST(", "GREATEST("}) + text(d) + ", " + text(d) + ")";
      case 7:
        // Not of computed numbers: the sign of a NaN, which DuckDB prints, is up to the compiler.
        return "CAST(" + (random_.chance(0.5) ? number(0) : integer(d)) + " AS VARCHAR)";
      default:
        return pick({"trim(", "ltrim(", "rtrim("}) + text(d) + ", " + text(0) + ")";
    }
  }

  std::string time(int depth) {
    if (depth <= 0) {
      return pick(
          {"w", "z", "observedAt", "TIMESTAMP '2026-01-01 00:00:00'", "CAST(NULL AS TIMESTAMP)"});
    }
    const int d = depth - 1;
    switch (random_.below(4)) {
      case 0:
        return wrap(time(d) + pick({" + ", " - "}) + interval());
      case 1:
        return "COALESCE(" + time(d) + ", " + time(d) + ")";
      case 2:
        return "CASE WHEN " + boolean(d) + " THEN " + time(d) + " ELSE " + time(0) + " END";
      default:
        return wrap(time(d) + " + (" + time(0) + " - " + time(0) + ")");
    }
  }

 private:
  // A DOUBLE, for functions that exist for other kinds of numbers too.
  std::string real(int depth) { return "CAST(" + wrap(number(depth)) + " AS DOUBLE)"; }
  std::string interval() {
    return pick(
        {"INTERVAL '10 seconds'", "INTERVAL '1 day'", "INTERVAL '90 minutes'", "INTERVAL '1 ms'"});
  }
  std::string comparison() { return pick({" = ", " <> ", " < ", " <= ", " > ", " >= "}); }
  std::string maybe_not() { return random_.chance(0.4) ? " NOT" : ""; }
  std::string pattern() {
    return pick({"'a%'", "'%'", "'_'", "'%A%'", "'%b_'", "''", "t", "'福%'"});
  }
  static std::string wrap(const std::string& inner) { return "(" + inner + ")"; }
  std::string pick(std::initializer_list<const char*> choices) {
    return choices.begin()[random_.below(choices.size())];
  }

  Random& random_;
};

}  // namespace ficus::rules::testing
