#include "wolke/services/lambda/merge.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "wolke/base/hash.h"

namespace wolke::lambda {
namespace {

namespace fs = std::filesystem;

Error disk_error(const char* what, const std::error_code& error) {
  return {
      .code = "DiskError", .status = 500, .message = std::string(what) + ": " + error.message()};
}

/// A directory there, whatever an earlier package had in its place: no link is ever followed.
Result<void> make_directory(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (fs::is_directory(status)) return {};
  if (fs::exists(status)) fs::remove(path, error);
  if (!fs::create_directory(path, error)) return fail(disk_error("making a directory", error));
  fs::permissions(path, fs::perms(0755), error);
  if (error) return fail(disk_error("setting a directory's mode", error));
  return {};
}

Result<void> link_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(to, error))) fs::remove_all(to, error);
  // A symbolic link itself is linked, not what it names.
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  return fail(disk_error("linking a file", std::error_code(errno, std::generic_category())));
}

Result<void> link_tree(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::directory_iterator entries(from, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path target = to / entries->path().filename();
    if (!fs::is_directory(entries->symlink_status(error))) {
      TRY(link_file(entries->path(), target));
      continue;
    }
    TRY(make_directory(target));
    TRY(link_tree(entries->path(), target));
  }
  if (error) return fail(disk_error("reading a package", error));
  return {};
}

}  // namespace

std::string merged_name(const std::vector<std::string>& digests) {
  std::string all = "merged";
  for (const std::string& digest : digests) all += '\n' + digest;
  return to_hex(sha256(all));
}

Result<std::string> merge(Packages& packages, const std::vector<std::string>& digests) {
  const std::string name = merged_name(digests);
  std::string path = packages.path_of(name);
  if (packages.present(name)) return path;
  // A thread merges one at a time; what a dead process left is removed with its other leftovers.
  const fs::path staging = packages.path_of(fmt::format(".staging-merge-{}-{}", name, ::gettid()));
  std::error_code error;
  fs::remove_all(staging, error);
  TRY(make_directory(staging));
  for (const std::string& digest : digests) {
    TRY(link_tree(packages.path_of(digest), staging));
  }
  // Nothing needs to be synced: what a crash takes is made again from the packages.
  fs::rename(staging, path, error);
  if (!error || packages.present(name)) {
    fs::remove_all(staging, error);
    return path;
  }
  return fail(disk_error("publishing merged layers", error));
}

}  // namespace wolke::lambda
