#include "wolke/identity/directory.h"

#include <gtest/gtest.h>

#include <map>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/sign.h"
#include "wolke/identity/sigv2.h"
#include "wolke/identity/state.h"
#include "wolke/store/engines.h"

namespace wolke::identity {
namespace {

class ManualClock : public Clock {
 public:
  Timestamp wall() override { return now; }
  Monotonic monotonic() override { return {}; }
  Timestamp now = *parse_amz_date("20261123T095113Z");
};

class CountingRandom : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    for (std::byte& b : out)
      b = static_cast<std::byte>((state_ = state_ * 6364136223846793005U + 1442695040888963407U) >>
                                 56);
  }

 private:
  std::uint64_t state_ = 7;
};

/// Files in a map; syncing is of no interest here.
class MapDisk : public Disk {
 public:
  std::map<std::string, std::string> files;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (mode == OpenMode::read && !files.contains(path)) return fail(Error{"NotFound", 500, path});
    return std::make_unique<MapFile>(files[path]);
  }
  Result<void> remove(const std::string& path) override {
    files.erase(path);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    files[to] = files[from];
    files.erase(from);
    return {};
  }
  Result<void> make_directory(const std::string&) override { return {}; }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::vector<std::string>> list(const std::string&) override {
    return std::vector<std::string>();
  }
  Result<bool> exists(const std::string& path) override { return files.contains(path); }
  Result<std::uint64_t> free_bytes(const std::string&) override { return 1; }

 private:
  class MapFile : public File {
   public:
    explicit MapFile(std::string& bytes) : bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
      return bytes_.copy(out.data(), out.size(), offset);
    }
    Result<void> write_at(std::uint64_t offset, std::string_view data) override {
      bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + data.size()));
      bytes_.replace(offset, data.size(), data);
      return {};
    }
    Result<void> truncate(std::uint64_t size) override {
      bytes_.resize(size);
      return {};
    }
    Result<void> sync() override { return {}; }
    Result<std::uint64_t> size() override { return bytes_.size(); }

   private:
    std::string& bytes_;
  };
};

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    auto key = load_master_key(env, "/data");
    EXPECT_TRUE(key);
    seal.emplace(*key, random);
    root = *bootstrap_root(*store, env, "/data", *seal);
    open(Authentication::enforced);
  }

  void open(Authentication how) {
    directory = std::make_unique<Directory>(env, *store, *seal, DirectoryOptions{how, nullptr});
  }

  /// Commits what `change` writes.
  template <class Change>
  void commit(Change change) {
    auto snapshot = store->snapshot();
    store::Tx tx(**snapshot);
    change(tx);
    ASSERT_EQ(store::commit_and_wait(*store, tx.take_batch()).status,
              store::CommitStatus::committed);
  }

  void add_role(const std::string& name, const std::string& trust,
                const std::string& inline_policy = "") {
    commit([&](store::Tx& tx) {
      EntityRecord role;
      role.name = name;
      role.path = "/";
      role.id = make_unique_id("AROA", random);
      role.trust_policy = trust;
      if (!inline_policy.empty()) role.inline_policies["p"] = inline_policy;
      tx.put(keys::entity(EntityType::role, root.account, name), role);
    });
  }

  struct Call {
    Credentials credentials;
    std::string service = "sts";
    std::string sandbox = "";
    std::chrono::seconds later{0};
  };
  Result<Identified> call(const Call& how) {
    RequestToSign request{"POST", "/", "", {{"host", "h"}}};
    sign_header(request, how.credentials, {"us-east-1", how.service},
                how.service == "s3" ? std::string_view("UNSIGNED-PAYLOAD") : empty_sha256,
                clock.now + how.later);
    const RawRequest raw{"POST", "/", "", &request.headers};
    const Dialect dialect = how.service == "s3" ? Dialect::s3 : Dialect::query;
    return directory->identify(raw, {dialect, how.service, "", empty_sha256}, how.sandbox,
                               clock.now + how.later);
  }
  std::string code(const Call& how) {
    const auto result = call(how);
    return result ? "" : result.error().code;
  }
  static Credentials credentials(const SessionCredentials& session) {
    return {session.access_key_id, session.secret, session.token};
  }
  Decision ask(const Identified& who, const Ask& question) {
    auto authorizer = directory->make_authorizer(who.principal, {.now = clock.now});
    EXPECT_TRUE(authorizer);
    return (*authorizer)->decide(question);
  }

  ManualClock clock;
  CountingRandom random;
  MapDisk disk;
  Env env{clock, random, disk};
  std::unique_ptr<store::Store> store = store::open_memory_store();
  std::optional<Seal> seal;
  Bootstrap root;
  std::unique_ptr<Directory> directory;
};

