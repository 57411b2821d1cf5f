#include "wolke/services/s3/configuration.h"

#include <array>

namespace wolke::s3 {
namespace {

constexpr std::array kinds = {kind::accelerate, kind::cors,    kind::encryption,
                              kind::lifecycle,  kind::logging, kind::request_payment,
                              kind::website};

struct Configuration : store::Fields {
  std::string document;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, document);
  }
};

store::Key configuration_key(std::string_view bucket, std::string_view kind) {
  return {sequence_key(bucket).shard,
          store::KeyBuilder("s3.configuration").text(bucket).text(kind).build()};
}

}  // namespace

Result<std::optional<std::string>> read_document(store::Tx& tx, const std::string& bucket,
                                                 std::string_view kind) {
  TRY(std::optional<Configuration> found, tx.peek<Configuration>(configuration_key(bucket, kind)));
  if (!found) return std::nullopt;
  return std::move(found->document);
}

void write_document(store::Tx& tx, const std::string& bucket, std::string_view kind,
                    std::string document) {
  Configuration record;
  record.document = std::move(document);
  tx.put(configuration_key(bucket, kind), record);
  if (kind == kind::lifecycle) tx.put_bytes(scheduled_key(bucket), "");
  if (kind == kind::logging) tx.put_bytes(logged_key(bucket), "");
}

void erase_document(store::Tx& tx, const std::string& bucket, std::string_view kind) {
  tx.erase(configuration_key(bucket, kind));
  if (kind == kind::lifecycle) tx.erase(scheduled_key(bucket));
  if (kind == kind::logging) tx.erase(logged_key(bucket));
}

void erase_documents(store::Tx& tx, const std::string& bucket) {
  for (std::string_view kind : kinds) erase_document(tx, bucket, kind);
}

}  // namespace wolke::s3
