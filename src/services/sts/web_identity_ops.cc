// AssumeRoleWithWebIdentity: a token of an OpenID Connect provider for a role's credentials. Its
// caller is nobody before the token is verified; from there it is the provider's subject, and the
// role's trust policy decides. Source: STS API Reference, AssumeRoleWithWebIdentity; IAM User
// Guide, "Available keys for AWS OIDC federation".

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/jwt.h"
#include "wolke/services/sts/ops.h"
#include "wolke/services/sts/session_rules.h"

namespace wolke::sts {
namespace {

using identity::Jwt;
using identity::JwtVerdict;
using Input = op::AssumeRoleWithWebIdentity::Input;
using Output = op::AssumeRoleWithWebIdentity::Output;

Error invalid_token(std::string text) {
  return {"InvalidIdentityToken", 400, std::move(text)};
}

Error not_authorized() {
  return {"AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity"};
}

constexpr auto turn_wait_max = std::chrono::seconds(10);
constexpr auto turn_pause = std::chrono::milliseconds(5);

Error too_busy() {
  return {"IDPCommunicationError", 400, "Too many identity providers are being asked; try again."};
}

/// What is known of the bearer before and after the issuer was asked.
struct Bearer {
  Jwt token;
  identity::IamArn role;
  identity::OidcProviderRecord provider;
  std::string provider_arn;
  std::string audience;
};

/// The issuer as providers are named: without scheme and closing slash.
std::string provider_name(std::string_view issuer) {
  const std::size_t scheme = issuer.find("://");
  std::string out(scheme == std::string_view::npos ? issuer : issuer.substr(scheme + 3));
  while (out.ends_with('/')) out.pop_back();
  return out;
}

Result<Bearer> read_bearer(Sts& sts, const Input& in) {
  if (in.provider_id) {
    return fail(validation_error(
        "ProviderId is for OAuth 2.0 access tokens, which are not served by this server."));
  }
  TRY(check_session_name(*in.role_session_name, "roleSessionName", 64));
  const auto role = identity::parse_iam_arn(*in.role_arn);
  if (!role || role->type != "role")
    return fail(validation_error(fmt::format("{} is invalid", printable(*in.role_arn))));
  Bearer out;
  out.role = *role;
  TRY(out.token, identity::parse_jwt(*in.web_identity_token));
  const std::string name = provider_name(out.token.issuer);
  TRY(auto provider, sts.directory.oidc_provider(role->account, name));
  // The scheme counts, too: a provider of https never speaks over http.
  const bool secure =
      out.token.issuer.starts_with("https://") || out.token.issuer.find("://") == std::string::npos;
  if (!provider || provider->plain_http == secure) {
    return fail(invalid_token(fmt::format("No OpenIDConnect provider found in your account for {}",
                                          printable(out.token.issuer))));
  }
  out.provider = *std::move(provider);
  out.provider_arn =
      fmt::format("arn:aws:iam::{}:oidc-provider/{}", role->account, out.provider.name);
  return out;
}

/// Blocks: asks the issuer, if need be twice, when it has turned its keys over.
Result<void> verify_bearer(IssuerKeys& keys, const Bearer& bearer) {
  const bool bare = bearer.token.issuer.find("://") == std::string::npos;
  IssuerQuestion question{.url = (bare ? "https://" : "") + bearer.token.issuer,
                          .thumbprints = bearer.provider.thumbprints};
  JwtVerdict verdict = JwtVerdict::no_such_key;
  for (const bool again : {false, true}) {
    question.again = again;
    TRY(const std::string set, keys.keys_of(question));
    verdict = identity::verify_jwt(bearer.token, set);
    if (verdict != JwtVerdict::no_such_key) break;
  }
  if (verdict == JwtVerdict::verified) return {};
  return fail(invalid_token(
      verdict == JwtVerdict::bad_signature
          ? "Provided Token signature is invalid"
          : "Couldn't retrieve verification key from your identity provider, please reference "
            "AssumeRoleWithWebIdentity documentation for requirements"));
}

/// Times and audience of a token whose signature holds.
Result<void> check_claims(Bearer& bearer, Timestamp now) {
  const Jwt& token = bearer.token;
  if (now >= token.expires) {
    return fail(Error{"ExpiredTokenException", 400,
                      fmt::format("Token expired: current date/time {} must be before the "
                                  "expiration date/time {}",
                                  to_millis(now) / 1000, to_millis(token.expires) / 1000)});
  }
  const Timestamp from = std::max(token.issued, token.not_before.value_or(token.issued));
  if (now + limits::clock_skew_max < from) {
    return fail(Error{"IDPRejectedClaim", 403, "The token is not valid yet."});
  }
  const auto& clients = bearer.provider.client_ids;
  const auto is_client = [&clients](const std::string& id) {
    return std::ranges::find(clients, id) != clients.end();
  };
  // Who the token was made for is the authorized party, where one is named.
  if (!token.authorized_party.empty()) {
    bearer.audience = token.authorized_party;
  } else if (const auto it = std::ranges::find_if(token.audiences, is_client);
             it != token.audiences.end()) {
    bearer.audience = *it;
  }
  if (!is_client(bearer.audience)) return fail(invalid_token("Incorrect token audience"));
  return {};
}

operation::Asks asks_of(const Bearer& bearer, const Input& in) {
  identity::Ask ask;
  ask.action = "sts:AssumeRoleWithWebIdentity";
  ask.resource = *in.role_arn;
  ask.resource_account = bearer.role.account;
  ask.resource_policy_must_allow = true;
  const std::string issuer = to_lower(bearer.provider.name);
  const Jwt& token = bearer.token;
  ask.conditions[issuer + ":sub"] = {token.subject};
  ask.conditions[issuer + ":aud"] = {bearer.audience};
  ask.conditions[issuer + ":oaud"] = token.audiences;
  if (!token.methods.empty()) ask.conditions[issuer + ":amr"] = token.methods;
  ask.conditions["sts:rolesessionname"] = {*in.role_session_name};
  ask.conditions["aws:federatedprovider"] = {bearer.provider_arn};
  if (!token.source_identity.empty())
    ask.conditions["sts:sourceidentity"] = {token.source_identity};
  if (!token.transitive_tag_keys.empty())
    ask.conditions["sts:transitivetagkeys"] = token.transitive_tag_keys;
  add_tag_conditions(token.tags, ask);
  operation::Asks asks = {ask};
  if (!token.tags.empty()) {
    asks.push_back(ask);
    asks.back().action = "sts:TagSession";
  }
  if (!token.source_identity.empty()) {
    asks.push_back(ask);
    asks.back().action = "sts:SetSourceIdentity";
  }
  return asks;
}

Result<void> authorize(Sts& sts, const Context& context, const Bearer& bearer, const Input& in) {
  identity::Principal principal;
  principal.kind = identity::PrincipalKind::web_identity;
  principal.arn = bearer.provider_arn;
  principal.unique_id = bearer.provider_arn + ":" + bearer.audience + ":" + bearer.token.subject;
  const identity::RequestFacts facts{.source_ip = context.source_ip,
                                     .user_agent = context.user_agent,
                                     .region = context.region,
                                     .secure_transport = context.tls,
                                     .now = context.now};
  TRY(const auto authorizer, sts.directory.make_authorizer(std::move(principal), facts));
  for (const identity::Ask& ask : asks_of(bearer, in)) {
    if (!authorizer->allows(ask)) return fail(not_authorized());
  }
  return {};
}

/// What the token brings, as strict as what is passed to AssumeRole.
Result<void> add_token_tags(const Jwt& token, identity::SessionRequest& out) {
  constexpr std::size_t key_characters_max = 128, value_characters_max = 256;
  TagList list;
  list.emplace();
  for (const auto& [key, value] : token.tags) {
    if (key.empty() || key.size() > key_characters_max || value.size() > value_characters_max)
      return fail(validation_error("A session tag's key or value is too long."));
    list->push_back({.key = key, .value = value});
  }
  TRY(out.tags, checked_tags(list));
  for (const std::string& key : token.transitive_tag_keys) {
    if (!out.tags.contains(key)) {
      return fail(invalid_parameter(
          "The specified transitive tag key must be included in the requested tags."));
    }
    out.transitive_tag_keys.push_back(key);
  }
  if (token.source_identity.empty()) return {};
  TRY(check_session_name(token.source_identity, "sourceIdentity", 64));
  out.source_identity = token.source_identity;
  return {};
}

Result<Output> make_session(Sts& sts, store::Tx& tx, const Context& context, const Bearer& bearer,
                            const Input& in) {
  TRY(authorize(sts, context, bearer, in));
  // From here the bearer may have the role.
  TRY(const identity::EntityRecord role, load_role(tx, *in.role_arn));
  TRY(const std::int32_t seconds,
      session_seconds(in.duration_seconds,
                      {.seconds_max = role.max_session_seconds, .too_long = too_long_for_role}));
  identity::SessionRequest request;
  request.role_arn = *in.role_arn;
  request.session_name = *in.role_session_name;
  request.lifetime = std::chrono::seconds(seconds);
  request.provider_arn = bearer.provider_arn;
  request.subject = bearer.token.subject;
  request.audience = bearer.audience;
  TRY(add_policies(tx, in.policy, in.policy_arns, request));
  TRY(add_token_tags(bearer.token, request));
  TRY(const identity::SessionCredentials session, sts.directory.make_session(request, context.now));
  Output out;
  out.credentials = to_model(session);
  out.assumed_role_user =
      model::AssumedRoleUser{.assumed_role_id = session.unique_id, .arn = session.arn};
  out.subject_from_web_identity_token = bearer.token.subject;
  out.audience = bearer.audience;
  out.provider = bearer.provider_arn;
  out.packed_policy_size = packed_size(request);
  if (!request.source_identity.empty()) out.source_identity = request.source_identity;
  return out;
}

}  // namespace

/// Asks the issuer when its keys are not known. An account's tokens take turns, so that an issuer
/// who does not answer leaves threads to the others.
static async::Task<Result<void>> verify_in_turn(WebIdentities& web, const Bearer& bearer) {
  const std::string& account = bearer.role.account;
  const auto place = web.waiting.take(account);
  if (!place) co_return fail(too_busy());
  auto turn = web.asking.take(account);
  const Monotonic deadline = web.runner.loop.now() + turn_wait_max;
  while (!turn) {
    const async::Wake wake = co_await web.runner.loop.sleep_for(turn_pause);
    if (wake == async::Wake::cancelled || web.runner.loop.now() > deadline)
      co_return fail(too_busy());
    turn = web.asking.take(account);
  }
  auto verify = [&web, &bearer] { return verify_bearer(web.keys, bearer); };
  std::optional<Result<void>> verified =
      co_await async::run_on(web.keys.pool(), web.runner.loop, verify);
  if (!verified) co_return fail(too_busy());
  co_return *std::move(verified);
}

async::Task<Result<Output>> assume_role_with_web_identity(Sts& sts, Context context, Input in) {
  if (sts.web == nullptr) {
    co_return fail(Error{"IDPCommunicationError", 400, "No identity provider can be asked here."});
  }
  WebIdentities& web = *sts.web;
  auto read = [&sts, &in] { return read_bearer(sts, in); };
  std::optional<Result<Bearer>> bearer =
      co_await async::run_on(web.runner.pool, web.runner.loop, read);
  if (!bearer) co_return fail(too_busy());
  if (!*bearer) co_return fail(std::move(*bearer).error());
  CO_TRY(co_await verify_in_turn(web, **bearer));
  CO_TRY(check_claims(**bearer, context.now));
  // From here the bearer is known.
  std::function<Result<Output>(store::Tx&)> body = [&](store::Tx& tx) {
    return make_session(sts, tx, context, **bearer, in);
  };
  co_return co_await operation::transact<Output>(web.runner, std::move(body));
}

}  // namespace wolke::sts
