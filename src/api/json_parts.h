#pragma once

#include <cstdint>

#include "codec/json/json_writer.h"
#include "model/label.h"

namespace ficus::api {

// {"label":{"zh":...,"en":...}} as a member of the object being written.
inline void write_label(const Label& label, json::JsonWriter& json) {
  json.key("label").begin_object().key("zh").text(label.zh).key("en").text(label.en).end_object();
}

inline std::int64_t signed_count(std::uint64_t v) { return static_cast<std::int64_t>(v); }

}  // namespace ficus::api
