#pragma once
// Authentication: from a request's signature to a Caller: who it is and what may be asked of the
// policies. The one place where a caller becomes known. Implemented over identity/ by
// make_authentication().

#include <memory>
#include <optional>
#include <string>

#include "wolke/async/task.h"
#include "wolke/identity/authorizer.h"
#include "wolke/identity/directory.h"
#include "wolke/identity/sigv4.h"

namespace wolke::gateway {

/// What the gate tells about a request beside its bytes.
struct Approach {
  identity::RawRequest raw;
  identity::Dialect dialect = identity::Dialect::query;
  std::string signing_name;
  std::string source_ip;
  std::string user_agent;
  bool tls = false;
  std::string sandbox_id;  // the door it came through; empty: public
  Timestamp now{};
  bool unsigned_allowed = false;  // identity::Expected
};

struct Caller {
  std::unique_ptr<identity::Authorizer> authorizer;
  /// nullopt: anonymous.
  std::optional<identity::Authorization> authorization;
  identity::Verified verified;
  /// The signature over the body must hold (false for `wolke dev`'s test keys: their secret is not
  /// known).
  bool signature_checked = true;
  std::string region;
};

class Authentication {
 public:
  virtual ~Authentication() = default;
  /// `body_sha256`: hexadecimal, only when the body is already there (services that sign no payload
  /// hash); else empty. May read the store: call on a pool thread.
  virtual Result<Caller> authenticate(const Approach& approach, std::string_view body_sha256) = 0;
};

/// Over the directory, which outlives it.
std::unique_ptr<Authentication> make_authentication(identity::Directory& directory,
                                                    std::string default_region);

}  // namespace wolke::gateway
