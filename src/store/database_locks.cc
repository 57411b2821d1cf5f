#include "wolke/store/database_locks.h"

#include <sqlite3.h>

#include "wolke/base/result.h"

namespace wolke::store {

bool DatabaseLocks::lock(Holder& holder, int level) {
  std::lock_guard guard(mutex_);
  if (holder.level >= level) return true;
  if (level == SQLITE_LOCK_SHARED) {
    if (pending_ != nullptr) return false;
    ++shared_;
    holder.level = SQLITE_LOCK_SHARED;
    return true;
  }
  if (reserved_ != nullptr && reserved_ != &holder) return false;
  if (level == SQLITE_LOCK_RESERVED) {
    reserved_ = &holder;
    holder.level = SQLITE_LOCK_RESERVED;
    return true;
  }
  if (pending_ != nullptr && pending_ != &holder) return false;
  reserved_ = &holder;
  pending_ = &holder;  // no new readers from here
  holder.level = SQLITE_LOCK_PENDING;
  if (shared_ > 1) return false;
  holder.level = SQLITE_LOCK_EXCLUSIVE;
  return true;
}

void DatabaseLocks::unlock(Holder& holder, int level) {
  std::lock_guard guard(mutex_);
  if (holder.level <= level) return;
  if (reserved_ == &holder) reserved_ = nullptr;
  if (pending_ == &holder) pending_ = nullptr;
  if (level == SQLITE_LOCK_NONE) --shared_;
  holder.level = level;
}

bool DatabaseLocks::reserved() const {
  std::lock_guard guard(mutex_);
  return reserved_ != nullptr;
}

void* DatabaseLocks::map_region(std::size_t index, std::size_t bytes, bool extend) {
  std::lock_guard guard(mutex_);
  if (index >= regions_.size()) {
    if (!extend) return nullptr;
    while (regions_.size() <= index) regions_.push_back(std::make_unique<char[]>(bytes));
  }
  return regions_[index].get();
}

bool DatabaseLocks::lock_slots(Holder& holder, unsigned first, unsigned count, bool exclusive) {
  ASSERT(first + count <= slot_count);
  std::lock_guard guard(mutex_);
  const auto mask = static_cast<std::uint16_t>(((1U << count) - 1) << first);
  if (((exclusive ? holder.exclusive_slots : holder.shared_slots) & mask) == mask) return true;
  for (unsigned slot = first; slot < first + count; ++slot) {
    if (slot_exclusive_[slot] != nullptr && slot_exclusive_[slot] != &holder) return false;
    const int own = (holder.shared_slots >> slot) & 1;
    if (exclusive && slot_shared_[slot] > own) return false;
  }
  for (unsigned slot = first; slot < first + count; ++slot) {
    if (exclusive) {
      slot_exclusive_[slot] = &holder;
    } else {
      ++slot_shared_[slot];
    }
  }
  auto& held = exclusive ? holder.exclusive_slots : holder.shared_slots;
  held = static_cast<std::uint16_t>(held | mask);
  return true;
}

void DatabaseLocks::unlock_slots(Holder& holder, unsigned first, unsigned count) {
  std::lock_guard guard(mutex_);
  for (unsigned slot = first; slot < first + count; ++slot) {
    const auto bit = static_cast<std::uint16_t>(1U << slot);
    if (holder.shared_slots & bit) --slot_shared_[slot];
    if (holder.exclusive_slots & bit) slot_exclusive_[slot] = nullptr;
    holder.shared_slots = static_cast<std::uint16_t>(holder.shared_slots & ~bit);
    holder.exclusive_slots = static_cast<std::uint16_t>(holder.exclusive_slots & ~bit);
  }
}

void DatabaseLocks::leave_index(Holder& holder) {
  unlock_slots(holder, 0, slot_count);
}

void DatabaseLocks::note_frame(std::size_t frame, std::uint32_t checksum) {
  std::unique_lock guard(frames_mutex_);
  if (frame >= frames_.size()) {
    frames_.resize(frame + 1);
    frame_known_.resize(frame + 1);
  }
  frames_[frame] = checksum;
  frame_known_[frame] = true;
}

void DatabaseLocks::forget_frame(std::size_t frame) {
  std::unique_lock guard(frames_mutex_);
  if (frame < frame_known_.size()) frame_known_[frame] = false;
}

std::optional<std::uint32_t> DatabaseLocks::frame_checksum(std::size_t frame) const {
  std::shared_lock guard(frames_mutex_);
  if (frame >= frames_.size() || !frame_known_[frame]) return std::nullopt;
  return frames_[frame];
}

}  // namespace wolke::store
