#pragma once
// What the operations on multipart uploads share.

#include <cstdint>
#include <optional>
#include <string>

#include "wolke/operation/operation.h"
#include "wolke/services/s3/checksums.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::int32_t part_number_max = 10'000;
inline constexpr std::uint64_t part_bytes_min = 5ULL << 20;  // but for the last
inline constexpr std::uint64_t copy_bytes_max = 5ULL << 30;

/// The upload with a check, so that the transaction conflicts with its end; NoSuchUpload.
Result<Upload> require_upload(store::Tx& tx, const std::string& bucket, const std::string& key,
                              const std::string& upload_id);
Result<std::uint32_t> check_part_number(std::int32_t number);

/// A new id; ids of one key sort by the time they were made.
std::string new_upload_id(const operation::Context& context);

/// What a part must know of itself so that the upload can be completed: MD5, CRC-64/NVME, the
/// upload's own algorithm.
std::vector<std::string> part_digest_names(const Upload& upload);
/// Makes the part of `body`, all of whose part_digest_names() are in its digests (or computable:
/// inline bytes).
Part make_part(const Upload& upload, Body body, Timestamp now);

/// The checksum that belongs into a part's answers: of the upload's algorithm, or of `extra` (what
/// the client sent).
template <class Shape>
void tell_part_checksum(const Upload& upload, const Part& part, const std::string& extra,
                        Shape& shape) {
  const std::string& name = upload.checksum_algorithm.empty() ? extra : upload.checksum_algorithm;
  auto found = part.checksums.find(name);
  if (found != part.checksums.end()) tell_checksums({*found}, shape);
}

}  // namespace wolke::s3
