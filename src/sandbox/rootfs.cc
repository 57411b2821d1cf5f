// The file system of a sandbox. A tmpfs is the root; the host's /usr is bound in read-only; /etc is
// ours; /proc is a new procfs, read-only, with what tells of the host covered; /dev holds five
// devices. Packages come as descriptors of detached mounts and are shown through an overlay, so
// that /proc/self/mountinfo names no path of the host.
//
// The order matters: everything is private before anything is mounted (no event crosses to the
// host), the old root is detached before any request is seen, and the root becomes read-only last.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>

#include "wolke/sandbox/proc_files.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr std::uint64_t read_only_attributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

Result<void> make_dir(const char* path, mode_t mode = 0755) {
  if (::mkdir(path, mode) < 0 && errno != EEXIST) return fail(step_failed(path, errno));
  return {};
}

/// mkdir -p for a path that is_inside_path() accepted; the last part is a file when `directory` is
/// false.
Result<void> make_mount_point(const std::string& path, bool directory) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    TRY(make_dir(path.substr(0, at).c_str()));
  }
  if (directory) return make_dir(path.c_str());
  Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444));
  if (!file.valid()) return fail(step_failed(path, errno));
  return {};
}

Result<void> make_file(const char* path, std::string_view text) {
  Fd file(::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
  if (!file.valid()) return fail(step_failed(path, errno));
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(step_failed(path, errno));
  }
  return {};
}

/// Binds `from` (as seen now) onto the existing `to`.
Result<void> bind(const char* from, const char* to, std::uint64_t attributes, bool recursive) {
  const unsigned depth = recursive ? AT_RECURSIVE : 0;
  // SAFETY: a private copy of a mount in our own mount namespace; restricted before it can be
  // reached.
  Fd tree(::open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth));
  if (!tree.valid()) return fail(step_failed(from, errno));
  if (attributes != 0) {
    mount_attr attr{};
    attr.attr_set = attributes;
    TRY(checked(::mount_setattr(tree.get(), "", AT_EMPTY_PATH | depth, &attr, sizeof attr), from));
  }
  return checked(::move_mount(tree.get(), "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH), to);
}

std::uint64_t bind_attributes(std::uint32_t weaken) {
  std::uint64_t attributes = read_only_attributes;
  if (without(weaken, wire::weaken_read_only)) attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  if (without(weaken, wire::weaken_nosuid)) attributes &= ~std::uint64_t{MOUNT_ATTR_NOSUID};
  return attributes;
}

/// /usr, and beside it what the host has: links on merged-/usr systems, directories on others.
Result<void> show_programs(std::uint32_t weaken) {
  TRY(make_dir("usr"));
  TRY(bind("/usr", "usr", bind_attributes(weaken), true));
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string host = std::string("/") + name;
    struct stat status{};
    if (::lstat(host.c_str(), &status) < 0) continue;
    if (S_ISLNK(status.st_mode)) {
      char target[256] = {};
      if (::readlink(host.c_str(), target, sizeof target - 1) < 0) continue;
      TRY(checked(::symlink(target, name), name));
    } else if (S_ISDIR(status.st_mode)) {
      TRY(make_dir(name));
      TRY(bind(host.c_str(), name, bind_attributes(weaken), true));
    }
  }
  return {};
}

