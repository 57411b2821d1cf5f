#pragma once
// What both engines say of a batch before they apply it: its limits, and the keys of its appends.
// Pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "wolke/store/store.h"

namespace wolke::store {

inline constexpr std::size_t key_bytes_max = 4096;
inline constexpr std::size_t batch_entries_max = 20'000;
inline constexpr std::size_t batch_bytes_max = 16 * 1024 * 1024;

/// Bytes of keys and values, for the queue's cap.
std::size_t batch_bytes(const Batch& batch);
/// Bytes of the values alone: what a batch adds to the database.
std::size_t value_bytes(const Batch& batch);

/// "KeyTooLong", "RecordTooLarge", "BatchTooLarge" or "FencedOff" when the batch cannot be
/// committed whatever the store holds. An engine of one node owns every shard at epoch 0.
std::optional<Error> refuse_batch(const Batch& batch);

/// prefix || version || index, both big-endian.
std::string append_key(std::string_view prefix, Version version, std::uint32_t index);

/// An add to a record that is none; its batch fails.
Error not_a_counter();

CommitResult committed(Version version);
CommitResult conflict();
CommitResult failed(Error error);

}  // namespace wolke::store
