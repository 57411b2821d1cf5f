#include "wolke/sim/faulty_disk.h"

#include <algorithm>
#include <set>

namespace wolke::sim {

namespace {

constexpr std::size_t sector_bytes = 512;

Error disk_error(std::string message) {
  return {.code = "DiskError", .status = 500, .message = std::move(message)};
}

Error not_found(const std::string& path) {
  return {.code = "NotFound", .status = 500, .message = "no such file: " + path};
}

void put_bytes(std::string& content, std::uint64_t offset, std::string_view data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size());
  content.replace(offset, data.size(), data);
}

}  // namespace

/// A file or a directory.
struct FaultyDisk::Node {
  struct Write {
    std::uint64_t offset = 0;
    std::string data;
    bool truncates = false;  // to `offset`
  };
  using Entries = std::map<std::string, std::shared_ptr<Node>>;
  struct Change {                                                        // of names, all or nothing
    std::vector<std::pair<std::string, std::shared_ptr<Node>>> entries;  // null: removed
  };

  bool is_directory = false;
  std::string durable;
  std::string current;
  std::vector<Write> writes;  // since the last sync
  Entries durable_entries;
  Entries entries;
  std::vector<Change> changes;  // since the last sync

  void change(Change change) {
    apply(entries, change);
    changes.push_back(std::move(change));
  }
  static void apply(Entries& to, const Change& change) {
    for (const auto& [name, node] : change.entries) {
      if (node) {
        to[name] = node;
      } else {
        to.erase(name);
      }
    }
  }
};

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyDisk& disk, std::shared_ptr<FaultyDisk::Node> node, std::uint64_t boot)
      : disk_(disk), node_(std::move(node)), boot_(boot) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::lock_guard lock(disk_.mutex_);
    TRY(check_alive());
    const std::string& content = node_->current;
    if (offset >= content.size()) return 0;
    return content.copy(out.data(), out.size(), offset);
  }
  Result<void> write_at(std::uint64_t offset, std::string_view data) override {
    std::lock_guard lock(disk_.mutex_);
    TRY(check_alive());
    return disk_.write(*node_, offset, data);
  }
  Result<void> truncate(std::uint64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    TRY(check_alive());
    return disk_.truncate(*node_, size);
  }
  Result<void> sync() override {
    std::lock_guard lock(disk_.mutex_);
    TRY(check_alive());
    return disk_.sync(*node_);
  }
  Result<std::uint64_t> size() override {
    std::lock_guard lock(disk_.mutex_);
    TRY(check_alive());
    return node_->current.size();
  }

 private:
  Result<void> check_alive() const {
    if (boot_ != disk_.boot_) return fail(disk_error("the file was open at a power cut"));
    return disk_.check_power();
  }

  FaultyDisk& disk_;
  std::shared_ptr<FaultyDisk::Node> node_;  // shared with the directories that name it
  std::uint64_t boot_;
};

FaultyDisk::FaultyDisk(std::uint64_t seed) : random_(seed), root_(std::make_shared<Node>()) {
  root_->is_directory = true;
}

FaultyDisk::~FaultyDisk() = default;

Result<void> FaultyDisk::check_power() const {
  if (off_) return fail(disk_error("the power is off"));
  return {};
}

std::optional<Fault> FaultyDisk::meet(Call call) {
  ++changing_calls_;
  if (call == Call::sync || call == Call::sync_directory) ++syncs_;
  std::optional<Fault> met;
  for (auto planned = planned_.begin(); planned != planned_.end();) {
    const bool counts = !planned->only || *planned->only == call;
    if (counts && --planned->calls_left == 0) {
      met = planned->fault;
      planned = planned_.erase(planned);
    } else {
      ++planned;
    }
  }
  if (met == Fault::power_off) off_ = true;
  return met;
}

Result<void> FaultyDisk::fault_result(Fault fault) const {
  switch (fault) {
    case Fault::io_error:
      return fail(disk_error("injected I/O error"));
    case Fault::disk_full:
      return fail(Error{.code = "DiskFull", .status = 500, .message = "injected ENOSPC"});
    case Fault::power_off:
      return fail(disk_error("the power went off"));
  }
  return {};
}

std::shared_ptr<FaultyDisk::Node> FaultyDisk::find(const std::string& path) const {
  std::shared_ptr<Node> node = root_;
  std::size_t at = 0;
  while (node && at < path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    const auto entry = node->entries.find(part);
    node = entry == node->entries.end() ? nullptr : entry->second;
  }
  return node;
}