const std::string lambda_trust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
const std::string allow_get =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]})";

TEST_F(DirectoryTest, TheFirstStartMakesAnAccountAndItsRootKey) {
  EXPECT_TRUE(root.created);
  EXPECT_TRUE(is_account_id(root.account));
  EXPECT_EQ(account_of_access_key(root.access_key_id), root.account);
  const std::string& file = disk.files.at("/data/root-credentials");
  EXPECT_NE(file.find("[default]\naws_access_key_id = " + root.access_key_id), std::string::npos);
  const auto who = call({{root.access_key_id, root.secret}});
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->principal.arn, "arn:aws:iam::" + root.account + ":root");
  EXPECT_TRUE(ask(*who, {"s3:CreateBucket", "arn:aws:s3:::b"}).allowed);
}

TEST_F(DirectoryTest, LaterStartsKeepTheAccount) {
  const auto again = bootstrap_root(*store, env, "/data", *seal);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->account, root.account);
}

TEST_F(DirectoryTest, SecretsAtRestAreSealed) {
  auto snapshot = store->snapshot();
  const auto record = (*snapshot)->get(keys::access_key(root.account, root.access_key_id));
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->value.find(root.secret), std::string::npos);
}

TEST_F(DirectoryTest, RefusesUnknownKeysWrongSecretsAndStrangeTokensByName) {
  EXPECT_EQ(code({{make_access_key_id("AKIA", root.account, random), "x"}}),
            "InvalidClientTokenId");
  EXPECT_EQ(code({{"AKIAIOSFODNN7EXAMPLE", "x"}, "s3"}), "InvalidAccessKeyId");
  EXPECT_EQ(code({{root.access_key_id, "wrong"}}), "SignatureDoesNotMatch");
  EXPECT_EQ(code({{root.access_key_id, root.secret, "token"}, "s3"}), "InvalidToken");
}

TEST_F(DirectoryTest, AnAccessKeyThatIsSwitchedOffIsRefusedAtOnce) {
  ASSERT_EQ(code({{root.access_key_id, root.secret}}), "");
  commit([&](store::Tx& tx) {
    auto key = *tx.get<AccessKeyRecord>(keys::access_key(root.account, root.access_key_id));
    key->active = false;
    tx.put(keys::access_key(root.account, root.access_key_id), *key);
  });
  EXPECT_EQ(code({{root.access_key_id, root.secret}}), "InvalidClientTokenId");
}

TEST_F(DirectoryTest, UnsignedRequestsAreAnonymousForS3Only) {
  const Headers headers = {{"host", "h"}};
  const RawRequest raw{"GET", "/b/k", "", &headers};
  const auto s3 = directory->identify(raw, {Dialect::s3, "s3"}, "", clock.now);
  ASSERT_TRUE(s3);
  EXPECT_EQ(s3->principal.kind, PrincipalKind::anonymous);
  const auto sts = directory->identify(raw, {Dialect::query, "sts"}, "", clock.now);
  ASSERT_FALSE(sts);
  EXPECT_EQ(sts.error().code, "MissingAuthenticationToken");
}

TEST_F(DirectoryTest, ALinkOfVersion2IsItsKeysOwnersAndOfTheServersRegion) {
  const Headers headers = {{"host", "h"}};
  auto identify = [&](const std::string& id, const std::string& secret) {
    const std::string text = "GET\n\n\n1\n/b/k";
    const std::string query = "AWSAccessKeyId=" + id + "&Expires=1&Signature=" +
                              percent_encode(detail::sigv2_signature(secret, text));
    return directory->identify({"GET", "/b/k", query, &headers}, {Dialect::s3, "s3"}, "",
                               from_millis(1000));
  };
  const auto who = identify(root.access_key_id, root.secret);
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->principal.kind, PrincipalKind::root);
  EXPECT_EQ(who->authorization->region, default_region);
  EXPECT_TRUE(who->signature_checked);
  EXPECT_EQ(identify(root.access_key_id, "wrong").error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(identify("test", "test").error().code, "InvalidAccessKeyId");
  open(Authentication::relaxed);
  const auto unknown = identify("test", "test");
  ASSERT_TRUE(unknown) << unknown.error().message;
  EXPECT_FALSE(unknown->signature_checked);
  EXPECT_EQ(unknown->principal.account, default_account);
  EXPECT_EQ(identify(root.access_key_id, "wrong").error().code, "SignatureDoesNotMatch");
}

