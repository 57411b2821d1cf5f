#include "wolke/store/durable_directory.h"

namespace wolke::store {

namespace {

std::string parent_of(const std::string& directory) {
  const std::size_t slash = directory.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

}  // namespace

Result<void> make_durable_directory(Disk& disk, const std::string& directory) {
  TRY(disk.make_directory(directory));
  std::string parent = parent_of(directory);
  TRY(disk.sync_directory(parent));
  while (parent != "/" && parent != ".") {
    parent = parent_of(parent);
    (void)disk.sync_directory(parent);
  }
  return {};
}

}  // namespace wolke::store
