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

Result<std::optional<std::string>> installed_account(store::Store& store) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(auto record, tx.peek<InstallationRecord>(keys::installation()));
  if (!record) return std::optional<std::string>();
  return std::optional<std::string>(record->root_account);
}

}  // namespace

Result<Bootstrap> bootstrap_root(store::Store& store, Env env, const std::string& data_dir,
                                 const Seal& seal) {
  Bootstrap out;
  TRY(std::optional<std::string> known, installed_account(store));
  if (known) {
    out.account = *known;
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
  const store::CommitResult done = store::commit_and_wait(store, tx.take_batch());
  if (done.status != store::CommitStatus::committed) {
    return fail(done.error.code.empty() ? internal_error("the first start was interrupted")
                                        : done.error);
  }
  return out;
}

}  // namespace wolke::identity
