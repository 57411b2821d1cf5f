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
  std::string first_existing = directory;
  while (first_existing != "/" && first_existing != ".") {
    TRY(const bool exists, disk.exists(first_existing));
    if (exists) break;
    first_existing = parent_of(first_existing);
  }
  TRY(disk.make_directory(directory));
  bool ours = true;  // we made something in it just now, or it is the directory's own parent
  for (std::string path = directory; path != "/" && path != ".";) {
    ours = ours && (path == directory || path.size() > first_existing.size());
    path = parent_of(path);
    auto synced = disk.sync_directory(path);
    if (!synced && ours) return synced;
  }
  return {};
}

}  // namespace wolke::store
