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

// At start and after reopening: files of ours in the types' folders that the catalog does not name.
// Their rows are in a tail or other files (the view was not flipped), or their time was over.
Status remove_orphans(Disk& disk, const Catalog& catalog, MaintenanceReport& report);

// While running, when something unreadable was met: compares every file with its checksum, one a
// step; then makes every view anew, one a step, since one that names a file that has gone could
// perhaps not be replaced before another had gone, too.
class FileCheck {
 public:
  explicit FileCheck(const Catalog& catalog);
  bool is_done() const { return next_ == files_.size() + types_.size(); }
  // REQUIRES: not done. After a failure the next step goes on with the next file or view.
  Status step(DuckConnection& connection, Disk& disk, Catalog& catalog, MaintenanceReport& report);

 private:
  Status check_file(DuckConnection& connection, Disk& disk, Catalog& catalog,
                    const std::string& type, const std::string& name, MaintenanceReport& report);

  std::vector<std::pair<std::string, std::string>> files_;  // type, file
  std::vector<std::string> types_;
  std::size_t next_ = 0;
};

}  // namespace ficus::history
