// Any bytes as a policy document of each kind, evaluated when it parses. Oracles: adding a
// statement that denies everything denies; a document parses the same twice.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wolke/identity/evaluation.h"

namespace {

using namespace wolke::identity;

const std::shared_ptr<const Policy>& deny_all() {
  static const std::shared_ptr<const Policy> policy = *Policy::parse(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]})",
      PolicyKind::identity);
  return policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Principal who;
  who.kind = PrincipalKind::user;
  who.account = "111111111111";
  who.arn = "arn:aws:iam::111111111111:user/ann";
  who.user_name = "ann";
  const Conditions request = {{"aws:username", {"ann"}},
                              {"aws:sourceip", {"10.1.2.3"}},
                              {"aws:currenttime", {"2026-11-23T09:51:13Z"}},
                              {"aws:tagkeys", {"a", "b"}}};
  const Ask ask{"s3:GetObject", "arn:aws:s3:::photos/a/b"};
  for (const PolicyKind kind : {PolicyKind::identity, PolicyKind::resource, PolicyKind::trust}) {
    const auto policy = Policy::parse(text, kind);
    if (policy.has_value() != Policy::parse(text, kind).has_value()) std::abort();
    if (!policy) continue;
    const NamedPolicy named{"fuzzed", *policy};
    PolicySet set;
    const NamedPolicy* resource = kind == PolicyKind::identity ? nullptr : &named;
    if (resource == nullptr) set.identity.push_back(named);
    (void)evaluate(who, set, resource, ask, request);
    set.identity.push_back({"deny", deny_all()});
    if (evaluate(who, set, resource, ask, request).allowed) std::abort();
  }
  return 0;
}
