#pragma once
// Resolver: from a function's name to what runs. A resolved function is immutable; it is cached
// until anything of this service's state changes, so the warm path reads no store.
//
// Threads: cached() and remember() on the loop; load() blocks and belongs on a pool thread;
// note_change() from any. Why two invalidations: the store's hint comes right after a commit was
// acknowledged, so an operation that is about to change something also keeps the cache shut for a
// while; between them no caller sees its own change undone.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/deliver/automaton.h"
#include "wolke/invoke/invoke.h"
#include "wolke/services/lambda/function_name.h"
#include "wolke/services/lambda/package.h"
#include "wolke/services/lambda/policy.h"
#include "wolke/store/blobs.h"

namespace wolke::lambda {

struct ResolvedFunction {
  struct Route {
    double weight = 0;  // of additional versions; the first route takes the rest
    invoke::FunctionSpec spec;
  };
  FunctionRef ref;
  std::vector<Route> routes;  // never empty
  Policy policy;              // of this qualifier
  deliver::Policy async;
  bool recursion_allowed = false;

  /// `point` in [0, 1) chooses by weight.
  const invoke::FunctionSpec& choose(double point) const;
};
// Shared by the cache and the invocations that use it.
using Resolved = std::shared_ptr<const ResolvedFunction>;

class Resolver {
 public:
  struct Parts {
    Clock& clock;
    store::Store& store;
    store::BlobStore& blobs;
    Packages& packages;
  };
  explicit Resolver(Parts parts);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  struct Stamp {
    std::uint64_t generation = 0;
  };
  Resolved cached(const FunctionRef& ref) const;
  Stamp stamp() const { return {generation_.load()}; }
  /// `stamp` was taken before the load; a change since then keeps the result out of the cache.
  void remember(Resolved resolved, Stamp stamp);
  /// Reads the store; unzips the package again if its directory was lost.
  Result<Resolved> load(const FunctionRef& ref);
  void note_change();

 private:
  struct Entry {
    Resolved resolved;
    std::uint64_t generation = 0;
  };
  /// The code's directory, unzipped again if it was lost.
  Result<std::string> ensure_package(const Code& code);

  Parts parts_;
  std::map<std::string, Entry> cache_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<std::int64_t> shut_until_ns_{0};
  std::uint64_t watch_ = 0;
};

invoke::FunctionSpec spec_of(const FunctionRef& ref, const Function& function,
                             const FunctionVersion& version, std::string package_path);

}  // namespace wolke::lambda
