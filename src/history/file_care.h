#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "history/catalog.h"
#include "history/duck.h"
#include "history/history.h"

namespace ficus::history {

// Moves a file to damaged/ and names it in the report. It moves first: if the process ends before
// the catalog forgets it, it is missing at the next start and leaves the catalog then.
Status move_aside(Disk& disk, const std::string& directory, const std::string& file,
                  const std::string& complaint, MaintenanceReport& report);

// At start, before the views are rebuilt: every file in the catalog must be there, have its size
// and a readable footer. One that has not is moved to damaged/ and leaves the catalog.
Status set_damaged_aside(DuckConnection& connection, Disk& disk, Catalog& catalog,
                         MaintenanceReport& report);

// At start: files of ours in the types' folders that the catalog does not name. Their rows are in a
// tail (the crash came before the view flipped), or their time was over.
Status remove_orphans(Disk& disk, const Catalog& catalog, MaintenanceReport& report);

// While running, when a query has met something unreadable: compares every file with its checksum,
// one a step.
class FileCheck {
 public:
  explicit FileCheck(const Catalog& catalog);
  // True when all are done.
  Result<bool> step(DuckConnection& connection, Disk& disk, Catalog& catalog,
                    MaintenanceReport& report);

 private:
  std::vector<std::pair<std::string, std::string>> files_;  // type, file
  std::size_t next_ = 0;
};

}  // namespace ficus::history
