#pragma once

#include <span>
#include <string_view>

namespace ficus {

// The name that `wrong` was probably meant to be: the nearest of `names` by edits (insert, delete,
// replace or swap of letters; upper and lower case are the same), or empty if none is near enough.
// For "did you mean" in messages.
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names);

}  // namespace ficus
