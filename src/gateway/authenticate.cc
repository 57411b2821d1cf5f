#include "wolke/gateway/authenticate.h"

#include "wolke/net/http.h"

namespace wolke::gateway {

namespace {

class DirectoryAuthentication final : public Authentication {
 public:
  DirectoryAuthentication(identity::Directory& directory, std::string default_region)
      : directory_(directory), default_region_(std::move(default_region)) {}

  Result<Caller> authenticate(const Approach& approach, std::string_view body_sha256) override {
    identity::Expected expected{.dialect = approach.dialect,
                                .service = approach.signing_name,
                                .region = {},
                                .body_sha256 = body_sha256,
                                .unsigned_allowed = approach.unsigned_allowed};
    TRY(identity::Identified identified,
        directory_.identify(approach.raw, expected, approach.sandbox_id, approach.now));
    Caller caller;
    caller.region = identified.authorization ? identified.authorization->region : default_region_;
    const std::string* referer = net::find_header(*approach.raw.headers, "referer");
    identity::RequestFacts facts{.source_ip = approach.source_ip,
                                 .user_agent = approach.user_agent,
                                 .region = caller.region,
                                 .secure_transport = approach.tls,
                                 .now = approach.now,
                                 .credentials = std::move(identified.conditions),
                                 .referer = referer ? *referer : ""};
    TRY(caller.authorizer, directory_.make_authorizer(std::move(identified.principal), facts));
    caller.authorization = std::move(identified.authorization);
    caller.verified = std::move(identified.verified);
    caller.signature_checked = identified.signature_checked;
    return caller;
  }

 private:
  identity::Directory& directory_;
  std::string default_region_;
};

}  // namespace

std::unique_ptr<Authentication> make_authentication(identity::Directory& directory,
                                                    std::string default_region) {
  return std::make_unique<DirectoryAuthentication>(directory, std::move(default_region));
}

}  // namespace wolke::gateway
