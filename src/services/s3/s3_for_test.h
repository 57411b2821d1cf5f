#pragma once
// The service on a memory store with a manual clock and a seeded random, for the tests beside it.
// Included by tests only.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <random>

#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/base/hash.h"
#include "wolke/operation/runner.h"
#include "wolke/services/s3/asks.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"
#include "wolke/store/blobs.h"
#include "wolke/store/engines.h"

namespace wolke::s3 {

class SeededRandom : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
  }

 private:
  std::mt19937 engine_{42};
};

/// Allows everything but what `denied` names ("s3:ListBucket", or an ARN).
class TestAuthorizer : public identity::Authorizer {
 public:
  TestAuthorizer() {
    principal_.kind = identity::PrincipalKind::user;
    principal_.account = "111122223333";
    principal_.arn = "arn:aws:iam::111122223333:user/ada";
    principal_.unique_id = "AIDAEXAMPLE";
  }
  identity::Decision decide(const identity::Ask& ask) const override {
    for (const std::string& one : denied) {
      if (one == ask.action || one == ask.resource) return {.allowed = false, .why = "test"};
    }
    return {.allowed = true};
  }
  const identity::Principal& principal() const override { return principal_; }

  std::vector<std::string> denied;
  identity::Principal principal_;
};

class Functions : public FunctionDirectory {
 public:
  Result<DestinationState> destination_state(store::Tx&, const std::string&, const std::string&,
                                             const std::string&) const override {
    return state;
  }
  DestinationState state = DestinationState::ready;
};

class S3Test : public ::testing::Test {
 protected:
  S3Test() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wolke-s3-XXXXXX").string();
    ASSERT(::mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    Result<std::unique_ptr<store::BlobStore>> opened =
        store::open_file_blobs(system_env(), directory, keys);
    ASSERT(opened.has_value());
    blobs = *std::move(opened);
    s3 = std::make_unique<S3>(S3{.store = *store,
                                 .blobs = *blobs,
                                 .keys = keys,
                                 .runner = {.store = *store, .pool = pool, .loop = loop},
                                 .functions = &functions});
    context.request_id = "REQUEST1";
    context.account = authorizer.principal_.account;
    context.region = "us-east-1";
    context.now = *parse_iso8601("2026-11-23T09:51:13.250Z");
    context.random = &random;
    context.authorizer = &authorizer;
    context.host = "127.0.0.1:4566";
    context.source_ip = "10.1.2.3";
  }
  ~S3Test() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  /// Runs an operation as the runner does and commits.
  template <class Out, class Input>
  Result<Out> run(Result<Out> (*operation)(S3&, Tx&, const Context&, const Input&),
                  const Input& in) {
    std::optional<Out> out;
    Result<void> done = operation::transact_blocking(*store, [&](Tx& tx) -> Result<void> {
      TRY(Out value, operation(*s3, tx, context, in));
      out.emplace(std::move(value));
      return {};
    });
    if (!done) return fail(done.error());
    return *std::move(out);
  }

  /// Runs an operation that is a task, on a loop of its own.
  template <class Out, class Input>
  Result<Out> run_task(async::Task<Result<Out>> (*operation)(S3&, Context, Input),
                       const Input& in) {
    std::optional<Result<Out>> out;
    async::Loop own;
    s3 = std::make_unique<S3>(S3{.store = *store,
                                 .blobs = *blobs,
                                 .keys = keys,
                                 .runner = {.store = *store, .pool = pool, .loop = own},
                                 .functions = &functions});
    own.spawn(drive(operation(*s3, context, in), out, own));
    own.run();
    return *std::move(out);
  }

  void make_bucket(const std::string& name) {
    In<op::CreateBucket> in;
    in.bucket = name;
    Answer<op::CreateBucket> made = run(create_bucket, in);
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }

  In<op::PutObject> put_input(const std::string& key, const std::string& bytes) {
    In<op::PutObject> in;
    in.bucket = "photos";
    in.key = key;
    in.body.emplace().inline_bytes = bytes;
    return in;
  }

  Answer<op::PutObject> put(const std::string& key, const std::string& bytes = "hello") {
    return run(put_object, put_input(key, bytes));
  }

  Answer<op::GetObject> get(const std::string& key) {
    In<op::GetObject> in;
    in.bucket = "photos";
    in.key = key;
    return run(get_object, in);
  }

  /// A body that lies in a blob, with the digests that the edge computes.
  Body blob_body(const std::string& bytes) {
    auto writer = blobs->create({.account = context.account});
    ASSERT(writer && (*writer)->write(bytes));
    Result<BlobRef> ref = (*writer)->seal();
    ASSERT(ref.has_value());
    Body body;
    body.blobs.push_back({*ref, 0, bytes.size()});
    body.digests["md5"] = digest(HashKind::md5, bytes);
    body.digests["crc64nvme"] = digest(HashKind::crc64nvme, bytes);
    return body;
  }

  std::string bytes_of(const std::optional<Body>& body) {
    Result<std::string> bytes = store::read_body(*blobs, body.value_or(Body{}), 1U << 30);
    return bytes ? *bytes : "unreadable: " + bytes.error().message;
  }

  /// All records of the store whose key contains `text`.
  std::vector<store::Record> records_with(const std::string& text) {
    std::vector<store::Record> found;
    auto snapshot = store->snapshot();
    for (unsigned shard = 0; shard < store::shard_count; ++shard) {
      Result<store::Page> page = (*snapshot)->scan({.shard = static_cast<store::Shard>(shard),
                                                    .records_max = 10'000,
                                                    .bytes_max = 1U << 30});
      for (store::Record& record : page->records) {
        if (record.key.find(text) != std::string::npos) found.push_back(std::move(record));
      }
    }
    return found;
  }

  std::unique_ptr<store::Store> store = store::open_memory_store();
  async::Pool pool{1, 64};
  async::Loop loop;
  std::string directory;
  store::Keyring keys{std::string(store::cipher_key_bytes, 'k')};
  std::unique_ptr<store::BlobStore> blobs;
  SeededRandom random;
  TestAuthorizer authorizer;
  Functions functions;
  std::unique_ptr<S3> s3;
  Context context;

 private:
  template <class T>
  static async::Task<void> drive(async::Task<T> task, std::optional<T>& out, async::Loop& loop) {
    out.emplace(co_await task);
    loop.stop();
  }
};

#define EXPECT_ERROR(result, expected_code)                                      \
  do {                                                                           \
    ASSERT_FALSE((result).has_value());                                          \
    EXPECT_EQ((result).error().code, expected_code) << (result).error().message; \
  } while (false)

}  // namespace wolke::s3
