#pragma once
// STS: temporary credentials. Sessions are sealed tokens (identity/seal.h), so nothing here writes
// to the store. Threads: immutable; operations run on any pool thread.

#include "wolke/base/shares.h"
#include "wolke/identity/directory.h"
#include "wolke/operation/operation.h"
#include "wolke/operation/runner.h"
#include "wolke/services/sts/issuer_keys.h"

namespace wolke::sts {

/// What the tokens of web identities need.
struct WebIdentities {
  operation::Runner runner;
  IssuerKeys& keys;
  /// Of each account: tokens that are verified or wait for it, and those that are verified. The
  /// issuer may be slow, or its account's own.
  Shares waiting{64};
  Shares asking{2};
};

struct Sts {
  identity::Directory& directory;
  WebIdentities* web = nullptr;  // nullptr: none is taken
};

/// The service as the gateway sees it; `sts` must outlive it.
/// `sts` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable sts_table(Sts* sts);

}  // namespace wolke::sts
