# Writes OUTPUT, a C++ file that holds every file below PAGE_DIR: the bytes are put in by the assembler (.incbin),
# so that they cost no compile time. Run as a script: cmake -DPAGE_DIR=... -DOUTPUT=... -P EmbedPage.cmake
file(GLOB_RECURSE files RELATIVE ${PAGE_DIR} ${PAGE_DIR}/*)
list(SORT files)
set(data "")
set(declarations "")
set(entries "")
set(number 0)
foreach(file IN LISTS files)
  # The digest makes a compiler cache notice that the content has changed.
  file(SHA256 ${PAGE_DIR}/${file} digest)
  string(APPEND data
    "// ${file}: ${digest}\n"
    "asm(\".section .rodata\\n.global ficus_page_${number}\\nficus_page_${number}:\\n\"\n"
    "    \".incbin \\\"${PAGE_DIR}/${file}\\\"\\n.global ficus_page_${number}_end\\nficus_page_${number}_end:\\n.byte 0\\n.text\\n\");\n")
  string(APPEND declarations
    "extern \"C\" const char ficus_page_${number}[];\nextern \"C\" const char ficus_page_${number}_end[];\n")
  string(APPEND entries
    "      {\"/${file}\", {ficus_page_${number}, static_cast<std::size_t>(ficus_page_${number}_end - ficus_page_${number})}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(CONCAT text "// Made by cmake/EmbedPage.cmake from web/dist.\n#include <vector>\n\n#include \"api/page_files.h\"\n\n${data}\n${declarations}\n"
  "namespace ficus::api {\n\nstd::span<const PageFile> page_files() {\n  static const std::vector<PageFile> files{\n${entries}  };\n  return files;\n}\n\n}  // namespace ficus::api\n")
file(WRITE ${OUTPUT} "${text}")
