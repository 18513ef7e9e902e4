#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::access {

// Changes the text of a users.yaml by whole entries, so that comments and order stay as they are.
// Works on lists in block style ("- name: ..."); anything else is refused with what to do by hand.
// The result must be parsed before it is believed.

// Appends an entry to the list under `section` ("users" or "tokens"), which is made if missing.
// `lines`: "name: wang", "roles: [operator]"; the first gets the dash.
Result<std::string> add_entry(std::string_view text, std::string_view section,
                              const std::vector<std::string>& lines);

// Takes the entry with that name out; not_found if there is none.
Result<std::string> remove_entry(std::string_view text, std::string_view section,
                                 std::string_view name);

// A text as a double-quoted YAML scalar.
std::string yaml_quoted(std::string_view text);

}  // namespace ficus::access