TEST_F(DirectoryTest, ASessionHasTheRightsOfItsRole) {
  add_role("r", lambda_trust, allow_get);
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "r"), .session_name = "s"}, clock.now);
  ASSERT_TRUE(session);
  const auto who = call({credentials(*session), "s3"});
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->principal.arn, "arn:aws:sts::" + root.account + ":assumed-role/r/s");
  EXPECT_TRUE(ask(*who, {"s3:GetObject", "arn:aws:s3:::b/k"}).allowed);
  EXPECT_FALSE(ask(*who, {"s3:PutObject", "arn:aws:s3:::b/k"}).allowed);
}

TEST_F(DirectoryTest, ASessionPolicyLimitsTheSession) {
  add_role("r", lambda_trust, allow_get);
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "r"),
       .session_name = "s",
       .policies =
           {R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]})"}},
      clock.now);
  const auto who = call({credentials(*session), "s3"});
  ASSERT_TRUE(who);
  EXPECT_TRUE(ask(*who, {"s3:GetObject", "arn:aws:s3:::b/k"}).allowed);
  EXPECT_FALSE(ask(*who, {"s3:GetObject", "arn:aws:s3:::other/k"}).allowed);
}

TEST_F(DirectoryTest, ASessionEndsAtItsExpiry) {
  add_role("r", lambda_trust);
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "r"), .session_name = "s"}, clock.now);
  EXPECT_EQ(code({credentials(*session), "sts", "", std::chrono::seconds(3599)}), "");
  EXPECT_EQ(code({credentials(*session), "sts", "", std::chrono::seconds(3600)}), "ExpiredToken");
}

TEST_F(DirectoryTest, ATokenThatWasChangedOrBelongsToAnotherKeyIsRefused) {
  add_role("r", lambda_trust);
  const SessionRequest request{.role_arn = iam_arn(root.account, "role", "/", "r"),
                               .session_name = "s"};
  const auto one = directory->make_session(request, clock.now);
  const auto two = directory->make_session(request, clock.now);
  EXPECT_EQ(code({{one->access_key_id, one->secret, two->token}, "s3"}), "InvalidToken");
  EXPECT_EQ(code({{one->access_key_id, one->secret}, "s3"}), "InvalidAccessKeyId");
  for (std::size_t at = 0; at < one->token.size(); at += 7) {
    std::string token = one->token;
    token[at] = token[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code({{one->access_key_id, one->secret, token}, "s3"}), "InvalidToken") << at;
  }
}

TEST_F(DirectoryTest, ASessionOfARoleMadeAnewHasNoRights) {
  add_role("r", lambda_trust, allow_get);
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "r"), .session_name = "s"}, clock.now);
  const auto who = call({credentials(*session), "s3"});
  ASSERT_TRUE(ask(*who, {"s3:GetObject", "arn:aws:s3:::b/k"}).allowed);
  add_role("r", lambda_trust, allow_get);  // another id
  EXPECT_FALSE(ask(*who, {"s3:GetObject", "arn:aws:s3:::b/k"}).allowed);
}

TEST_F(DirectoryTest, AFunctionsSessionWorksThroughItsOwnSandboxOnly) {
  add_role("r", lambda_trust, allow_get);
  const auto session =
      directory->assume_for_function(iam_arn(root.account, "role", "/", "r"), "thumbnails",
                                     "sandbox-1", std::chrono::hours(1), clock.now);
  ASSERT_TRUE(session);
  EXPECT_EQ(code({credentials(*session), "s3", "sandbox-1"}), "");
  EXPECT_EQ(code({credentials(*session), "s3", "sandbox-2"}), "InvalidToken");
  EXPECT_EQ(code({credentials(*session), "s3", ""}), "InvalidToken");
}

TEST_F(DirectoryTest, ARoleThatDoesNotTrustLambdaIsNotAssumedForAFunction) {
  add_role(
      "r",
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]})");
  const auto session = directory->assume_for_function(iam_arn(root.account, "role", "/", "r"), "f",
                                                      "x", std::chrono::hours(1), clock.now);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, "AccessDeniedException");
  EXPECT_FALSE(directory->assume_for_function(iam_arn(root.account, "role", "/", "none"), "f", "x",
                                              std::chrono::hours(1), clock.now));
}

TEST_F(DirectoryTest, RelaxedTakesAnyKeyAndTwelveDigitsAsTheAccount) {
  open(Authentication::relaxed);
  const auto test = call({{"test", "test"}});
  ASSERT_TRUE(test);
  EXPECT_EQ(test->principal.account, "000000000000");
  EXPECT_FALSE(test->signature_checked);
  EXPECT_EQ(call({{"123456789012", "whatever"}})->principal.account, "123456789012");
  EXPECT_TRUE(ask(*test, {"s3:CreateBucket", "arn:aws:s3:::b"}).allowed);
}

