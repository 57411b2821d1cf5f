#include "wolke/operation/runner.h"
#include "wolke/services/s3/complete.h"
#include "wolke/services/s3/rehash.h"

namespace wolke::s3 {
namespace {

constexpr int attempts_max = 4;  // a part may be replaced between two attempts

}  // namespace

async::Task<Answer<op::CompleteMultipartUpload>> complete_multipart_upload(
    S3& s3, Context context, In<op::CompleteMultipartUpload> in) {
  SmallParts small;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    std::function<Result<CompleteOutcome>(Tx&)> body = [&](Tx& tx) {
      return try_complete(s3.keys, tx, context, in, small);
    };
    CO_TRY(CompleteOutcome outcome,
           co_await operation::transact<CompleteOutcome>(s3.runner, std::move(body)));
    if (outcome.done) co_return *std::move(outcome.done);
    for (auto& [number, part] : outcome.missing) {
      CO_TRY(part.blob, co_await write_blob(s3, outcome.key, part.bytes));
      small[number] = std::move(part);
    }
  }
  co_return fail(Error{
      "OperationAborted", 409,
      "A conflicting conditional operation is currently in progress against this resource. Please "
      "try again."});
}

}  // namespace wolke::s3
