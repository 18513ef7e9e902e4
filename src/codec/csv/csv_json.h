#pragma once

#include <span>
#include <string>

namespace ficus::csv {

// Appends the record as one JSON object: a number if the cell is wholly a number as JSON writes
// one and a double holds it, null if it is empty, else a text. So "007" and an identity number of
// eighteen digits stay the texts they are. Cells beyond the columns are left out.
void append_json(std::span<const std::string> columns, std::span<const std::string> cells,
                 std::string& out);

}  // namespace ficus::csv
