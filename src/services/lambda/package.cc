#include "wolke/services/lambda/package.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "wolke/base/fd.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/zip.h"

namespace wolke::lambda {
namespace {

constexpr std::string_view staging_prefix = ".staging-";

Error disk_error(const char* what) {
  const int number = errno;
  if (number == ENOSPC || number == EDQUOT) {
    return {.code = "DiskFull", .status = 500, .message = "no space left for deployment packages"};
  }
  return {.code = "DiskError",
          .status = 500,
          .message = std::string(what) + ": " + std::strerror(number)};
}

/// Opens the directory `path` below `root`, making what is missing. No step follows a link: every
/// part was made by this extraction as a directory, and links are made last.
Result<Fd> directory_below(int root, std::string_view path) {
  Fd at(::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return fail(disk_error("opening the staging directory"));
  if (path.empty()) return at;
  for (std::string_view part : split(path, '/')) {
    const std::string name(part);
    if (::mkdirat(at.get(), name.c_str(), 0755) == 0) {
      // Whatever the umask is, the sandbox's user must be able to read.
      if (::fchmodat(at.get(), name.c_str(), 0755, 0) != 0)
        return fail(disk_error("setting a directory's mode"));
    } else if (errno != EEXIST) {
      return fail(disk_error("making a directory"));
    }
    Fd next(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return fail(disk_error("opening a directory"));
    at = std::move(next);
  }
  return at;
}

struct Placed {
  Fd parent;
  std::string leaf;
};

Result<Placed> place(int root, const std::string& name) {
  const std::size_t slash = name.rfind('/');
  Placed out;
  TRY(out.parent,
      directory_below(root, slash == name.npos ? "" : std::string_view(name).substr(0, slash)));
  out.leaf = slash == name.npos ? name : name.substr(slash + 1);
  return out;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail(disk_error("writing a file"));
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<void> make_file(int root, const Archive& archive, const ZipEntry& entry) {
  TRY(const Placed at, place(root, entry.name));
  // The mode is set apart from the umask; set-id bits never reach it.
  Fd file(::openat(at.parent.get(), at.leaf.c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return fail(disk_error("making a file"));
  TRY(extract(archive, entry,
              [&](std::string_view piece) { return write_all(file.get(), piece); }));
  if (::fchmod(file.get(), entry.executable ? 0755 : 0644) != 0)
    return fail(disk_error("setting a file's mode"));
  return {};
}

Result<void> make_link(int root, const Archive& archive, const ZipEntry& entry) {
  std::string target;
  TRY(extract(archive, entry, [&](std::string_view piece) -> Result<void> {
    target += piece;
    return {};
  }));
  if (!link_stays_inside(entry.name, target)) {
    return fail(Error{
        .code = "InvalidZip", .status = 400, .message = "a symbolic link leaves the package"});
  }
  TRY(const Placed at, place(root, entry.name));
  if (::symlinkat(target.c_str(), at.parent.get(), at.leaf.c_str()) != 0)
    return fail(disk_error("making a link"));
  return {};
}

Result<void> remove_tree_at(int parent, const char* name);

Result<void> remove_children(Fd directory) {
  DIR* raw = ::fdopendir(directory.get());
  if (!raw) return fail(disk_error("listing a directory"));
  directory.release();
  std::unique_ptr<DIR, int (*)(DIR*)> listing(raw, ::closedir);
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    TRY(remove_tree_at(::dirfd(listing.get()), entry->d_name));
  }
  return {};
}

Result<void> remove_tree_at(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail(disk_error("removing a file"));
  Fd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) return fail(disk_error("opening a directory to remove"));
  TRY(remove_children(std::move(directory)));
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    return fail(disk_error("removing a directory"));
  return {};
}

Result<void> remove_tree(const std::string& path) {
  return remove_tree_at(AT_FDCWD, path.c_str());
}

Result<std::vector<std::string>> names_in(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(path.c_str()), ::closedir);
  if (!listing) return fail(disk_error("listing the packages"));
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  return out;
}

/// Everything written below `path` is on stable storage. One call for the file system: a package
/// may have 100,000 files.
Result<void> sync_tree(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::syncfs(directory.get()) != 0)
    return fail(disk_error("syncing a package"));
  return {};
}

}  // namespace

Result<void> unzip(std::string_view zip, const std::string& directory) {
  TRY(const Archive archive, read_zip(zip));
  Fd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root.valid()) return fail(disk_error("opening the staging directory"));
  for (const ZipEntry& entry : archive.entries) {
    if (entry.kind == ZipEntry::Kind::directory) {
      TRY(directory_below(root.get(), entry.name));
    }
    if (entry.kind == ZipEntry::Kind::file) {
      TRY(make_file(root.get(), archive, entry));
    }
  }
  // Links last: until here nothing in the tree can lead anywhere else.
  for (const ZipEntry& entry : archive.entries) {
    if (entry.kind == ZipEntry::Kind::symlink) {
      TRY(make_link(root.get(), archive, entry));
    }
  }
  return {};
}

Pin& Pin::operator=(Pin&& other) noexcept {
  if (this != &other) {
    release();
    packages_ = std::exchange(other.packages_, nullptr);
    digest_ = std::move(other.digest_);
  }
  return *this;
}

void Pin::release() {
  if (!packages_) return;
  auto pins = packages_->pins_.lock();
  if (--(*pins)[digest_] == 0) pins->erase(digest_);
  packages_ = nullptr;
}

Result<std::unique_ptr<Packages>> Packages::open(std::string root, Random& random) {
  if (::mkdir(root.c_str(), 0755) != 0 && errno != EEXIST)
    return fail(disk_error("making the package directory"));
  std::unique_ptr<Packages> out(new Packages(std::move(root), random));
  TRY(out->remove_leftovers());
  return out;
}

Result<void> Packages::remove_leftovers() {
  TRY(const auto names, names_in(root_));
  for (const std::string& name : names) {
    if (name.starts_with(staging_prefix)) {
      TRY(remove_tree(root_ + "/" + name));
    }
  }
  return {};
}

bool Packages::present(const std::string& digest) const {
  struct stat info;
  return ::lstat(path_of(digest).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<Pin> Packages::stage(std::string_view zip, const std::string& digest) {
  {
    auto pins = pins_.lock();
    ++(*pins)[digest];
  }
  Pin pin(this, digest);
  if (present(digest)) return pin;
  const std::string staging = root_ + "/" + std::string(staging_prefix) + random_.hex(16);
  if (::mkdir(staging.c_str(), 0755) != 0 || ::chmod(staging.c_str(), 0755) != 0)
    return fail(disk_error("making the staging directory"));
  Result<void> done = unzip(zip, staging);
  if (done) done = sync_tree(staging);
  if (done && ::rename(staging.c_str(), path_of(digest).c_str()) != 0 && !present(digest)) {
    done = fail(disk_error("publishing a package"));
  }
  // Still there: refused, failed, or another request published the same zip first.
  if (::access(staging.c_str(), F_OK) == 0) {
    Result<void> removed = remove_tree(staging);
    if (done && !removed) done = std::move(removed);
  }
  if (done) done = sync_tree(root_);
  if (!done) return fail(std::move(done).error());
  return pin;
}

Result<std::size_t> Packages::collect(
    const std::function<Result<bool>(const std::string& digest)>& is_referenced, Timestamp now) {
  TRY(const auto names, names_in(root_));
  std::map<std::string, Timestamp> unreferenced;
  std::size_t removed = 0;
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    TRY(const bool referenced, is_referenced(name));
    if (referenced) continue;
    const auto since = unreferenced_since_.find(name);
    unreferenced[name] = since == unreferenced_since_.end() ? now : since->second;
    if (now - unreferenced[name] < unreferenced_kept) continue;
    const std::string doomed = root_ + "/" + std::string(staging_prefix) + random_.hex(16);
    {
      // The lock keeps a new pin from being taken between the look and the removal: stage() pins
      // first, then looks.
      auto pins = pins_.lock();
      if (pins->contains(name)) continue;
      if (::rename(path_of(name).c_str(), doomed.c_str()) != 0)
        return fail(disk_error("removing a package"));
    }
    TRY(remove_tree(doomed));
    unreferenced.erase(name);
    ++removed;
  }
  unreferenced_since_ = std::move(unreferenced);
  return removed;
}

}  // namespace wolke::lambda
