#include "wolke/services/s3/rehash.h"

#include <algorithm>
#include <map>

#include "wolke/async/pool.h"
#include "wolke/services/s3/checksums.h"

namespace wolke::s3 {
namespace {

constexpr std::uint64_t piece_bytes = 4ULL << 20;

Error overloaded() {
  return Error{"SlowDown", 503, "Please reduce your request rate."};
}

using Running = std::map<std::string, Digest>;

Running start(const std::vector<std::string>& names) {
  Running running;
  for (const std::string& name : names) {
    const ChecksumAlgorithm* algorithm = find_checksum_algorithm(name);
    running.emplace(name, Digest(algorithm != nullptr ? algorithm->kind : HashKind::md5));
  }
  return running;
}

void update(Running& running, std::string_view bytes) {
  for (auto& [name, digest] : running) digest.update(bytes);
}

}  // namespace

async::Task<Result<Body>> with_digests(S3& s3, Body body, std::vector<std::string> names) {
  Running running = start(names);
  if (body.blobs.empty()) update(running, body.inline_bytes);
  for (const BlobRange& range : body.blobs) {
    std::unique_ptr<store::BlobReader> reader;
    for (std::uint64_t done = 0; done < range.length;) {
      std::uint64_t length = std::min(piece_bytes, range.length - done);
      auto work = [&]() -> Result<void> {
        if (!reader) {
          TRY(reader, s3.blobs.open(range.blob));
        }
        TRY(std::string bytes, reader->read(range.offset + done, length));
        update(running, bytes);
        return {};
      };
      std::optional<Result<void>> read =
          co_await async::run_on(s3.runner.pool, s3.runner.loop, work);
      if (!read) co_return fail(overloaded());
      CO_TRY(std::move(*read));
      done += length;
    }
  }
  for (auto& [name, digest] : running) body.digests[name] = digest.finish();
  co_return body;
}

async::Task<Result<BlobRef>> write_blob(S3& s3, std::string bytes) {
  auto work = [&]() -> Result<BlobRef> {
    TRY(std::unique_ptr<store::BlobWriter> writer, s3.blobs.create());
    TRY(writer->write(bytes));
    return writer->seal();
  };
  std::optional<Result<BlobRef>> written =
      co_await async::run_on(s3.runner.pool, s3.runner.loop, work);
  if (!written) co_return fail(overloaded());
  co_return std::move(*written);
}

}  // namespace wolke::s3
