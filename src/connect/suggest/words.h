#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ficus::connect::suggest {

// The words of a name, in lower case: "windSpeed_avg" -> wind, speed, avg; "PM2.5" -> pm25;
// well-known Chinese names become the English word they mean: "经度" -> longitude.
std::vector<std::string> words_of(std::string_view name);
bool has_word(const std::vector<std::string>& words, std::string_view word);

// The name as an attribute's: "windSpeedAvg"; "" if nothing of it can be one.
std::string attribute_name(std::string_view name);
// The name as a type's: "parking_lots" -> "ParkingLot"; "" if nothing of it can be one.
std::string type_name(std::string_view name);

}  // namespace ficus::connect::suggest
