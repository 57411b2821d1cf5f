#include "wolke/services/s3/upload_asks.h"

#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/names.h"

namespace wolke::s3 {

namespace {

struct Asked {
  identity::Ask ask;
  std::optional<Upload> upload;
  bool began = false;  // by the caller
};

Result<Asked> ask_about(S3& s3, const Context& context, identity::Ask question,
                        const std::string& bucket, const std::string& key,
                        const std::string& upload_id) {
  TRY(check_key(key));
  TRY(std::unique_ptr<store::Snapshot> snapshot, s3.store.snapshot());
  Tx tx(*snapshot);
  TRY(Bucket found, require_bucket(tx, bucket));
  Asked asked;
  asked.ask = ask_of_bucket(found, std::move(question.action), object_arn(bucket, key),
                            std::move(question.conditions));
  TRY(asked.upload, tx.peek<Upload>(upload_key(bucket, key, upload_id)));
  const std::string& caller = context.principal().account;
  // Unsigned requests cannot be told from one another.
  asked.began = asked.upload && !caller.empty() && asked.upload->initiator_account == caller;
  return asked;
}

}  // namespace

Result<Asks> ask_upload(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::string& upload_id) {
  identity::Ask question{.action = std::move(action), .resource = {}};
  TRY(Asked asked, ask_about(s3, context, std::move(question), bucket, key, upload_id));
  if (!asked.began) asked.ask.grants.clear();
  return Asks{std::move(asked.ask)};
}

Result<Asks> ask_upload_write(S3& s3, const Context& context, const std::string& bucket,
                              const std::string& key, const std::string& upload_id,
                              identity::Conditions conditions) {
  identity::Ask question{
      .action = "s3:PutObject", .resource = {}, .conditions = std::move(conditions)};
  TRY(Asked asked, ask_about(s3, context, std::move(question), bucket, key, upload_id));
  if (asked.upload && !asked.began) asked.ask.grants.clear();
  return Asks{std::move(asked.ask)};
}

Result<Asks> asks_of_upload_part(S3& s3, const Context& context, const In<op::UploadPart>& in) {
  return ask_upload_write(s3, context, *in.bucket, *in.key, *in.upload_id, {});
}

Result<Asks> asks_of_complete_upload(S3& s3, const Context& context,
                                     const In<op::CompleteMultipartUpload>& in) {
  identity::Conditions conditions;
  add_preconditions(conditions, in.if_match, in.if_none_match);
  TRY(Asks asks,
      ask_upload_write(s3, context, *in.bucket, *in.key, *in.upload_id, std::move(conditions)));
  TRY(ask_match(s3, context, *in.bucket, *in.key, in.if_match, asks));
  return asks;
}

}  // namespace wolke::s3
