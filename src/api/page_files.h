#pragma once

#include <span>
#include <string_view>

namespace ficus::api {

// One file of the built page (web/dist), embedded in the binary.
struct PageFile {
  std::string_view path;  // "/index.html"
  std::string_view content;
};

// All of them; empty if the binary was built without the page.
std::span<const PageFile> page_files();

const PageFile* find_page_file(std::string_view path);
std::string_view content_type_of(std::string_view path);

}  // namespace ficus::api
