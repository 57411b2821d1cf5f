#pragma once
// IAM: users, groups, roles, their policies and keys, over the records of identity/state.h. Every
// operation is a transaction in the account's own shard. Threads: immutable; operations run on any
// pool thread.

#include <cstdint>

#include "wolke/base/limits.h"
#include "wolke/identity/seal.h"
#include "wolke/operation/operation.h"
#include "wolke/store/store.h"

namespace wolke::iam {

/// Which URLs OpenID Connect providers may have. `dev` takes http to this machine, too.
enum class Issuers : std::uint8_t { secure, loopback_too };

struct Iam {
  store::Store& store;         // the asks read paths from it
  const identity::Seal& seal;  // access keys' secrets
  Limits limits = {};
  Issuers issuers = Issuers::secure;
};

/// The service as the gateway sees it; `iam` must outlive it.
/// `iam` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable iam_table(Iam* iam);

}  // namespace wolke::iam
