#include "connect/suggest/words.h"

#include <algorithm>
#include <utility>

namespace ficus::connect::suggest {
namespace {

// Names that Chinese systems give to common things. Longer ones first: 风速 before 速度 would not
// matter, but 采集时间 must not end as 时间 alone.
constexpr std::pair<std::string_view, std::string_view> kChinese[] = {
    {"采集时间", "time"},
    {"监测时间", "time"},
    {"上报时间", "time"},
    {"更新时间", "time"},
    {"时间", "time"},
    {"日期", "date"},
    {"经度", "longitude"},
    {"纬度", "latitude"},
    {"坐标", "location"},
    {"位置", "location"},
    {"设备编号", "device id"},
    {"站点编号", "station id"},
    {"编号", "id"},
    {"编码", "code"},
    {"车牌号", "plate"},
    {"车牌", "plate"},
    {"站点", "station"},
    {"站名", "station name"},
    {"名称", "name"},
    {"地址", "address"},
    {"类型", "kind"},
    {"状态", "status"},
    {"风速", "wind speed"},
    {"风向", "wind direction"},
    {"速度", "speed"},
    {"方向", "heading"},
    {"温度", "temperature"},
    {"气温", "temperature"},
    {"水温", "water temperature"},
    {"湿度", "humidity"},
    {"气压", "pressure"},
    {"压力", "pressure"},
    {"水位", "water level"},
    {"液位", "level"},
    {"流量", "flow"},
    {"雨量", "rain"},
    {"降雨量", "rain"},
    {"噪声", "noise"},
    {"电压", "voltage"},
    {"电流", "current"},
    {"功率", "power"},
    {"电量", "energy"},
    {"里程", "mileage"},
    {"油量", "fuel"},
    {"高德", "amap"},
    {"百度", "baidu"},
    {"容量", "capacity"},
    {"总车位", "capacity"},
    {"剩余车位", "free"},
    {"浓度", "concentration"},
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

std::string without_chinese(std::string_view name) {
  std::string out(name);
  for (const auto& [chinese, english] : kChinese) {
    for (std::size_t at = out.find(chinese); at != std::string::npos; at = out.find(chinese)) {
      out.replace(at, chinese.size(), " " + std::string(english) + " ");
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> words_of(std::string_view given) {
  const std::string name = without_chinese(given);
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    // "PM2.5" is one word.
    const bool is_decimal_point =
        c == '.' && i > 0 && is_digit(name[i - 1]) && i + 1 < name.size() && is_digit(name[i + 1]);
    if (is_decimal_point) continue;
    const bool begins = is_upper(c) && i > 0 &&
                        (is_lower(name[i - 1]) ||
                         (is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1])));
    if (begins && !words.back().empty()) words.emplace_back();
    if (is_upper(c) || is_lower(c) || is_digit(c)) {
      words.back() += lower(c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  std::erase(words, std::string());
  return words;
}

bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string attribute_name(std::string_view name) {
  std::string out;
  for (const std::string& word : words_of(name)) {
    if (out.empty() && is_digit(word[0])) out = "n";
    std::string next = word;
    if (!out.empty()) next[0] = upper(next[0]);
    out += next;
  }
  if (out.size() > 60) out.resize(60);
  return out;
}

std::string type_name(std::string_view name) {
  std::string out;
  for (std::string word : words_of(name)) {
    if (out.empty() && is_digit(word[0])) continue;
    word[0] = upper(word[0]);
    out += word;
  }
  if (out.size() > 3 && out.ends_with("ies")) {
    out.replace(out.size() - 3, 3, "y");
  } else if (out.size() > 2 && out.ends_with('s') && !out.ends_with("ss") && !out.ends_with("us")) {
    out.pop_back();
  }
  if (out.size() > 60) out.resize(60);
  return out;
}

}  // namespace ficus::connect::suggest
