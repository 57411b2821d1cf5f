#include "wolke/services/lambda/state.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/layer.h"
#include "wolke/services/lambda/merge.h"
#include "wolke/store/keys.h"

namespace wolke::lambda {
namespace {

store::KeyBuilder table_of(std::string_view table, std::string_view account,
                           std::string_view region) {
  store::KeyBuilder key(table);
  key.text(account).text(region);
  return key;
}

store::KeyBuilder table_of(std::string_view table, const FunctionRef& ref) {
  store::KeyBuilder key = table_of(table, ref.account, ref.region);
  key.text(ref.name);
  return key;
}

store::Key in_shard(const FunctionRef& ref, const store::KeyBuilder& key) {
  return {shard_of_functions(ref.account, ref.region), key.build()};
}

}  // namespace

Result<void> each_record(store::Tx& tx, store::Shard shard, const std::string& prefix,
                         const std::function<Result<void>(const store::Record&)>& take) {
  store::Scan scan;
  scan.shard = shard;
  scan.begin = prefix;
  scan.end = store::prefix_end(prefix);
  while (true) {
    TRY(const store::Page page, tx.scan(scan));
    for (const store::Record& record : page.records) {
      TRY(take(record));
    }
    if (!page.more || page.records.empty()) return {};
    scan.begin = page.records.back().key + '\0';
  }
}

namespace {

template <class T>
Result<std::vector<T>> all_of(store::Tx& tx, std::string_view table, const FunctionRef& ref) {
  std::vector<T> out;
  const std::string prefix = table_of(table, ref).build();
  TRY(each_record(tx, shard_of_functions(ref.account, ref.region), prefix,
                  [&](const store::Record& record) -> Result<void> {
                    TRY(T item, store::decode<T>(record.value, record.key));
                    out.push_back(std::move(item));
                    return {};
                  }));
  return out;
}

/// The last text part of a key with four parts before it.
std::string last_part(std::string_view key) {
  store::KeyReader reader(key);
  for (int i = 0; i < 4; ++i) reader.text();
  return reader.text().value_or("");
}

}  // namespace

store::Shard shard_of_functions(std::string_view account, std::string_view region) {
  return store::shard_of(fmt::format("lambda/{}/{}", account, region));
}
store::Key function_key(const FunctionRef& ref) {
  return in_shard(ref, table_of("lambda.function", ref));
}
store::Key version_key(const FunctionRef& ref, std::uint64_t number) {
  return in_shard(ref, table_of("lambda.version", ref).number(number));
}
store::Key alias_key(const FunctionRef& ref, std::string_view alias) {
  return in_shard(ref, table_of("lambda.alias", ref).text(alias));
}
store::Key policy_key(const FunctionRef& ref) {
  return in_shard(ref, table_of("lambda.policy", ref).text(ref.qualifier));
}
store::Key async_key(const FunctionRef& ref) {
  // $LATEST is what the unqualified name means here.
  const std::string_view qualifier =
      ref.qualifier.empty() ? latest : std::string_view(ref.qualifier);
  return in_shard(ref, table_of("lambda.async", ref).text(qualifier));
}
store::Key account_key(std::string_view account, std::string_view region) {
  return {shard_of_functions(account, region), table_of("lambda.account", account, region).build()};
}
store::Key package_key(std::string_view digest) {
  return {store::shard_of("lambda.package"),
          store::KeyBuilder("lambda.package").text(digest).build()};
}

Result<Function> get_function(store::Tx& tx, const FunctionRef& ref) {
  TRY(auto found, tx.get<Function>(function_key(ref)));
  if (!found) return fail(function_not_found(ref.qualified_arn()));
  return *std::move(found);
}

Result<FunctionVersion> get_version(store::Tx& tx, const FunctionRef& ref,
                                    const Function& function) {
  if (ref.qualifier.empty() || ref.qualifier == latest) return function.latest_version;
  std::optional<std::uint64_t> number = version_number(ref.qualifier);
  if (!number) {
    TRY(const auto alias, tx.get<Alias>(alias_key(ref, ref.qualifier)));
    if (!alias) return fail(function_not_found(ref.qualified_arn()));
    if (alias->version == latest) return function.latest_version;
    number = version_number(alias->version);
  }
  if (!number) return fail(function_not_found(ref.qualified_arn()));
  TRY(auto version, tx.get<FunctionVersion>(version_key(ref, *number)));
  if (!version) return fail(function_not_found(ref.qualified_arn()));
  return *std::move(version);
}

Result<Account> get_account(store::Tx& tx, const FunctionRef& ref) {
  TRY(auto found, tx.get<Account>(account_key(ref.account, ref.region)));
  return found.value_or(Account{});
}

void put_function(store::Tx& tx, const FunctionRef& ref, const Function& function) {
  tx.put(function_key(ref), function);
}

void refer_code(store::Tx& tx, const Code& code, const store::Key& holder) {
  tx.refer(code.zip, holder.bytes);
  tx.add(package_key(code.package), 1);
}
void release_code(store::Tx& tx, const Code& code, const store::Key& holder) {
  tx.release(code.zip, holder.bytes);
  tx.add(package_key(code.package), -1);
}
void refer_code(store::Tx& tx, const FunctionVersion& version, const store::Key& holder) {
  refer_code(tx, version.code, holder);
  for (const LayerUse& layer : version.layers) refer_code(tx, layer.code, holder);
  if (version.layers.size() > 1) tx.add(package_key(merged_name(layer_digests(version))), 1);
}
void release_code(store::Tx& tx, const FunctionVersion& version, const store::Key& holder) {
  release_code(tx, version.code, holder);
  for (const LayerUse& layer : version.layers) release_code(tx, layer.code, holder);
  if (version.layers.size() > 1) tx.add(package_key(merged_name(layer_digests(version))), -1);
}

Result<Listed<Function>> list_functions(store::Tx& tx, std::string_view account,
                                        std::string_view region, std::string_view after,
                                        std::size_t max) {
  const std::string prefix = table_of("lambda.function", account, region).build();
  store::Scan scan;
  scan.shard = shard_of_functions(account, region);
  scan.begin = prefix;
  if (!after.empty()) {
    scan.begin =
        store::prefix_end(table_of("lambda.function", account, region).text(after).build());
  }
  scan.end = store::prefix_end(prefix);
  scan.records_max = max;
  TRY(const store::Page page, tx.scan(scan));
  Listed<Function> out;
  for (const store::Record& record : page.records) {
    TRY(auto function, store::decode<Function>(record.value, record.key));
    out.items.push_back(std::move(function));
  }
  if (page.more && !out.items.empty()) out.next = out.items.back().name;
  return out;
}

Result<std::vector<FunctionVersion>> all_versions(store::Tx& tx, const FunctionRef& ref) {
  return all_of<FunctionVersion>(tx, "lambda.version", ref);
}
Result<std::vector<Alias>> all_aliases(store::Tx& tx, const FunctionRef& ref) {
  return all_of<Alias>(tx, "lambda.alias", ref);
}

Result<std::vector<std::pair<std::string, AsyncConfig>>> all_async_configs(store::Tx& tx,
                                                                           const FunctionRef& ref) {
  std::vector<std::pair<std::string, AsyncConfig>> out;
  TRY(each_record(tx, shard_of_functions(ref.account, ref.region),
                  table_of("lambda.async", ref).build(),
                  [&](const store::Record& record) -> Result<void> {
                    TRY(auto config, store::decode<AsyncConfig>(record.value, record.key));
                    out.emplace_back(last_part(record.key), std::move(config));
                    return {};
                  }));
  return out;
}

Result<std::vector<store::Key>> dependent_keys(store::Tx& tx, const FunctionRef& ref) {
  std::vector<store::Key> out;
  const store::Shard shard = shard_of_functions(ref.account, ref.region);
  for (std::string_view table :
       {"lambda.version", "lambda.alias", "lambda.policy", "lambda.async", "lambda.url"}) {
    TRY(each_record(tx, shard, table_of(table, ref).build(),
                    [&](const store::Record& record) -> Result<void> {
                      out.push_back({shard, record.key});
                      return {};
                    }));
  }
  return out;
}

}  // namespace wolke::lambda
