#pragma once
// Staging: a request's bytes become a Body before the operation runs. Up to limits::body_inline_max
// they stay in memory and will lie in the commit; beyond that they stream, piece by piece, into a
// blob that is durable when staging ends and visible only when an operation refers to it
// (unreferred blobs are collected). At most a piece is in memory.
//
// Threads: the loop drives; writing and hashing of large bodies run on the pool. Failure: nothing
// becomes visible.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/async/task.h"
#include "wolke/base/body.h"
#include "wolke/base/hash.h"
#include "wolke/store/blobs.h"

namespace wolke::gateway {

/// The next decoded piece of the body; empty at the end.
using NextPiece = std::function<async::Task<Result<std::string>>()>;

struct Staging {
  async::Loop& loop;
  async::Pool& pool;
  store::BlobStore& blobs;
};

struct StagingPlan {
  std::set<std::string> digests;  // "md5", "crc64nvme", "sha256", …
  std::uint64_t bytes_max = 0;    // "EntityTooLarge" beyond
  store::KeyChoice key;           // of the blob
};

async::Task<Result<Body>> stage_body(Staging staging, NextPiece next, StagingPlan plan);

/// Digest names that a request asks for: md5 and crc64nvme always; those of x-amz-checksum-*,
/// x-amz-trailer, x-amz-sdk-checksum-algorithm; sha256 when the payload's hash is signed.
std::set<std::string> wanted_digests(
    const std::vector<std::pair<std::string, std::string>>& headers, bool literal_hash);

/// Buffers a body of at most bytes_max; "RequestEntityTooLarge" 413 beyond.
async::Task<Result<std::string>> buffer_body(NextPiece next, std::size_t bytes_max);

}  // namespace wolke::gateway
