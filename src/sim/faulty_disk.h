#pragma once
// A disk in memory that keeps apart what programs see and what would survive a power cut. Files are
// trees of nodes; each remembers its durable state and the operations since. power_cut() makes a
// possible aftermath: of each file's unsynced writes some sectors made it and others did not, of
// each directory's unsynced entries some are there. Which ones, the seed decides.
//
// Faults: the n-th changing call from now fails (EIO, ENOSPC, or the power goes: from then on every
// call fails until power_cut()). A capacity makes writes fail with "DiskFull". flip() is bit rot.
//
// Threads: any; one lock. A File that was open at the power cut is dead: every call on it fails.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/sim/seeded_random.h"

namespace wolke::sim {

enum class Fault { io_error, disk_full, power_off };
/// The calls that can be made to fail, counted together.
enum class Call { create, write, truncate, sync, remove, rename, make_directory, sync_directory };

class FaultyDisk final : public Disk {
 public:
  explicit FaultyDisk(std::uint64_t seed);
  ~FaultyDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  /// The n-th changing call from now fails (1: the next); n counts calls of `only` when it is
  /// given.
  void fail_call(std::uint64_t n, Fault fault, std::optional<Call> only = std::nullopt);
  void clear_faults();
  /// Bytes of all files together, as programs see them.
  void set_capacity(std::uint64_t bytes);
  /// Power off and on again: what was not synced is partly lost.
  void power_cut();
  /// The process dies, the machine does not: open files are dead, what was written stays as it is,
  /// synced or not.
  void kill();
  /// Bit rot: inverts the bits of `mask` in one durable byte. False when the file is not that long.
  bool flip(const std::string& path, std::uint64_t offset, unsigned char mask);

  std::uint64_t changing_calls() const;
  std::uint64_t syncs() const;
  bool is_off() const;
  /// Size of a file as programs see it; 0 when it is not there.
  std::uint64_t size_of(const std::string& path) const;

  struct Node;

 private:
  friend class FaultyFile;
  struct Planned {
    std::uint64_t calls_left;
    Fault fault;
    std::optional<Call> only;
  };
  struct Place {
    std::shared_ptr<Node> directory;
    std::string name;
  };

  Result<void> check_power() const;
  /// What this changing call meets: nothing, or the fault.
  std::optional<Fault> meet(Call call);
  Result<void> fault_result(Fault fault) const;
  std::shared_ptr<Node> find(const std::string& path) const;
  std::optional<Place> place_of(const std::string& path) const;
  std::uint64_t used() const;
  Result<void> write(Node& node, std::uint64_t offset, std::string_view data);
  Result<void> truncate(Node& node, std::uint64_t size);
  Result<void> sync(Node& node);
  void keep_some(Node& node, bool grow_with_garbage);
  void settle(Node& node);

  mutable std::mutex mutex_;
  SeededRandom random_;
  std::shared_ptr<Node> root_;
  std::vector<Planned> planned_;
  std::uint64_t capacity_ = ~0ULL;
  std::uint64_t changing_calls_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t boot_ = 0;  // counts power cuts; a File belongs to one
  bool off_ = false;
};

}  // namespace wolke::sim
