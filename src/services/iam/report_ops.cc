// The credential report: a table of the account's users, their keys and when these were used. It is
// made of the records when it is read, so it is never older than the moment; what is kept is when
// it was asked for. Source: IAM User Guide, "Generate credential reports for your AWS account".

#include <fmt/format.h>

#include <map>

#include "wolke/identity/use.h"
#include "wolke/services/iam/ops.h"

namespace wolke::iam {
namespace {

using identity::AccessKeyRecord;

constexpr auto report_lifetime = std::chrono::hours(4);
constexpr std::size_t keys_shown = 2;
constexpr std::size_t every = 1'000'000;

constexpr const char* header =
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// "2026-11-24T00:14:00+00:00"
std::string time_text(Timestamp at) {
  std::string text = format_iso8601_seconds(at);
  text.pop_back();
  return text + "+00:00";
}

using KeysByUser = std::map<std::string, std::vector<AccessKeyRecord>>;

Result<std::string> key_columns(store::Tx& tx, const Context& context,
                                const std::vector<AccessKeyRecord>& keys) {
  std::string out;
  for (std::size_t i = 0; i < keys_shown; ++i) {
    if (i >= keys.size()) {
      out += ",false,N/A,N/A,N/A,N/A";
      continue;
    }
    TRY(const auto use,
        tx.peek<identity::KeyUseRecord>(identity::keys::key_use(context.account, keys[i].id)));
    out += fmt::format(",{},{},{},{},{}", keys[i].active, time_text(keys[i].created),
                       use ? time_text(use->at) : "N/A", use ? use->region : "N/A",
                       use ? use->service : "N/A");
  }
  return out;
}

Result<std::string> report(store::Tx& tx, const Context& context) {
  KeysByUser keys;
  TRY(std::vector<AccessKeyRecord> all, identity::list_access_keys(tx, context.account));
  for (AccessKeyRecord& key : all) {
    std::vector<AccessKeyRecord>& own = keys[key.user_name];
    own.push_back(std::move(key));
  }
  const auto by_age = [](const AccessKeyRecord& a, const AccessKeyRecord& b) {
    return a.created < b.created;
  };
  for (auto& [name, own] : keys) std::ranges::sort(own, by_age);
  TRY(const auto account,
      tx.peek<identity::AccountRecord>(identity::keys::account(context.account)));
  TRY(const std::string root_keys, key_columns(tx, context, keys[""]));
  std::string out = header;
  out += fmt::format(
      "\n<root_account>,arn:aws:iam::{}:root,{},not_supported,no_information,not_supported,"
      "not_supported,false{},false,N/A,false,N/A",
      context.account, time_text(account ? account->created : context.now), root_keys);
  TRY(const auto users, identity::list_entities(tx, EntityType::user, context.account,
                                                {.after = {}, .count_max = every}));
  for (const EntityRecord& user : users.items) {
    TRY(const std::string own_keys, key_columns(tx, context, keys[user.name]));
    out += fmt::format("\n{},{},{},false,N/A,N/A,N/A,false{},false,N/A,false,N/A", user.name,
                       arn_of(context, EntityType::user, user), time_text(user.created), own_keys);
  }
  return out;
}

}  // namespace

Result<op::GenerateCredentialReport::Output> generate_credential_report(
    Iam&, store::Tx& tx, const Context& context, const op::GenerateCredentialReport::Input&) {
  const store::Key key = identity::keys::credential_report(context.account);
  TRY(const auto known, tx.get<identity::CredentialReportRecord>(key));
  op::GenerateCredentialReport::Output out;
  if (known && context.now < known->generated + report_lifetime) {
    out.state = "COMPLETE";
    return out;
  }
  identity::CredentialReportRecord record;
  record.generated = context.now;
  tx.put(key, record);
  out.state = "STARTED";
  out.description = "No report exists. Starting a new report generation task";
  return out;
}

Result<op::GetCredentialReport::Output> get_credential_report(
    Iam&, store::Tx& tx, const Context& context, const op::GetCredentialReport::Input&) {
  TRY(const auto known, tx.peek<identity::CredentialReportRecord>(
                            identity::keys::credential_report(context.account)));
  if (!known) {
    return fail(
        Error{"ReportNotPresent", 410, "The credential report does not exist. Generate it first."});
  }
  if (context.now >= known->generated + report_lifetime) {
    return fail(Error{"ReportExpired", 410,
                      "The most recent credential report has expired. Generate a new one."});
  }
  op::GetCredentialReport::Output out;
  TRY(out.content, report(tx, context));
  out.report_format = "text/csv";
  out.generated_time = known->generated;
  return out;
}

}  // namespace wolke::iam