std::optional<FaultyDisk::Place> FaultyDisk::place_of(const std::string& path) const {
  const std::size_t slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  auto directory = find(parent);
  if (!directory || !directory->is_directory) return std::nullopt;
  return Place{directory, slash == std::string::npos ? path : path.substr(slash + 1)};
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  std::shared_ptr<Node> node = find(path);
  if (node && node->is_directory) return fail(disk_error("is a directory: " + path));
  if (node && mode == OpenMode::create_new) return fail(disk_error("exists already: " + path));
  if (!node) {
    const auto place = place_of(path);
    if (mode == OpenMode::read || !place) return fail(not_found(path));
    if (auto fault = meet(Call::create)) return fail(fault_result(*fault).error());
    node = std::make_shared<Node>();
    place->directory->change({{{place->name, node}}});
  }
  return std::make_unique<FaultyFile>(*this, std::move(node), boot_);
}

Result<void> FaultyDisk::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  const auto place = place_of(path);
  if (!place || !place->directory->entries.contains(place->name)) return fail(not_found(path));
  if (auto fault = meet(Call::remove)) return fault_result(*fault);
  place->directory->change({{{place->name, nullptr}}});
  return {};
}

Result<void> FaultyDisk::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  const auto source = place_of(from);
  const auto target = place_of(to);
  const auto node = find(from);
  if (!source || !target || !node) return fail(not_found(from));
  if (auto fault = meet(Call::rename)) return fault_result(*fault);
  if (source->directory == target->directory) {
    source->directory->change({{{source->name, nullptr}, {target->name, node}}});
    return {};
  }
  target->directory->change({{{target->name, node}}});
  source->directory->change({{{source->name, nullptr}}});
  return {};
}

Result<void> FaultyDisk::make_directory(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (const auto node = find(part); node && !node->is_directory) {
      return fail(disk_error("is a file: " + part));
    } else if (!node) {
      if (auto fault = meet(Call::make_directory)) return fault_result(*fault);
      auto made = std::make_shared<Node>();
      made->is_directory = true;
      const auto place = place_of(part);
      place->directory->change({{{place->name, made}}});
    }
    if (slash == std::string::npos) return {};
  }
}

Result<void> FaultyDisk::sync_directory(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  const auto node = find(path);
  if (!node || !node->is_directory) return fail(not_found(path));
  return sync(*node);
}

Result<std::vector<std::string>> FaultyDisk::list(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  const auto node = find(path);
  if (!node || !node->is_directory) return fail(not_found(path));
  std::vector<std::string> names;
  for (const auto& [name, entry] : node->entries) names.push_back(name);
  return names;
}

Result<bool> FaultyDisk::exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  return find(path) != nullptr;
}

Result<std::uint64_t> FaultyDisk::free_bytes(const std::string&) {
  std::lock_guard lock(mutex_);
  TRY(check_power());
  const std::uint64_t taken = used();
  return taken >= capacity_ ? 0 : capacity_ - taken;
}

std::uint64_t FaultyDisk::used() const {
  std::uint64_t bytes = 0;
  std::vector<const Node*> open = {root_.get()};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    bytes += node->current.size();
    for (const auto& [name, entry] : node->entries) open.push_back(entry.get());
  }
  return bytes;
}

Result<void> FaultyDisk::write(Node& node, std::uint64_t offset, std::string_view data) {
  const auto fault = meet(Call::write);
  // A write that fails may have happened in part; the power may go with it in the queue.
  const bool happens = !fault || (fault != Fault::disk_full && random_.one_in(2));
  if (!fault && capacity_ != ~0ULL && offset + data.size() > node.current.size() &&
      used() + (offset + data.size() - node.current.size()) > capacity_) {
    return fail(Error{.code = "DiskFull", .status = 500, .message = "the disk is full"});
  }
  if (happens) {
    put_bytes(node.current, offset, data);
    node.writes.push_back({.offset = offset, .data = std::string(data)});
  }
  return fault ? fault_result(*fault) : Result<void>();
}

Result<void> FaultyDisk::truncate(Node& node, std::uint64_t size) {
  if (const auto fault = meet(Call::truncate)) return fault_result(*fault);
  node.current.resize(size);
  node.writes.push_back({.offset = size, .data = {}, .truncates = true});
  return {};
}

