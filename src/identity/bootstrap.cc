// The first start (directory.h): an account, its root key, and the file that tells the operator.

#include <fmt/format.h>

#include "wolke/identity/directory.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/state.h"

namespace wolke::identity {
namespace {

constexpr std::string_view credentials_file = "root-credentials";

std::string credentials_text(const Bootstrap& bootstrap) {
  return fmt::format(
      "# Root credentials of account {}. Keep this file secret; use it as "
      "AWS_SHARED_CREDENTIALS_FILE.\n"
      "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
      bootstrap.account, bootstrap.access_key_id, bootstrap.secret);
}

Result<std::optional<InstallationRecord>> read_installation(store::Store& store) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  return tx.peek<InstallationRecord>(keys::installation());
}

Result<void> commit(store::Store& store, store::Tx& tx) {
  const store::CommitResult done = store::commit_and_wait(store, tx.take_batch());
  if (done.status == store::CommitStatus::committed) return {};
  return fail(done.error.code.empty() ? internal_error("the first start was interrupted")
                                      : done.error);
}

/// An installation of before this was kept: its key is what it has now.
Result<void> keep_key_check(store::Store& store, const std::string& check) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(auto installation, tx.get<InstallationRecord>(keys::installation()));
  if (!installation) return fail(internal_error("the installation's record is gone"));
  installation->key_check = check;
  tx.put(keys::installation(), *installation);
  return commit(store, tx);
}

Error wrong_key(const std::string& data_dir, std::string_view what) {
  return {.code = "WrongKey",
          .status = 500,
          .message = fmt::format("{}/identity.key {}: the objects and secrets in this data "
                                 "directory cannot be read without the key that it began with. "
                                 "Restore identity.key from a backup.",
                                 data_dir, what)};
}

}  // namespace

Result<std::string> open_master_key(store::Store& store, Env env, const std::string& data_dir) {
  TRY(const std::optional<InstallationRecord> known, read_installation(store));
  TRY(const bool exists, env.disk.exists(data_dir + "/identity.key"));
  if (known && !exists) return fail(wrong_key(data_dir, "is missing"));
  TRY(std::string key, load_master_key(env, data_dir));
  if (!known) return key;
  const std::string check = Seal(key, env.random).key_check();
  if (known->key_check.empty()) {
    TRY(keep_key_check(store, check));
  } else if (known->key_check != check) {
    return fail(wrong_key(data_dir, "is another installation's"));
  }
  return key;
}

Result<Bootstrap> bootstrap_root(store::Store& store, Env env, const std::string& data_dir,
                                 const Seal& seal) {
  Bootstrap out;
  TRY(const std::optional<InstallationRecord> known, read_installation(store));
  if (known) {
    out.account = known->root_account;
    return out;
  }
  out.account = make_account_id(env.random);
  out.access_key_id = make_access_key_id("AKIA", out.account, env.random);
  out.secret = make_secret(env.random);
  out.created = true;
  // The file first: a crash between the two leaves a file of an account that never was, and the
  // next start writes it again; the other order could leave an account that nobody has a key to.
  TRY(write_private_file(env, data_dir, std::string(credentials_file), credentials_text(out)));
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(auto raced, tx.get<InstallationRecord>(keys::installation()));
  if (raced) return fail(internal_error("another server made this installation at the same time"));
  const Timestamp now = env.clock.wall();
  InstallationRecord installation;
  installation.root_account = out.account;
  installation.key_check = seal.key_check();
  tx.put(keys::installation(), installation);
  AccountRecord account;
  account.id = out.account;
  account.created = now;
  tx.put(keys::account(out.account), account);
  AccessKeyRecord key;
  key.id = out.access_key_id;
  key.sealed_secret = seal.seal_secret(out.access_key_id, out.secret);
  key.created = now;
  tx.put(keys::access_key(out.account, out.access_key_id), key);
  TRY(commit(store, tx));
  return out;
}

}  // namespace wolke::identity
