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

async::Task<Result<Passed>> pass(S3& s3, Passage passage) {
  const Body& body = passage.body;
  Running running = start(passage.digests);
  std::unique_ptr<store::BlobWriter> writer;
  std::unique_ptr<store::BlobReader> reader;
  auto take = [&](std::string_view bytes) -> Result<void> {
    update(running, bytes);
    if (!passage.into) return {};
    if (!writer) {
      TRY(writer, s3.blobs.create(*passage.into));
    }
    return writer->write(bytes);
  };
  auto run = [&](auto work) { return async::run_on(s3.runner.pool, s3.runner.loop, work); };
  if (body.blobs.empty()) {
    std::optional<Result<void>> taken = co_await run([&] { return take(body.inline_bytes); });
    if (!taken) co_return fail(overloaded());
    CO_TRY(std::move(*taken));
  }
  for (const BlobRange& range : body.blobs) {
    reader.reset();
    for (std::uint64_t done = 0; done < range.length;) {
      std::uint64_t length = std::min(piece_bytes, range.length - done);
      auto work = [&]() -> Result<void> {
        if (!reader) {
          TRY(reader, s3.blobs.open(range.blob, passage.customer_key));
        }
        TRY(std::string bytes, reader->read(range.offset + done, length));
        return take(bytes);
      };
      std::optional<Result<void>> read = co_await run(work);
      if (!read) co_return fail(overloaded());
      CO_TRY(std::move(*read));
      done += length;
    }
  }
  Passed passed;
  passed.to = body;
  if (writer) {
    std::optional<Result<BlobRef>> sealed = co_await run([&] { return writer->seal(); });
    if (!sealed) co_return fail(overloaded());
    CO_TRY(const BlobRef blob, std::move(*sealed));
    passed.to = Body{};
    passed.to.blobs.push_back({.blob = blob, .offset = 0, .length = blob.size});
  }
  for (auto& [name, digest] : running) passed.to.digests[name] = digest.finish();
  passed.from = std::move(passage.body);
  co_return passed;
}

async::Task<Result<BlobRef>> write_blob(S3& s3, store::KeyChoice key, std::string bytes) {
  auto work = [&]() -> Result<BlobRef> {
    TRY(std::unique_ptr<store::BlobWriter> writer, s3.blobs.create(key));
    TRY(writer->write(bytes));
    return writer->seal();
  };
  std::optional<Result<BlobRef>> written =
      co_await async::run_on(s3.runner.pool, s3.runner.loop, work);
  if (!written) co_return fail(overloaded());
  co_return std::move(*written);
}

}  // namespace wolke::s3
