#pragma once
// The S3 service: what it needs (ports, wired by app/) and what others may ask of it.
//
//   S3 s3{.store = store, .blobs = blobs, .keys = keys, .runner = runner, .functions = &directory};
//   gateway_parts.services.push_back(s3_table(&s3));
//
// Lifetime: everything borrowed outlives S3, and S3 the gateway. Threads: operations run on pool
// threads, several at once; S3 itself holds no state.

#include <cstdint>
#include <optional>
#include <string>

#include "wolke/base/limits.h"
#include "wolke/model/s3/types.h"
#include "wolke/operation/operation.h"
#include "wolke/operation/runner.h"
#include "wolke/services/s3/ports.h"
#include "wolke/store/blobs.h"
#include "wolke/store/cipher.h"
#include "wolke/store/store.h"

namespace wolke::s3 {

/// How a bucket is made whose CreateBucket says nothing of it. Amazon S3 changed it in April 2023.
enum class NewBuckets : std::uint8_t {
  closed,   // as since: no access control lists, all public access blocked
  classic,  // as before: access control lists in force, nothing blocked
};

class AccessLogs;

struct S3 {
  store::Store& store;  // the gate's questions: who owns this bucket, how is this object tagged
  store::BlobStore&
      blobs;  // completing an upload whose last part is small, copies with a new checksum
  const store::Keyring& keys;                    // of small bodies, which lie in records
  operation::Runner runner;                      // for those
  const FunctionDirectory* functions = nullptr;  // nullptr: no function can be a destination
  Limits limits = {};
  NewBuckets new_buckets = NewBuckets::closed;
  AccessLogs* access_logs = nullptr;  // nullptr: none are delivered
};

/// `s3` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable s3_table(S3* s3);

/// The policy of the bucket that "arn:aws:s3:::bucket" or "arn:aws:s3:::bucket/key" names: JSON;
/// nullopt when the bucket has none or does not exist. For identity::ResourcePolicies.
Result<std::optional<std::string>> policy_of_arn(store::Snapshot& snapshot,
                                                 const std::string& resource_arn);
/// The same by the bucket's name.
Result<std::optional<std::string>> bucket_policy(store::Snapshot& snapshot,
                                                 const std::string& bucket);
/// The bucket's rules for browsers of other origins; nullopt when it has none or does not exist.
Result<std::optional<model::s3::CORSConfiguration>> cors_of(store::Snapshot& snapshot,
                                                            const std::string& bucket);
/// The account that owns the bucket; nullopt when it does not exist.
Result<std::optional<std::string>> bucket_owner(store::Snapshot& snapshot,
                                                const std::string& bucket);

}  // namespace wolke::s3
