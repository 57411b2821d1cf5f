#include "wolke/gateway/staging.h"

#include <array>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"

namespace wolke::gateway {

namespace {

constexpr std::array<std::pair<std::string_view, HashKind>, 6> digest_names = {{
    {"md5", HashKind::md5},
    {"sha1", HashKind::sha1},
    {"sha256", HashKind::sha256},
    {"crc32", HashKind::crc32},
    {"crc32c", HashKind::crc32c},
    {"crc64nvme", HashKind::crc64nvme},
}};

class Digests {
 public:
  explicit Digests(const std::set<std::string>& wanted) {
    for (const auto& [name, kind] : digest_names) {
      if (wanted.contains(std::string(name))) running_.emplace(name, Digest(kind));
    }
  }
  void update(std::string_view piece) {
    for (auto& [name, digest] : running_) digest.update(piece);
  }
  std::map<std::string, std::string> finish() {
    std::map<std::string, std::string> out;
    for (auto& [name, digest] : running_) out[name] = digest.finish();
    return out;
  }

 private:
  std::map<std::string, Digest> running_;
};

Error too_large() {
  return Error{.code = "EntityTooLarge",
               .status = 400,
               .message = "Your proposed upload exceeds the maximum allowed size"};
}

Error overloaded() {
  return Error{.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."};
}

/// Runs `work` (Result<void>) on the pool.
template <class Work>
async::Task<Result<void>> on_pool(Staging staging, Work work) {
  std::optional<Result<void>> done =
      co_await async::run_on(staging.pool, staging.loop, std::move(work));
  if (!done) co_return fail(overloaded());
  co_return std::move(*done);
}

}  // namespace

async::Task<Result<Body>> stage_body(Staging staging, NextPiece next, StagingPlan plan) {
  Digests digests(plan.digests);
  std::string pending;  // not yet written: all of a small body, else less than a piece
  std::unique_ptr<store::BlobWriter> writer;
  std::uint64_t total = 0;
  // A customer's key is gone when its body is read again: a record could not be opened then.
  const std::size_t inline_max = plan.key.customer_key.empty() ? limits::body_inline_max : 0;
  for (;;) {
    CO_TRY(std::string piece, co_await next());
    bool at_end = piece.empty();
    total += piece.size();
    if (total > plan.bytes_max) co_return fail(too_large());
    pending += piece;
    if (at_end && !writer && pending.size() <= inline_max) break;
    if (!at_end && pending.size() < limits::body_piece_bytes) continue;
    auto write = [&staging, &writer, &digests, &pending, &plan]() -> Result<void> {
      if (!writer) {
        TRY(writer, staging.blobs.create(plan.key));
      }
      digests.update(pending);
      return writer->write(pending);
    };
    CO_TRY(co_await on_pool(staging, write));
    pending.clear();
    if (at_end) break;
  }
  Body body;
  if (!writer) {
    digests.update(pending);
    body.inline_bytes = std::move(pending);
  } else {
    BlobRef ref;
    auto seal = [&writer, &ref]() -> Result<void> {
      TRY(ref, writer->seal());
      return {};
    };
    CO_TRY(co_await on_pool(staging, seal));
    body.blobs.push_back(BlobRange{.blob = ref, .offset = 0, .length = ref.size});
  }
  body.digests = digests.finish();
  co_return body;
}

std::set<std::string> wanted_digests(
    const std::vector<std::pair<std::string, std::string>>& headers, bool literal_hash) {
  std::set<std::string> wanted = {"md5", "crc64nvme"};
  if (literal_hash) wanted.insert("sha256");
  constexpr std::string_view prefix = "x-amz-checksum-";
  for (const auto& [name, value] : headers) {
    if (name.starts_with(prefix)) wanted.insert(name.substr(prefix.size()));
    if (name == "x-amz-sdk-checksum-algorithm" || name == "x-amz-checksum-algorithm")
      wanted.insert(to_lower(value));
    if (name == "x-amz-trailer") {
      for (std::string_view trailer : split(value, ',')) {
        std::string lower = to_lower(trim(trailer));
        if (lower.starts_with(prefix)) wanted.insert(lower.substr(prefix.size()));
      }
    }
  }
  return wanted;
}

async::Task<Result<std::string>> buffer_body(NextPiece next, std::size_t bytes_max) {
  std::string body;
  for (;;) {
    CO_TRY(std::string piece, co_await next());
    if (piece.empty()) co_return body;
    if (body.size() + piece.size() > bytes_max) {
      co_return fail(
          {.code = "RequestEntityTooLargeException",
           .status = 413,
           .message = "Request must be smaller than " + std::to_string(bytes_max) + " bytes"});
    }
    body += piece;
  }
}

}  // namespace wolke::gateway
