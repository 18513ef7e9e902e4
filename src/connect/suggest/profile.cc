#include "connect/suggest/profile.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "codec/json/json_writer.h"

namespace ficus::connect::suggest {

using json::JsonKind;

bool read_decimal(std::string_view text, double& value, int& decimals) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return false;
  }
  const std::size_t point = text.find('.');
  const std::size_t exponent = std::min(text.find_first_of("eE"), text.size());
  decimals = point == std::string_view::npos ? 0 : static_cast<int>(exponent - point - 1);
  return true;
}

const Profile* Profile::member(std::string_view name) const {
  const auto found = members.find(name);
  return found == members.end() ? nullptr : found->second.get();
}

void Profile::keep(std::string text, std::size_t limit) {
  if (text.size() > kTextBytesMax) {
    has_more_distinct = true;
    return;
  }
  const auto found = distinct.find(text);
  if (found != distinct.end()) {
    ++found->second;
  } else if (distinct.size() < limit) {
    distinct.emplace(std::move(text), 1);
  } else {
    has_more_distinct = true;
  }
}

void Profile::add_number(double value) {
  min = std::min(min, value);
  max = std::max(max, value);
  if (value == last + 1) ++rising;
  last = value;
}

void Profile::add_text(std::string_view text) {
  ++texts;
  double value = 0;
  int places = 0;
  const bool is_number = read_decimal(text, value, places);
  if (is_number) {
    ++numeric_texts;
    decimals = std::max(decimals, places);
    add_number(value);
  }
  keep(std::string(text), is_number ? kDistinctMax : kDistinctWordsMax);
}

void Profile::add_array(json::JsonValue value, int depth) {
  ++arrays;
  if (elements == nullptr) elements = std::make_unique<Profile>();
  std::size_t length = 0;
  double pair[2] = {0, 0};
  std::size_t pair_numbers = 0;
  for (json::JsonItems items(value); items.next(); ++length) {
    if (length < 2 && items.value().kind() == JsonKind::number) {
      pair[length] = items.value().as_number();
      ++pair_numbers;
    }
    elements->add(items.value(), depth + 1);
  }
  element_count += length;
  length_min = std::min(length_min, length);
  length_max = std::max(length_max, length);
  if (pair_numbers == 2 && length <= 3) {
    if (pairs == 0) {
      first_min = first_max = pair[0];
      second_min = second_max = pair[1];
    }
    ++pairs;
    first_min = std::min(first_min, pair[0]);
    first_max = std::max(first_max, pair[0]);
    second_min = std::min(second_min, pair[1]);
    second_max = std::max(second_max, pair[1]);
  }
}

void Profile::add_object(json::JsonValue value, int depth) {
  ++objects;
  for (json::JsonItems items(value); items.next();) {
    const auto found = members.find(items.key());
    if (found != members.end()) {
      found->second->add(items.value(), depth + 1);
    } else if (members.size() < kMembersMax) {
      names.emplace_back(items.key());
      auto child = std::make_unique<Profile>();
      child->add(items.value(), depth + 1);
      members.emplace(std::string(items.key()), std::move(child));
    } else {
      ++members_dropped;
    }
  }
}

void Profile::add(json::JsonValue value, int depth) {
  ++seen;
  if (depth > kDepthMax) return;
  switch (value.kind()) {
    case JsonKind::missing:
    case JsonKind::null:
      ++nulls;
      return;
    case JsonKind::boolean:
      ++booleans;
      return keep(value.as_boolean() ? "true" : "false", kDistinctWordsMax);
    case JsonKind::number: {
      ++numbers;
      std::string text;
      if (const auto integer = value.as_integer()) {
        ++integers;
        text = std::to_string(*integer);
      } else {
        json::append_number(value.as_number(), text);
      }
      double same = 0;
      int places = 0;
      if (read_decimal(text, same, places)) decimals = std::max(decimals, places);
      add_number(value.as_number());
      return keep(std::move(text), kDistinctMax);
    }
    case JsonKind::text:
      return add_text(value.as_text());
    case JsonKind::array:
      return add_array(value, depth);
    case JsonKind::object:
      return add_object(value, depth);
  }
}

}  // namespace ficus::connect::suggest
