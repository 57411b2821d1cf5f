#pragma once
// What the gate asks about an upload in progress: who began it may add to it, end it and see its
// parts where the bucket's list lets him write; the list lets nobody else do so, for it tells who
// may write and not whose upload this is. Source: S3 user guide, "Uploading and copying objects
// using multipart upload", API and permissions.

#include "wolke/services/s3/asks.h"

namespace wolke::s3 {

Result<Asks> ask_upload(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::string& upload_id);

template <Action action, class In>
Result<Asks> asks_of_upload(S3& s3, const Context& context, const In& in) {
  return ask_upload(s3, context, action.str(), *in.bucket, *in.key, *in.upload_id);
}

/// s3:PutObject for a part, or for the whole. An upload that is not there is the operation's
/// matter.
Result<Asks> ask_upload_write(S3& s3, const Context& context, const std::string& bucket,
                              const std::string& key, const std::string& upload_id,
                              identity::Conditions conditions);
Result<Asks> asks_of_upload_part(S3&, const Context&, const In<op::UploadPart>&);
Result<Asks> asks_of_complete_upload(S3&, const Context&, const In<op::CompleteMultipartUpload>&);

}  // namespace wolke::s3