/// Our own /etc. What is bound from the host is public, the same for every sandbox, and read-only.
Result<void> make_etc(std::uint32_t weaken) {
  TRY(make_dir("etc"));
  TRY(make_file("etc/passwd", fmt::format("root:x:0:0:root:/:/usr/sbin/nologin\n"
                                          "sbx_user1051:x:{}:{}::/tmp:/bin/sh\n"
                                          "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
                                          inside_uid, inside_gid)));
  TRY(make_file("etc/group",
                fmt::format("root:x:0:\nsbx_user1051:x:{}:\nnogroup:x:65534:\n", inside_gid)));
  TRY(make_file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"));
  TRY(make_file("etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n"));
  TRY(make_file("etc/machine-id", ""));
  TRY(checked(::symlink("/proc/self/mounts", "etc/mtab"), "etc/mtab"));
  TRY(checked(::symlink("../usr/lib/os-release", "etc/os-release"), "etc/os-release"));
  TRY(checked(::symlink("/usr/share/zoneinfo/Etc/UTC", "etc/localtime"), "etc/localtime"));
  TRY(make_dir("etc/ssl"));
  struct Shown {
    const char* path;  // below /etc
    bool directory;
  };
  constexpr Shown shown[] = {
      {"ld.so.cache", false},          {"ssl/openssl.cnf", false}, {"ssl/certs", true},
      {"ca-certificates.conf", false}, {"alternatives", true},     {"fonts", true},
      {"mime.types", false},           {"protocols", false},       {"services", false}};
  for (const Shown& entry : shown) {
    const std::string host = std::string("/etc/") + entry.path;
    const std::string inside = std::string("etc/") + entry.path;
    struct stat status{};
    if (::lstat(host.c_str(), &status) < 0) continue;
    if (S_ISDIR(status.st_mode) != entry.directory) continue;  // a link or something odd: not shown
    if (!entry.directory && !S_ISREG(status.st_mode)) continue;
    TRY(make_mount_point(inside, entry.directory));
    TRY(bind(host.c_str(), inside.c_str(), bind_attributes(weaken), false));
  }
  return {};
}

Result<void> make_dev(std::uint32_t weaken) {
  TRY(make_dir("dev"));
  if (without(weaken, wire::weaken_devices)) return bind("/dev", "dev", 0, true);
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
    const std::string host = std::string("/dev/") + name;
    const std::string inside = std::string("dev/") + name;
    struct stat status{};
    // A host whose /dev/null is something else is no host for us.
    if (::stat(host.c_str(), &status) < 0 || !S_ISCHR(status.st_mode)) {
      return fail(step_failed(host, ENODEV));
    }
    TRY(make_file(inside.c_str(), ""));
    TRY(bind(host.c_str(), inside.c_str(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false));
  }
  TRY(make_dir("dev/shm", 01777));
  TRY(checked(::symlink("/proc/self/fd", "dev/fd"), "dev/fd"));
  TRY(checked(::symlink("/proc/self/fd/0", "dev/stdin"), "dev/stdin"));
  TRY(checked(::symlink("/proc/self/fd/1", "dev/stdout"), "dev/stdout"));
  return checked(::symlink("/proc/self/fd/2", "dev/stderr"), "dev/stderr");
}

Result<void> make_proc(std::uint32_t weaken) {
  TRY(make_dir("proc"));
  if (without(weaken, wire::weaken_pid)) return bind("/proc", "proc", 0, true);
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const bool masked = !without(weaken, wire::weaken_masks);
  if (masked) flags |= MS_RDONLY;
  // SAFETY: a procfs of our own PID namespace; the kernel allows it only where the host's is fully
  // visible.
  TRY(checked(::mount("proc", "proc", "proc", flags, nullptr), "proc"));
  if (!masked) return {};
  TRY(make_file(".w/empty", ""));
  for (const char* name : masked_proc_files()) {
    const std::string path = std::string("proc/") + name;
    if (::access(path.c_str(), F_OK) == 0) {
      TRY(bind(".w/empty", path.c_str(), read_only_attributes, false));
    }
  }
  for (const char* name : masked_proc_directories()) {
    const std::string path = std::string("proc/") + name;
    if (::access(path.c_str(), F_OK) == 0) {
      TRY(bind(".w/none", path.c_str(), read_only_attributes, false));
    }
  }
  return {};
}

Result<void> enter_root() {
  // SAFETY: pivot_root(".", ".") stacks the old root under the new one; detaching it leaves no way
  // back.
  TRY(checked(::syscall(SYS_pivot_root, ".", "."), "pivot_root"));
  TRY(checked(::umount2(".", MNT_DETACH), "old root"));
  return checked(::chdir("/"), "/");
}

}  // namespace

