#pragma once
// IssuerKeys: the keys that an OpenID Connect issuer publishes, fetched when a token of it arrives
// and remembered for a while. Its discovery document names where they are.
//
// The URL comes from whoever may create a provider, so this is a door through which the server can
// be sent to places: only https (in `dev` http to this machine, too), no redirects, and only public
// addresses, judged after the name was resolved and before anything is sent; private networks and
// loopback only where the operator says so; link-local addresses never. Answers, time and memory
// are bounded. The issuer's certificate is verified by the host's authorities or, when they do not
// know it, by one that has a thumbprint of the provider.
//
// Threads: any; keys_of() blocks, so it runs on `pool()`, whose threads do nothing else. Failure:
// "IDPCommunicationError" (the issuer cannot be reached; try again), "InvalidIdentityToken" (what
// it publishes is no set of keys).

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/base/guarded.h"
#include "wolke/base/result.h"

struct sockaddr;

namespace wolke::sts {

/// Where issuers may be.
struct Reach {
  bool loopback = false;          // with http, too
  bool private_networks = false;  // loopback, 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7
};

/// Whether the server may connect there on a user's word.
bool may_reach(const sockaddr& address, Reach reach);

struct IssuerQuestion {
  std::string url;                       // "https://issuer.example/path", as the token has it
  std::vector<std::string> thumbprints;  // lower case
  /// The keys that are remembered do not have the token's: ask again, if that is not too soon.
  bool again = false;
};

class IssuerKeys {
 public:
  IssuerKeys(Env env, Reach reach);
  ~IssuerKeys();
  IssuerKeys(const IssuerKeys&) = delete;
  IssuerKeys& operator=(const IssuerKeys&) = delete;

  /// The text of the issuer's JSON Web Key Set.
  Result<std::string> keys_of(const IssuerQuestion& question);
  async::Pool& pool() { return pool_; }

 private:
  struct Known {
    Result<std::string> keys;
    Monotonic fetched;
  };
  Result<std::string> fetch_keys(const IssuerQuestion& question) const;

  Env env_;
  Reach reach_;
  Guarded<std::map<std::string, Known>> known_;
  async::Pool pool_;
};

}  // namespace wolke::sts
