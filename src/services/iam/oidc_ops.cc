// OpenID Connect providers: issuers whose tokens AssumeRoleWithWebIdentity takes. Creating one asks
// nobody: the issuer is first spoken to when a token of it arrives (services/sts/issuer_keys.h).
// Source: IAM API Reference, CreateOpenIDConnectProvider and its neighbours.

#include <fmt/format.h>

#include <algorithm>

#include "wolke/services/iam/ops.h"

namespace wolke::iam {
namespace {

using identity::OidcProviderRecord;
using Texts = std::vector<std::string>;

constexpr std::size_t providers_max = 100;   // of an account
constexpr std::size_t client_ids_max = 100;  // of a provider
constexpr std::size_t thumbprints_max = 5;   // of a provider
constexpr std::string_view arn_part = ":oidc-provider/";

Error invalid_input(std::string text) {
  return {"InvalidInput", 400, std::move(text)};
}

/// What follows ":oidc-provider/"; empty when the ARN is none of this account.
std::string name_in(const Context& context, std::string_view arn) {
  const std::string head = "arn:aws:iam::" + context.account + std::string(arn_part);
  return arn.starts_with(head) ? std::string(arn.substr(head.size())) : "";
}

std::string arn_of_provider(const Context& context, const std::string& name) {
  return "arn:aws:iam::" + context.account + std::string(arn_part) + name;
}

Result<OidcProviderRecord> load_provider(store::Tx& tx, const Context& context,
                                         const std::string& arn) {
  const std::string name = name_in(context, arn);
  TRY(auto record,
      tx.get<OidcProviderRecord>(identity::keys::oidc_provider(context.account, name)));
  if (!record) {
    return fail(Error{"NoSuchEntity", 404,
                      fmt::format("OpenIDConnect Provider not found for arn {}", printable(arn))});
  }
  return *std::move(record);
}

void save_provider(store::Tx& tx, const Context& context, const OidcProviderRecord& record) {
  tx.put(identity::keys::oidc_provider(context.account, record.name), record);
}

bool is_loopback(std::string_view host_and_path) {
  const std::string_view authority = host_and_path.substr(0, host_and_path.find('/'));
  const std::string_view host = authority.starts_with('[')
                                    ? authority.substr(0, authority.find(']') + 1)
                                    : authority.substr(0, authority.find(':'));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

/// https://HOST[:PORT][/PATH], without query, fragment or user; in `dev` http to this machine, too.
Result<OidcProviderRecord> parse_url(const Iam& iam, std::string_view url) {
  OidcProviderRecord out;
  constexpr std::string_view secure = "https://", plain = "http://";
  if (url.starts_with(secure)) {
    out.name = url.substr(secure.size());
  } else if (iam.issuers == Issuers::loopback_too && url.starts_with(plain) &&
             is_loopback(url.substr(plain.size()))) {
    out.name = url.substr(plain.size());
    out.plain_http = true;
  } else {
    return fail(validation_error("Invalid Open ID Connect Provider URL"));
  }
  while (out.name.ends_with('/')) out.name.pop_back();
  const bool valid = !out.name.empty() && out.name.front() != '/' &&
                     std::ranges::all_of(out.name, [](char c) { return c > ' ' && c < 127; }) &&
                     out.name.find_first_of("?#@\\\"<>^`{|}") == std::string::npos;
  if (!valid) return fail(validation_error("Invalid Open ID Connect Provider URL"));
  return out;
}

Result<Texts> checked_thumbprints(const std::optional<Texts>& wanted) {
  Texts out;
  for (const std::string& thumbprint : wanted.value_or(Texts{})) {
    if (thumbprint.size() != 40 || !from_hex(to_lower(thumbprint))) {
      return fail(
          invalid_input("A thumbprint is the SHA-1 of a certificate: 40 hexadecimal "
                        "digits."));
    }
    out.push_back(to_lower(thumbprint));
  }
  if (out.size() > thumbprints_max)
    return fail(invalid_input("Thumbprint list must contain fewer than 5 entries."));
  return out;
}

Result<void> add_client_id(OidcProviderRecord& record, const std::string& id) {
  if (std::ranges::find(record.client_ids, id) != record.client_ids.end()) return {};
  if (record.client_ids.size() >= client_ids_max) {
    return fail(limit_exceeded(fmt::format(
        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {}", client_ids_max)));
  }
  record.client_ids.push_back(id);
  return {};
}

}  // namespace

Result<operation::Asks> new_provider_asks(Iam&, const Context& context,
                                          const op::CreateOpenIDConnectProvider::Input& in) {
  const std::string url = in.url.value_or("");
  const std::size_t scheme = url.find("://");
  std::string name = scheme == std::string::npos ? url : url.substr(scheme + 3);
  while (name.ends_with('/')) name.pop_back();
  identity::Ask ask;
  ask.action = "iam:CreateOpenIDConnectProvider";
  ask.resource = arn_of_provider(context, name);
  add_tag_conditions(ask.conditions, in.tags);
  operation::Asks asks = {ask};
  return asks;
}

Result<op::CreateOpenIDConnectProvider::Output> create_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::CreateOpenIDConnectProvider::Input& in) {
  TRY(OidcProviderRecord record, parse_url(iam, *in.url));
  TRY(record.thumbprints, checked_thumbprints(in.thumbprint_list));
  for (const std::string& id : in.client_id_list.value_or(Texts{})) {
    TRY(add_client_id(record, id));
  }
  TRY(add_tags(record.tags, in.tags));
  TRY(const auto taken,
      tx.get<OidcProviderRecord>(identity::keys::oidc_provider(context.account, record.name)));
  if (taken) {
    return fail(
        entity_already_exists(fmt::format("Provider with url {} already exists.", record.url())));
  }
  TRY(const auto all, identity::list_oidc_providers(tx, context.account, {.after = {}}));
  if (all.items.size() >= providers_max) {
    return fail(limit_exceeded(fmt::format(
        "Cannot exceed quota for OpenIdConnectProvidersPerAccount: {}", providers_max)));
  }
  record.created = context.now;
  save_provider(tx, context, record);
  op::CreateOpenIDConnectProvider::Output out;
  out.open_id_connect_provider_arn = arn_of_provider(context, record.name);
  if (!record.tags.empty()) out.tags = to_model(record.tags);
  return out;
}

Result<op::GetOpenIDConnectProvider::Output> get_oidc_provider(
    Iam&, store::Tx& tx, const Context& context, const op::GetOpenIDConnectProvider::Input& in) {
  TRY(const OidcProviderRecord record,
      load_provider(tx, context, *in.open_id_connect_provider_arn));
  op::GetOpenIDConnectProvider::Output out;
  out.url = record.name;  // without its scheme, as AWS gives it
  out.client_id_list = record.client_ids;
  out.thumbprint_list = record.thumbprints;
  out.create_date = record.created;
  out.tags = to_model(record.tags);
  return out;
}

Result<op::ListOpenIDConnectProviders::Output> list_oidc_providers(
    Iam&, store::Tx& tx, const Context& context, const op::ListOpenIDConnectProviders::Input&) {
  TRY(const auto all, identity::list_oidc_providers(tx, context.account, {.after = {}}));
  op::ListOpenIDConnectProviders::Output out;
  out.open_id_connect_provider_list.emplace();
  for (const OidcProviderRecord& record : all.items) {
    out.open_id_connect_provider_list->push_back({.arn = arn_of_provider(context, record.name)});
  }
  return out;
}

Result<op::DeleteOpenIDConnectProvider::Output> delete_oidc_provider(
    Iam&, store::Tx& tx, const Context& context, const op::DeleteOpenIDConnectProvider::Input& in) {
  TRY(const OidcProviderRecord record,
      load_provider(tx, context, *in.open_id_connect_provider_arn));
  tx.erase(identity::keys::oidc_provider(context.account, record.name));
  return op::DeleteOpenIDConnectProvider::Output{};
}

Result<op::UpdateOpenIDConnectProviderThumbprint::Output> update_oidc_thumbprints(
    Iam&, store::Tx& tx, const Context& context,
    const op::UpdateOpenIDConnectProviderThumbprint::Input& in) {
  TRY(OidcProviderRecord record, load_provider(tx, context, *in.open_id_connect_provider_arn));
  TRY(record.thumbprints, checked_thumbprints(in.thumbprint_list));
  save_provider(tx, context, record);
  return op::UpdateOpenIDConnectProviderThumbprint::Output{};
}

Result<op::AddClientIDToOpenIDConnectProvider::Output> add_oidc_client(
    Iam&, store::Tx& tx, const Context& context,
    const op::AddClientIDToOpenIDConnectProvider::Input& in) {
  TRY(OidcProviderRecord record, load_provider(tx, context, *in.open_id_connect_provider_arn));
  TRY(add_client_id(record, *in.client_id));
  save_provider(tx, context, record);
  return op::AddClientIDToOpenIDConnectProvider::Output{};
}

Result<op::RemoveClientIDFromOpenIDConnectProvider::Output> remove_oidc_client(
    Iam&, store::Tx& tx, const Context& context,
    const op::RemoveClientIDFromOpenIDConnectProvider::Input& in) {
  TRY(OidcProviderRecord record, load_provider(tx, context, *in.open_id_connect_provider_arn));
  std::erase(record.client_ids, *in.client_id);  // one that is not there is gone already
  save_provider(tx, context, record);
  return op::RemoveClientIDFromOpenIDConnectProvider::Output{};
}

Result<op::TagOpenIDConnectProvider::Output> tag_oidc_provider(
    Iam&, store::Tx& tx, const Context& context, const op::TagOpenIDConnectProvider::Input& in) {
  TRY(OidcProviderRecord record, load_provider(tx, context, *in.open_id_connect_provider_arn));
  TRY(add_tags(record.tags, in.tags));
  save_provider(tx, context, record);
  return op::TagOpenIDConnectProvider::Output{};
}

Result<op::UntagOpenIDConnectProvider::Output> untag_oidc_provider(
    Iam&, store::Tx& tx, const Context& context, const op::UntagOpenIDConnectProvider::Input& in) {
  TRY(OidcProviderRecord record, load_provider(tx, context, *in.open_id_connect_provider_arn));
  for (const std::string& key : *in.tag_keys) {
    std::erase_if(record.tags, [&](const auto& tag) { return iequals(tag.first, key); });
  }
  save_provider(tx, context, record);
  return op::UntagOpenIDConnectProvider::Output{};
}

Result<op::ListOpenIDConnectProviderTags::Output> list_oidc_provider_tags(
    Iam&, store::Tx& tx, const Context& context,
    const op::ListOpenIDConnectProviderTags::Input& in) {
  TRY(const OidcProviderRecord record,
      load_provider(tx, context, *in.open_id_connect_provider_arn));
  op::ListOpenIDConnectProviderTags::Output out;
  TRY(page_list(to_model(record.tags), in, out.tags, out));
  return out;
}

}  // namespace wolke::iam