Result<void> FaultyDisk::sync(Node& node) {
  const auto fault = meet(node.is_directory ? Call::sync_directory : Call::sync);
  if (fault == Fault::power_off) {
    // The flush was on its way: all of it may be durable though nobody hears of it.
    if (random_.one_in(2)) return fault_result(*fault);
  } else if (fault) {
    // Bytes that did not reach the disk are marked clean all the same: a later sync does not write
    // them. Names stay in the file system's journal.
    keep_some(node, false);
    return fault_result(*fault);
  }
  for (const Node::Write& write : node.writes) {
    if (write.truncates) {
      node.durable.resize(write.offset);
    } else {
      put_bytes(node.durable, write.offset, write.data);
    }
  }
  node.writes.clear();
  for (const Node::Change& change : node.changes) Node::apply(node.durable_entries, change);
  node.changes.clear();
  return fault ? fault_result(*fault) : Result<void>();
}

/// Moves a random part of what is not durable into what is, and forgets the other bytes.
void FaultyDisk::keep_some(Node& node, bool grow_with_garbage) {
  // Out of how many parts one is lost: nearly nothing, half, nearly all, or a clean cut at one
  // point.
  const std::uint64_t mode = random_.below(4);
  const bool clean_cut = mode == 3;
  const std::uint64_t cut =
      clean_cut ? random_.below(node.writes.size() + node.changes.size() + 1) : 0;
  const auto kept = [&](std::uint64_t index) {
    if (clean_cut) return index < cut;
    if (mode == 0) return !random_.one_in(16);
    if (mode == 1) return random_.one_in(2);
    return random_.one_in(16);
  };
  const std::uint64_t size_before = node.durable.size();
  std::uint64_t index = 0;
  for (const Node::Write& write : node.writes) {
    if (write.truncates) {
      if (kept(index)) node.durable.resize(write.offset);
    } else {
      std::string_view rest = write.data;
      for (std::uint64_t at = write.offset; !rest.empty();) {
        const std::string_view part = rest.substr(0, sector_bytes - at % sector_bytes);
        if (kept(index)) put_bytes(node.durable, at, part);
        at += part.size();
        rest.remove_prefix(part.size());
      }
    }
    ++index;
  }
  if (grow_with_garbage && node.current.size() > node.durable.size() && random_.one_in(4)) {
    // The new length is durable, the new bytes are not.
    const std::size_t from = std::max<std::size_t>(size_before, node.durable.size());
    node.durable.resize(node.current.size());
    if (random_.one_in(2)) {
      random_.fill(std::as_writable_bytes(std::span(node.durable).subspan(from)));
    }
  }
  for (const Node::Change& change : node.changes) {
    if (kept(index++)) Node::apply(node.durable_entries, change);
  }
  node.writes.clear();
}

void FaultyDisk::settle(Node& node) {
  keep_some(node, true);
  node.current = node.durable;
  node.entries = node.durable_entries;
  node.changes.clear();
  for (const auto& [name, entry] : node.entries) settle(*entry);
}

void FaultyDisk::power_cut() {
  std::lock_guard lock(mutex_);
  settle(*root_);
  planned_.clear();
  ++boot_;
  off_ = false;
}

void FaultyDisk::kill() {
  std::lock_guard lock(mutex_);
  planned_.clear();
  ++boot_;
  off_ = false;
}

void FaultyDisk::fail_call(std::uint64_t n, Fault fault, std::optional<Call> only) {
  std::lock_guard lock(mutex_);
  ASSERT(n > 0);
  planned_.push_back({n, fault, only});
}

void FaultyDisk::clear_faults() {
  std::lock_guard lock(mutex_);
  planned_.clear();
}

void FaultyDisk::set_capacity(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

bool FaultyDisk::flip(const std::string& path, std::uint64_t offset, unsigned char mask) {
  std::lock_guard lock(mutex_);
  const auto node = find(path);
  if (!node || offset >= node->durable.size() || offset >= node->current.size()) return false;
  const auto invert = [&](char& byte) { byte = static_cast<char>(byte ^ static_cast<char>(mask)); };
  invert(node->durable[offset]);
  invert(node->current[offset]);
  return true;
}

std::uint64_t FaultyDisk::changing_calls() const {
  std::lock_guard lock(mutex_);
  return changing_calls_;
}

std::uint64_t FaultyDisk::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

bool FaultyDisk::is_off() const {
  std::lock_guard lock(mutex_);
  return off_;
}

std::uint64_t FaultyDisk::size_of(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto node = find(path);
  return node ? node->current.size() : 0;
}

}  // namespace wolke::sim
