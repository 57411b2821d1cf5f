#pragma once
// Deployment packages on disk: <root>/<sha256 of the zip, hex>/, read-only content shown to
// sandboxes as /var/task. A package is unzipped into a staging directory, synced, then renamed, so
// that a directory under its final name is complete whatever happened. Equal zips share one
// directory; the zip itself stays in the blob store, from which a lost directory is made again.
//
// Threads: any; stage() blocks on the disk, so pool threads only. A Pin keeps its package from
// being collected while nothing in the store refers to it yet. Failure: refused archives are
// "InvalidZip" or "TooLarge", the disk's errors "DiskFull" and "DiskError".

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "wolke/base/env.h"
#include "wolke/base/guarded.h"
#include "wolke/base/result.h"

namespace wolke::lambda {

class Packages;

class Pin {
 public:
  Pin() = default;
  Pin(Packages* packages, std::string digest) : packages_(packages), digest_(std::move(digest)) {}
  Pin(Pin&& other) noexcept
      : packages_(std::exchange(other.packages_, nullptr)), digest_(std::move(other.digest_)) {}
  Pin& operator=(Pin&& other) noexcept;
  ~Pin() { release(); }
  const std::string& digest() const { return digest_; }

 private:
  void release();
  Packages* packages_ = nullptr;
  std::string digest_;
};

class Packages {
 public:
  /// `root` is made when it is missing; what an earlier process left half done is removed.
  static Result<std::unique_ptr<Packages>> open(std::string root, Random& random);

  /// Unzips, unless the package is there already. `digest` is the zip's SHA-256 in hexadecimal.
  Result<Pin> stage(std::string_view zip, const std::string& digest);
  std::string path_of(const std::string& digest) const { return root_ + "/" + digest; }
  bool present(const std::string& digest) const;

  /// How long a package stays after its last reference: longer than any invocation that may still
  /// read it.
  static constexpr Millis unreferenced_kept = std::chrono::hours(1);
  /// Removes packages that `is_referenced` has denied for that long. Returns how many.
  Result<std::size_t> collect(
      const std::function<Result<bool>(const std::string& digest)>& is_referenced, Timestamp now);

 private:
  friend class Pin;
  Packages(std::string root, Random& random) : root_(std::move(root)), random_(random) {}
  Result<void> remove_leftovers();

  std::string root_;
  Random& random_;
  Guarded<std::map<std::string, int>> pins_;
  std::map<std::string, Timestamp> unreferenced_since_;  // collect() runs once at a time
};

/// Unzips into an empty directory that exists; for package and tests.
Result<void> unzip(std::string_view zip, const std::string& directory);

}  // namespace wolke::lambda