Result<void> build_root(const ShellSetup& setup) {
  // SAFETY: our own mount namespace; nothing propagates to the host's from here on, nor from it.
  TRY(checked(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts"));
  // The place does not matter: only we see it, and only until pivot_root.
  const unsigned long nosuid = without(setup.weaken, wire::weaken_nosuid) ? 0 : MS_NOSUID;
  TRY(checked(
      ::mount("root", "/tmp", "tmpfs", nosuid | MS_NODEV, "mode=0755,size=4m,nr_inodes=2048"),
      "root tmpfs"));
  TRY(checked(::chdir("/tmp"), "root"));
  for (const char* path : {".w", ".w/none", "tmp", "var", "var/task", "var/runtime", "opt"}) {
    TRY(make_dir(path));
  }
  TRY(show_programs(setup.weaken));
  TRY(make_etc(setup.weaken));
  TRY(make_dev(setup.weaken));
  TRY(make_proc(setup.weaken));
  return enter_root();
}

namespace {

/// Where a directory's layers wait while the overlay over them is made.
std::string layer_place(std::size_t index) {
  return fmt::format("/.w/layer{}", index);
}

Result<void> attach(int mount, const std::string& place) {
  return checked(::move_mount(mount, "", AT_FDCWD, place.c_str(), MOVE_MOUNT_F_EMPTY_PATH), place);
}

/// Shows the directories `layers` (the later ones on top) at `inside`, read-only.
Result<void> show_directories(const std::string& inside, const std::vector<int>& layers,
                              std::uint32_t weaken) {
  TRY(make_mount_point(inside, true));
  // Without the overlay the descriptor's own copy is shown, writable or honouring set-user-id as
  // the test asked.
  if (without(weaken, wire::weaken_read_only) || without(weaken, wire::weaken_nosuid)) {
    return attach(layers.back(), inside);
  }
  std::string lower;
  for (std::size_t i = layers.size(); i-- > 0;) {
    TRY(make_dir(layer_place(i).c_str()));
    TRY(attach(layers[i], layer_place(i)));
    lower += layer_place(i) + ":";
  }
  // The empty directory makes it an overlay even for one layer.
  const std::string options = fmt::format("lowerdir={}/.w/none", lower);
  // SAFETY: no upper directory, so nothing can be written; packages' own xattrs are not read as
  // overlay's (no userxattr).
  const int made = ::mount("package", inside.c_str(), "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV,
                           options.c_str());
  const int error = errno;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    TRY(checked(::umount2(layer_place(i).c_str(), MNT_DETACH), "layer"));
    TRY(checked(::rmdir(layer_place(i).c_str()), "layer"));
  }
  return made < 0 ? Result<void>(fail(step_failed("overlay " + inside, error))) : Result<void>();
}

Result<void> show_mounts(const wire::Request& request, std::vector<Fd>& mounts,
                         std::uint32_t weaken) {
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string inside(wire::text_of(request.inside[i]));
    struct stat status{};
    TRY(checked(::fstat(mounts[i].get(), &status), inside));
    if (!S_ISDIR(status.st_mode)) {
      TRY(make_mount_point(inside, false));
      TRY(attach(mounts[i].get(), inside));
      continue;
    }
    bool seen = false;
    std::vector<int> layers;
    for (std::size_t j = 0; j < mounts.size(); ++j) {
      if (wire::text_of(request.inside[j]) != inside) continue;
      if (j < i) seen = true;
      layers.push_back(mounts[j].get());
    }
    if (!seen) {
      TRY(show_directories(inside, layers, weaken));
    }
  }
  return {};
}

Result<void> make_writable_places(const wire::Request& request) {
  // One inode for each 16 KiB, at least as many as an unpacked node_modules has files.
  const std::uint64_t inodes = std::max<std::uint64_t>(16384, request.tmp_bytes / 16384);
  const std::string tmp = fmt::format("mode=1777,size={},nr_inodes={}", request.tmp_bytes, inodes);
  TRY(checked(::mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, tmp.c_str()), "/tmp"));
  struct stat status{};
  if (::stat("/dev/shm", &status) < 0) return fail(step_failed("/dev/shm", errno));
  const std::string shm =
      fmt::format("mode=1777,size={},nr_inodes=1024",
                  std::min<std::uint64_t>(request.memory_bytes / 2, 64ULL << 20));
  return checked(::mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, shm.c_str()),
                 "/dev/shm");
}

/// /tmp's descriptor goes out now, before the program exists: its size is measured from outside.
Result<void> report_tmp(const ShellSetup& setup) {
  // SAFETY: O_PATH: nothing can be read, written or listed through it.
  const Fd tmp(::open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!tmp.valid()) return fail(step_failed("/tmp", errno));
  wire::ShellReport report{};
  report.kind = wire::ReportKind::tmp;
  const int fd = tmp.get();
  if (wire::send(setup.socket, report, std::span(&fd, 1)) != wire::Transfer::done) {
    return fail(step_failed("/tmp", EPIPE));
  }
  return {};
}

/// cpuinfo, meminfo, stat, loadavg of this sandbox over the host's.
Result<void> show_synthetic_files(const ShellSetup& setup, const wire::Request& request) {
  for (const ProcFile& file : synthetic_proc_files(*setup.host, request.memory_bytes)) {
    const std::string source = fmt::format("/.w/{}", file.name);
    const std::string target = fmt::format("/proc/{}", file.name);
    TRY(make_file(source.c_str(), file.text));
    TRY(bind(source.c_str(), target.c_str(), read_only_attributes, false));
    TRY(checked(::unlink(source.c_str()), source));
  }
  return {};
}

}  // namespace

Result<void> finish_root(const ShellSetup& setup, const wire::Request& request,
                         std::vector<Fd>& mounts, std::string_view hosts) {
  const std::string_view hostname = wire::text_of(request.hostname);
  TRY(checked(::sethostname(hostname.data(), hostname.size()), "hostname"));
  TRY(make_file("/etc/hostname", fmt::format("{}\n", hostname)));
  TRY(make_file("/etc/hosts",
                fmt::format("127.0.0.1 localhost {}\n::1 localhost\n{}", hostname, hosts)));
  TRY(make_writable_places(request));
  TRY(report_tmp(setup));
  if (!without(setup.weaken, wire::weaken_masks) && !without(setup.weaken, wire::weaken_pid)) {
    TRY(show_synthetic_files(setup, request));
  }
  TRY(show_mounts(request, mounts, setup.weaken));
  if (without(setup.weaken, wire::weaken_read_only)) return {};
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  return checked(::mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof attr), "read-only root");
}

}  // namespace wolke::sandbox
