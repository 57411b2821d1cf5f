#include "wolke/services/lambda/side_state.h"

#include <fmt/core.h>

#include "wolke/services/lambda/errors.h"
#include "wolke/store/keys.h"

namespace wolke::lambda {
namespace {

store::KeyBuilder urls_of(const FunctionRef& ref) {
  store::KeyBuilder key("lambda.url");
  key.text(ref.account).text(ref.region).text(ref.name);
  return key;
}

store::KeyBuilder code_signing_of(std::string_view account, std::string_view region) {
  store::KeyBuilder key("lambda.code_signing");
  key.text(account).text(region);
  return key;
}

}  // namespace

store::Key url_key(const FunctionRef& ref) {
  return {shard_of_functions(ref.account, ref.region), urls_of(ref).text(ref.qualifier).build()};
}

Result<std::vector<std::pair<std::string, UrlConfig>>> all_urls(store::Tx& tx,
                                                                const FunctionRef& ref) {
  std::vector<std::pair<std::string, UrlConfig>> out;
  TRY(each_record(tx, shard_of_functions(ref.account, ref.region), urls_of(ref).build(),
                  [&](const store::Record& record) -> Result<void> {
                    TRY(auto url, store::decode<UrlConfig>(record.value, record.key));
                    store::KeyReader reader(record.key);
                    for (int i = 0; i < 4; ++i) reader.text();
                    out.emplace_back(reader.text().value_or(""), std::move(url));
                    return {};
                  }));
  return out;
}

std::string code_signing_arn(std::string_view account, std::string_view region,
                             std::string_view id) {
  return fmt::format("arn:aws:lambda:{}:{}:code-signing-config:{}", region, account, id);
}

store::Key code_signing_key(std::string_view account, std::string_view region,
                            std::string_view id) {
  return {shard_of_functions(account, region), code_signing_of(account, region).text(id).build()};
}

Result<std::optional<CodeSigning>> get_code_signing_config(store::Tx& tx, std::string_view account,
                                                           std::string_view region,
                                                           const std::string& arn) {
  const std::string id = arn.substr(arn.rfind(':') + 1);
  if (arn != code_signing_arn(account, region, id)) return std::optional<CodeSigning>();
  return tx.get<CodeSigning>(code_signing_key(account, region, id));
}

Result<std::vector<CodeSigning>> all_code_signing_configs(store::Tx& tx, std::string_view account,
                                                          std::string_view region) {
  std::vector<CodeSigning> out;
  TRY(each_record(tx, shard_of_functions(account, region), code_signing_of(account, region).build(),
                  [&](const store::Record& record) -> Result<void> {
                    TRY(auto config, store::decode<CodeSigning>(record.value, record.key));
                    out.push_back(std::move(config));
                    return {};
                  }));
  return out;
}

Result<void> check_signature(store::Tx& tx, const FunctionRef& ref, const std::string& arn) {
  if (arn.empty()) return {};
  TRY(const auto config, get_code_signing_config(tx, ref.account, ref.region, arn));
  if (!config) return fail(code_signing_not_found(arn));
  if (config->policy != "Enforce") return {};
  return fail(unsigned_code());
}

}  // namespace wolke::lambda
