// The first byte chooses the delimiter and how the rest is cut into pieces; the records must be the
// same as of the whole, and every byte must be accounted for. Each cell is decoded as GB18030.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/csv/csv_json.h"
#include "codec/csv/csv_splitter.h"
#include "codec/csv/text_encoding.h"
#include "codec/json/json_reader.h"

namespace {

using namespace ficus;

std::string split(std::string_view text, std::size_t piece, char delimiter) {
  csv::CsvSplitter splitter(delimiter);
  const std::size_t size = text.size();
  std::string out;
  while (true) {
    switch (splitter.next()) {
      case csv::CsvSplitter::Step::needs_more:
        if (text.empty()) splitter.finish();
        splitter.feed(text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
        break;
      case csv::CsvSplitter::Step::record:
        csv::append_json(splitter.cells(), splitter.cells(), out);
        out += std::to_string(splitter.position()) + "\n";
        break;
      case csv::CsvSplitter::Step::damaged:
        out += "!" + std::to_string(splitter.position()) + "\n";
        break;
      case csv::CsvSplitter::Step::end:
        if (splitter.position() != size) std::abort();
        return out;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const char delimiter = ",;\t|"[data[0] & 3U];
  if (split(text, 1 + (data[0] >> 2U), delimiter) != split(text, size, delimiter)) std::abort();
  static auto decoder = csv::TextDecoder::open(csv::TextEncoding::gb18030);
  if (!decoder) return 0;
  std::string decoded(text);
  (void)decoder->decode(decoded);
  return 0;
}
