#include "wolke/cli/code_files.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

std::unexpected<Error> cannot_read(const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM;
  return fail({.code = denied ? "AccessDenied" : "NotFound",
               .status = denied ? 403 : 404,
               .message = fmt::format("cannot read {}: {}", path, std::strerror(error))});
}

std::unexpected<Error> usage(std::string sentence) {
  return fail({.code = "Usage", .status = 400, .message = std::move(sentence)});
}

std::unexpected<Error> too_large(std::string sentence) {
  return fail({.code = "CodeTooLarge", .status = 400, .message = std::move(sentence)});
}

bool is_left_out(const std::string& name) {
  return name.starts_with('.') || name == "__pycache__";
}

/// A file to be read, and how large it said it was.
struct FoundFile {
  std::string path, name;
  bool executable = false;
};

/// Collects what lies below a directory, without reading contents.
class Walk {
 public:
  explicit Walk(std::string root) : root_(std::move(root)) {}
  Result<void> visit(const std::string& path, const std::string& name);

  std::vector<FoundFile> files;
  std::vector<std::string> left_out;

 private:
  Result<void> visit_directory(const std::string& path, const std::string& name,
                               const struct stat& status);
  Result<void> add_file(const std::string& path, const std::string& name,
                        const struct stat& status);

  std::string root_;
  std::uint64_t bytes_ = 0;
  std::vector<std::pair<dev_t, ino_t>> above_;  // directories that hold where we are
};

Result<void> Walk::visit(const std::string& path, const std::string& name) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    struct stat link{};
    const int error = errno;
    if (::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) && error != EACCES) {
      return usage(fmt::format("{} is a link to nothing", path));
    }
    return cannot_read(path, error);
  }
  if (S_ISDIR(status.st_mode)) return visit_directory(path, name, status);
  if (S_ISREG(status.st_mode)) return add_file(path, name, status);
  left_out.push_back(path);
  return {};
}

Result<void> Walk::visit_directory(const std::string& path, const std::string& name,
                                   const struct stat& status) {
  const std::pair<dev_t, ino_t> self{status.st_dev, status.st_ino};
  if (std::find(above_.begin(), above_.end(), self) != above_.end()) {
    return usage(fmt::format("{} is a link to a directory that holds it", path));
  }
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return cannot_read(path, errno);
  above_.push_back(self);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string child = entry->d_name;
    if (is_left_out(child)) continue;
    TRY(visit(path + (path.ends_with('/') ? "" : "/") + child,
              name.empty() ? child : name + "/" + child));
  }
  above_.pop_back();
  return {};
}

Result<void> Walk::add_file(const std::string& path, const std::string& name,
                            const struct stat& status) {
  if (!is_valid_utf8(name)) {
    return usage(fmt::format("{}: a file's name in a package is UTF-8", printable(path)));
  }
  bytes_ += static_cast<std::uint64_t>(status.st_size);
  if (bytes_ > limits::package_unzipped_bytes_max) {
    return too_large(fmt::format("{} holds more than {} MB, a function's limit", root_,
                                 limits::package_unzipped_bytes_max >> 20));
  }
  if (files.size() >= limits::package_entries_max) {
    return too_large(fmt::format("{} holds more than {} files, a function's limit", root_,
                                 limits::package_entries_max));
  }
  files.push_back({.path = path, .name = name, .executable = (status.st_mode & S_IXUSR) != 0});
  return {};
}

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_read(path, errno != 0 ? errno : EIO);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

Result<Code> collect_files(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return cannot_read(path, errno);
    return fail({.code = "NotFound",
                 .status = 404,
                 .message = fmt::format("there is no file or directory {}", path)});
  }
  const bool single = !S_ISDIR(status.st_mode);
  Walk walk(path);
  TRY(walk.visit(path, single ? path.substr(path.rfind('/') + 1) : ""));
  if (walk.files.empty()) {
    return fail({.code = "NotFound",
                 .status = 404,
                 .message = fmt::format(
                     "there is no code in {} (hidden files and __pycache__ do not count)", path)});
  }
  std::sort(walk.files.begin(), walk.files.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.name < b.name; });
  Code code{.files = {}, .left_out = std::move(walk.left_out)};
  for (FoundFile& file : walk.files) {
    TRY(std::string bytes, read_file(file.path));
    code.files.push_back(
        {.name = std::move(file.name), .bytes = std::move(bytes), .executable = file.executable});
  }
  if (single && code.files.front().bytes.starts_with("PK\x03\x04")) {
    return usage(
        fmt::format("{0} is a zip already: unpack it, or call `wolke aws lambda "
                    "create-function --zip-file fileb://{0}`",
                    path));
  }
  return code;
}

}  // namespace wolke::cli
