// A disk that fails on demand, loaded before the C library: while the first byte of the file that
// WOLKE_IO_ERROR_SWITCH names is '1', every write and sync answers EIO. The file is mapped at the
// start and inherited, so that no later privilege matters.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

const volatile char* map_switch() {
  const char* path = std::getenv("WOLKE_IO_ERROR_SWITCH");
  if (!path) return nullptr;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* mapped = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<const char*>(mapped);
}

const volatile char* const fault_switch = map_switch();

bool disk_fails() {
  if (!fault_switch || *fault_switch != '1') return false;
  errno = EIO;
  return true;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int fdatasync(int fd) {
  return disk_fails() ? -1 : next<int (*)(int)>("fdatasync")(fd);
}

__attribute__((visibility("default"))) int fsync(int fd) {
  return disk_fails() ? -1 : next<int (*)(int)>("fsync")(fd);
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void* data, size_t size,
                                                      off_t offset) {
  using Function = ssize_t (*)(int, const void*, size_t, off_t);
  return disk_fails() ? -1 : next<Function>("pwrite")(fd, data, size, offset);
}

__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void* data, size_t size,
                                                        off_t offset) {
  using Function = ssize_t (*)(int, const void*, size_t, off_t);
  return disk_fails() ? -1 : next<Function>("pwrite64")(fd, data, size, offset);
}

}  // extern "C"
