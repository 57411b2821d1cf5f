#include "wolke/services/s3/upload_asks.h"

#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/names.h"

namespace wolke::s3 {

Result<Asks> ask_upload(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::string& upload_id) {
  TRY(check_key(key));
  TRY(std::unique_ptr<store::Snapshot> snapshot, s3.store.snapshot());
  Tx tx(*snapshot);
  TRY(Bucket found, require_bucket(tx, bucket));
  identity::Ask ask = ask_of_bucket(found, std::move(action), object_arn(bucket, key));
  TRY(std::optional<Upload> upload, tx.peek<Upload>(upload_key(bucket, key, upload_id)));
  const std::string& caller = context.principal().account;
  // Unsigned requests cannot be told from one another.
  bool began = upload && !caller.empty() && upload->initiator_account == caller;
  if (!began) ask.grants.clear();
  return Asks{std::move(ask)};
}

}  // namespace wolke::s3