TEST_F(DirectoryTest, RelaxedStillVerifiesKeysThatItKnows) {
  open(Authentication::relaxed);
  EXPECT_EQ(code({{root.access_key_id, "wrong"}}), "SignatureDoesNotMatch");
  add_role("r", lambda_trust, allow_get);
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "r"), .session_name = "s"}, clock.now);
  EXPECT_EQ(code({{session->access_key_id, "wrong", session->token}}), "SignatureDoesNotMatch");
  const auto who = call({credentials(*session), "s3"});
  EXPECT_FALSE(ask(*who, {"s3:PutObject", "arn:aws:s3:::b/k"}).allowed);
}

TEST_F(DirectoryTest, RelaxedGivesAFunctionWithoutARoleFullRights) {
  open(Authentication::relaxed);
  const auto session = directory->assume_for_function("arn:aws:iam::000000000000:role/none", "f",
                                                      "box", std::chrono::hours(1), clock.now);
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->unrestricted);
  const auto who = call({credentials(*session), "s3", "box"});
  ASSERT_TRUE(who);
  EXPECT_TRUE(ask(*who, {"s3:PutObject", "arn:aws:s3:::b/k"}).allowed);
}

TEST_F(DirectoryTest, AMasterKeyOfAnotherSizeIsNeverReplaced) {
  disk.files["/data/identity.key"] = "short";
  EXPECT_FALSE(load_master_key(env, "/data"));
  EXPECT_EQ(disk.files["/data/identity.key"], "short");
}

TEST_F(DirectoryTest, AnInstallationStartsWithItsOwnMasterKeyOnly) {
  const std::string key = disk.files["/data/identity.key"];
  EXPECT_EQ(open_master_key(*store, env, "/data").value(), key);
  disk.files["/data/identity.key"][7] ^= 1;
  EXPECT_EQ(open_master_key(*store, env, "/data").error().code, "WrongKey");
  disk.files.erase("/data/identity.key");
  EXPECT_EQ(open_master_key(*store, env, "/data").error().code, "WrongKey");
  EXPECT_FALSE(disk.files.contains("/data/identity.key")) << "no other key is made";
  disk.files["/data/identity.key"] = key;
  EXPECT_TRUE(open_master_key(*store, env, "/data"));
}

TEST_F(DirectoryTest, AnInstallationOfBeforeTheCheckTakesTheKeyThatItHas) {
  commit([&](store::Tx& tx) {
    auto installation = *tx.get<InstallationRecord>(keys::installation()).value();
    installation.key_check.clear();
    tx.put(keys::installation(), installation);
  });
  EXPECT_TRUE(open_master_key(*store, env, "/data"));
  disk.files["/data/identity.key"][7] ^= 1;
  EXPECT_EQ(open_master_key(*store, env, "/data").error().code, "WrongKey");
}

TEST(AccessKeyIds, CarryTheirAccount) {
  CountingRandom random;
  for (const char* account : {"000000000000", "000000000001", "123456789012", "999999999999"}) {
    const std::string id = make_access_key_id("ASIA", account, random);
    EXPECT_EQ(id.size(), 20U);
    EXPECT_EQ(account_of_access_key(id), account);
  }
  EXPECT_FALSE(account_of_access_key("test"));
  EXPECT_FALSE(account_of_access_key("AKIAIOSFODNN7EXAMPL!"));
}

TEST_F(DirectoryTest, TheRefererOfARequestIsAConditionKey) {
  add_role("referred", lambda_trust,
           R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",)"
           R"("Resource":"*","Condition":{"StringLike":{"aws:Referer":"http://a/*"}}}]})");
  const auto session = directory->make_session(
      {.role_arn = iam_arn(root.account, "role", "/", "referred"), .session_name = "s"}, clock.now);
  ASSERT_TRUE(session);
  const auto who = call({credentials(*session), "s3"});
  ASSERT_TRUE(who) << who.error().message;
  const Ask get{"s3:GetObject", "arn:aws:s3:::b/k"};
  auto allowed = [&](const std::string& referer) {
    return (*directory->make_authorizer(who->principal, {.now = clock.now, .referer = referer}))
        ->allows(get);
  };
  EXPECT_TRUE(allowed("http://a/page"));
  EXPECT_FALSE(allowed("http://b/page"));
  EXPECT_FALSE(allowed(""));
}

}  // namespace
}  // namespace wolke::identity
