#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/base/fd.h"
#include "wolke/base/hash.h"
#include "wolke/cli/output.h"
#include "wolke/cli/verbs.h"
#include "wolke/store/engines.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> disk_error(std::string sentence) {
  return fail({.code = "DiskError", .status = 500, .message = std::move(sentence)});
}

Result<std::string> digest_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Digest digest(HashKind::sha256);
  std::vector<char> piece(1 << 20);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    digest.update({piece.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (!file.eof()) return disk_error("cannot read " + path.string());
  return digest.finish();
}

/// On disk, and no longer in the page cache, so that what is compared is what the disk has.
Result<void> settle(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return disk_error("cannot sync " + path.string());
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

/// Every file of `from` is in `to`, byte for byte, and durable. Returns their bytes.
Result<std::uint64_t> verify(const fs::path& from, const fs::path& to) {
  std::uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    const fs::path copy = to / fs::relative(entry.path(), from);
    if (entry.is_symlink() || (!entry.is_regular_file() && !entry.is_directory())) continue;
    if (!fs::exists(copy)) continue;  // what a copy leaves out
    TRY(settle(copy));
    if (!entry.is_regular_file()) continue;
    TRY(std::string original, digest_of(entry.path()));
    TRY(std::string copied, digest_of(copy));
    if (original != copied) return disk_error(copy.string() + " differs from its original");
    bytes += entry.file_size();
  }
  return bytes;
}

/// The copy belongs to whom the data belonged: the server's own uid when root started it.
Result<void> give_to_owner(const fs::path& from, const fs::path& to) {
  struct stat owner{};
  if (::geteuid() != 0 || ::stat(from.c_str(), &owner) != 0) return {};
  std::vector<fs::path> paths = {to};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(to)) {
    paths.push_back(entry.path());
  }
  for (const fs::path& path : paths) {
    if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) {
      return disk_error("cannot change the owner of " + path.string());
    }
  }
  return {};
}

Result<void> check_paths(const std::string& from, const std::string& to) {
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return fail(
        {.code = "NotFound", .status = 404, .message = "there is no data directory " + from});
  }
  if (!fs::is_directory(from + "/store", error)) {
    return fail({.code = "NotFound",
                 .status = 404,
                 .message = fmt::format("{} is no data directory: no server kept its data there "
                                        "(--data-dir names it)",
                                        from)});
  }
  if (fs::exists(to, error)) {
    return fail({.code = "Usage", .status = 400, .message = to + " exists already"});
  }
  const fs::path inside = fs::weakly_canonical(to, error);
  const fs::path outside = fs::weakly_canonical(from, error);
  if (std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end()).first ==
      outside.end()) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = fmt::format("{} lies inside {}: a copy goes elsewhere", to, from)});
  }
  return {};
}

/// Holds the directory's lock while it copies, so that no server writes meanwhile. The copy gets
/// its name only when it is whole.
Result<std::uint64_t> copy_data(const std::string& from, const std::string& to) {
  TRY(check_paths(from, to));
  Result<std::unique_ptr<store::Store>> held = store::open_sqlite_store(
      system_env(),
      {.directory = from + "/store", .lock_note = fmt::format("pid {}, a backup", ::getpid())});
  if (!held) {
    Error error = held.error();
    if (error.code == "AlreadyRunning")
      error.message += "; stop it first, a backup is of a server that is stopped";
    return fail(std::move(error));
  }
  const std::string partial = to + ".partial";
  std::error_code error;
  fs::remove_all(partial, error);
  fs::copy(from, partial, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
  if (error) {
    const std::string why = error.message();
    fs::remove_all(partial, error);
    return disk_error(fmt::format("cannot copy to {}: {}", to, why));
  }
  fs::remove(partial + "/endpoint", error);  // nothing runs in the copy
  TRY(std::uint64_t bytes, verify(from, partial));
  TRY(give_to_owner(from, partial));
  fs::rename(partial, to, error);
  if (error) return disk_error(fmt::format("cannot make {}: {}", to, error.message()));
  TRY(settle(fs::absolute(to).lexically_normal().parent_path()));
  return bytes;
}

}  // namespace

int backup_verb(const std::string& data_dir, const std::string& to, bool json) {
  const std::string from = data_dir.empty() ? default_data_dir() : data_dir;
  std::string target = to;
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  Result<std::uint64_t> bytes = copy_data(from, target);
  if (!bytes) return report(bytes.error());
  if (json) {
    shape::Json out;
    out.set("Directory", target);
    out.set("Bytes", static_cast<std::int64_t>(*bytes));
    print_json(out);
  } else {
    print(fmt::format("{} → {}  {} bytes, compared; start from it with --data-dir {}", from, target,
                      *bytes, target));
  }
  return exit_ok;
}

}  // namespace wolke::cli
