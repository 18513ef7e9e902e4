#include "codec/ais/test_data.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace ficus::ais {

std::string test_data_folder() {
  const char* set = std::getenv("FICUS_TEST_DATA");
  if (set != nullptr && *set != '\0') return std::string(set) + "/ais";
  const auto root = std::filesystem::path(FICUS_SOURCE_DIR);
  return (root / "../shared/data/ais").lexically_normal().string();
}

std::vector<std::string> test_data_lines(const std::string& name) {
  const std::string path = test_data_folder() + "/" + name;
  if (!std::filesystem::exists(path)) return {};
  const bool is_packed = path.ends_with(".zst");
  std::FILE* file =
      is_packed ? popen(("zstd -dc '" + path + "'").c_str(), "r") : std::fopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  std::vector<std::string> lines;
  std::string line;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    if (c == '\n') {
      lines.push_back(std::move(line));
      line.clear();
    } else {
      line.push_back(static_cast<char>(c));
    }
  }
  if (!line.empty()) lines.push_back(line);
  const int result = is_packed ? pclose(file) : std::fclose(file);
  return result == 0 ? lines : std::vector<std::string>{};
}

}  // namespace ficus::ais
