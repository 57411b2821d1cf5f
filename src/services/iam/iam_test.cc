#include "wolke/services/iam/iam.h"

#include <gtest/gtest.h>

#include <set>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"
#include "wolke/identity/policy.h"
#include "wolke/operation/runner.h"
#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/policy_set.h"
#include "wolke/store/engines.h"

namespace wolke::iam {
namespace {

class CountingRandom : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    for (std::byte& b : out) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      b = static_cast<std::byte>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 7;
};

/// The account's root: IAM's own rules are tested here, authorization is identity's.
class Root : public identity::Authorizer {
 public:
  Root() {
    principal_.kind = identity::PrincipalKind::root;
    principal_.account = "111111111111";
    principal_.arn = "arn:aws:iam::111111111111:root";
  }
  identity::Decision decide(const identity::Ask&) const override {
    return {.allowed = true, .why = {}};
  }
  const identity::Principal& principal() const override { return principal_; }

 private:
  identity::Principal principal_;
};

const std::string trust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
const std::string document =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]})";
const std::string basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

class IamTest : public testing::Test {
 protected:
  IamTest() {
    context.account = "111111111111";
    context.now = Timestamp(Millis(1'795'427'473'000));
    context.random = &random;
    context.authorizer = &root;
  }

  template <class Op>
  Result<typename Op::Output> run(Result<typename Op::Output> (*function)(
                                      Iam&, store::Tx&, const Context&, const typename Op::Input&),
                                  const typename Op::Input& in) {
    std::optional<typename Op::Output> out;
    Result<void> done = operation::transact_blocking(*store, [&](store::Tx& tx) -> Result<void> {
      TRY(out, function(iam, tx, context, in));
      return {};
    });
    if (!done) return fail(done.error());
    return *std::move(out);
  }
  template <class T>
  static std::string code(const Result<T>& result) {
    return result ? "" : result.error().code;
  }
  void make_role(const std::string& name) {
    ASSERT_EQ(code(run<op::CreateRole>(create_role,
                                       {.role_name = name, .assume_role_policy_document = trust})),
              "");
  }

  CountingRandom random;
  Root root;
  Context context;
  std::unique_ptr<store::Store> store = store::open_memory_store();
  identity::Seal seal{std::string(32, 'k'), random};
  Iam iam{*store, seal};
};

TEST_F(IamTest, CreatesARoleAndShowsItWithAnEncodedTrustPolicy) {
  const auto created = run<op::CreateRole>(create_role, {.path = "/app/",
                                                         .role_name = "Thumbs",
                                                         .assume_role_policy_document = trust,
                                                         .description = "d"});
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->role->arn, "arn:aws:iam::111111111111:role/app/Thumbs");
  EXPECT_TRUE(created->role->role_id->starts_with("AROA"));
  EXPECT_FALSE(created->role->max_session_duration);
  EXPECT_FALSE(created->role->role_last_used);
  const auto got =
      run<op::GetRole>(get_role, {.role_name = "thumbs"});  // names differ in case only
  ASSERT_TRUE(got);
  EXPECT_EQ(got->role->assume_role_policy_document, percent_encode(trust));
  EXPECT_EQ(got->role->max_session_duration, 3600);
}

TEST_F(IamTest, NamesAreUniqueWithoutRegardToCase) {
  make_role("r");
  const auto again =
      run<op::CreateRole>(create_role, {.role_name = "R", .assume_role_policy_document = trust});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "EntityAlreadyExists");
  EXPECT_EQ(again.error().message, "Role with name R already exists.");
}

TEST_F(IamTest, NamesWhatIsMissingAsAwsDoes) {
  const auto role = run<op::GetRole>(get_role, {.role_name = "none"});
  EXPECT_EQ(code(role), "NoSuchEntity");
  EXPECT_EQ(role.error().message, "The role with name none cannot be found.");
  make_role("r");
  const auto policy = run<op::GetRolePolicy>(get_inline_policy<op::GetRolePolicy>,
                                             {.role_name = "r", .policy_name = "p"});
  EXPECT_EQ(policy.error().message, "The role policy with name p cannot be found.");
}

TEST_F(IamTest, APolicysNameIsNoArn) {
  make_role("r");
  const auto attached =
      run<op::AttachRolePolicy>(attach_policy<op::AttachRolePolicy>,
                                {.role_name = "r", .policy_arn = "AWSLambdaBasicExecutionRole"});
  EXPECT_EQ(code(attached), "ValidationError");
  EXPECT_EQ(attached.error().message, "Invalid ARN:  Could not be parsed!");
  const auto other = run<op::AttachRolePolicy>(
      attach_policy<op::AttachRolePolicy>,
      {.role_name = "r", .policy_arn = "arn:aws:s3:::AWSLambdaBasicExecutionRole"});
  EXPECT_EQ(code(other), "InvalidInput");
}

TEST_F(IamTest, AServiceLinkedRoleIsMadeOnceForAServiceThatIsKnown) {
  using Op = op::CreateServiceLinkedRole;
  const auto made =
      run<Op>(create_service_linked_role, {.aws_service_name = "autoscaling.amazonaws.com"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->role->arn,
            "arn:aws:iam::111111111111:role/aws-service-role/autoscaling.amazonaws.com/"
            "AWSServiceRoleForAutoScaling");
  EXPECT_TRUE(made->role->assume_role_policy_document->find("autoscaling.amazonaws.com") !=
              std::string::npos);
  EXPECT_EQ(
      code(run<Op>(create_service_linked_role, {.aws_service_name = "autoscaling.amazonaws.com"})),
      "InvalidInput");
  EXPECT_EQ(code(run<Op>(create_service_linked_role,
                         {.aws_service_name = "autoscaling.amazonaws.com", .custom_suffix = "b"})),
            "");
  EXPECT_EQ(
      code(run<Op>(create_service_linked_role, {.aws_service_name = "nothing.amazonaws.com"})),
      "NoSuchEntity");
  const auto suffix = run<Op>(create_service_linked_role,
                              {.aws_service_name = "ecs.amazonaws.com", .custom_suffix = "b"});
  EXPECT_EQ(suffix.error().message, "Custom suffix is not allowed for ecs.amazonaws.com");
}

TEST_F(IamTest, AServiceLinkedRoleIsDeletedByItsOwnOperationAlone) {
  using Delete = op::DeleteServiceLinkedRole;
  using Status = op::GetServiceLinkedRoleDeletionStatus;
  ASSERT_TRUE(run<op::CreateServiceLinkedRole>(create_service_linked_role,
                                               {.aws_service_name = "batch.amazonaws.com"}));
  make_role("other");
  EXPECT_EQ(code(run<Delete>(delete_service_linked_role, {.role_name = "other"})), "NoSuchEntity");
  const auto deleted =
      run<Delete>(delete_service_linked_role, {.role_name = "AWSServiceRoleForBatch"});
  ASSERT_TRUE(deleted);
  EXPECT_TRUE(deleted->deletion_task_id->starts_with(
      "task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/"));
  EXPECT_EQ(code(run<op::GetRole>(get_role, {.role_name = "AWSServiceRoleForBatch"})),
            "NoSuchEntity");
  const auto status = run<Status>(get_service_linked_role_deletion_status,
                                  {.deletion_task_id = *deleted->deletion_task_id});
  EXPECT_EQ(status->status, "SUCCEEDED");
  EXPECT_EQ(code(run<Status>(get_service_linked_role_deletion_status, {.deletion_task_id = "x"})),
            "NoSuchEntity");
}

TEST_F(IamTest, ASimulationHasThePoliciesOfAUserItsGroupsAndItsBoundary) {
  using Op = op::SimulatePrincipalPolicy;
  ASSERT_TRUE(run<op::CreateUser>(create_user, {.user_name = "u"}));
  ASSERT_TRUE(run<op::CreateGroup>(create_group, {.group_name = "g"}));
  ASSERT_TRUE(run<op::AddUserToGroup>(add_user_to_group, {.group_name = "g", .user_name = "u"}));
  ASSERT_TRUE(run<op::PutGroupPolicy>(
      put_inline_policy<op::PutGroupPolicy>,
      {.group_name = "g", .policy_name = "p", .policy_document = document}));
  Op::Input input;
  input.policy_source_arn = "arn:aws:iam::111111111111:user/u";
  input.action_names = {"s3:GetObject", "s3:PutObject"};
  const auto decisions = [&] {
    std::string out;
    const auto answer = run<Op>(simulate_principal_policy, input);
    if (!answer) return answer.error().code;
    for (const auto& result : *answer->evaluation_results) out += *result.eval_decision + ";";
    return out;
  };
  EXPECT_EQ(decisions(), "allowed;implicitDeny;");
  input.permissions_boundary_policy_input_list = {trust};
  EXPECT_EQ(decisions(), "MalformedPolicyDocument");
  input.permissions_boundary_policy_input_list = {
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}})"};
  EXPECT_EQ(decisions(), "implicitDeny;implicitDeny;");
  input.policy_source_arn = "arn:aws:iam::111111111111:user/nobody";
  EXPECT_EQ(decisions(), "NoSuchEntity");
  input.policy_source_arn = "arn:aws:s3:::bucket";
  EXPECT_EQ(decisions(), "InvalidInput");
}

TEST_F(IamTest, TheDetailsOfAnAccountComeAPageAtATime) {
  using Op = op::GetAccountAuthorizationDetails;
  make_role("r");
  ASSERT_EQ(code(run<op::PutRolePolicy>(
                put_inline_policy<op::PutRolePolicy>,
                {.role_name = "r", .policy_name = "p", .policy_document = document})),
            "");
  ASSERT_EQ(code(run<op::AttachRolePolicy>(attach_policy<op::AttachRolePolicy>,
                                           {.role_name = "r", .policy_arn = basic})),
            "");
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "u"})), "");
  ASSERT_EQ(code(run<op::CreatePolicy>(create_policy,
                                       {.policy_name = "own", .policy_document = document})),
            "");
  const auto all = run<Op>(get_account_authorization_details, {});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->role_detail_list->size(), 1U);
  const model::RoleDetail& role = all->role_detail_list->front();
  EXPECT_EQ(role.role_policy_list->front().policy_document, percent_encode(document));
  EXPECT_EQ(role.attached_managed_policies->front().policy_arn, basic);
  EXPECT_EQ(all->user_detail_list->size(), 1U);
  ASSERT_EQ(all->policies->size(), 2U);
  EXPECT_EQ(all->policies->at(0).policy_name, "own");
  EXPECT_EQ(all->policies->at(1).arn, basic);
  EXPECT_EQ(all->policies->at(1).attachment_count, 1);
  EXPECT_FALSE(*all->is_truncated);

  const auto first = run<Op>(get_account_authorization_details, {.max_items = 1});
  ASSERT_TRUE(first && *first->is_truncated);
  EXPECT_EQ(first->user_detail_list->size(), 1U);
  EXPECT_TRUE(first->role_detail_list->empty());
  const auto second =
      run<Op>(get_account_authorization_details, {.max_items = 1, .marker = first->marker});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->role_detail_list->size(), 1U);
  const auto roles =
      run<Op>(get_account_authorization_details, {.filter = std::vector<std::string>{"Role"}});
  ASSERT_TRUE(roles);
  EXPECT_TRUE(roles->user_detail_list->empty() && roles->policies->empty());
}

TEST_F(IamTest, RefusesMalformedPolicies) {
  EXPECT_EQ(code(run<op::CreateRole>(create_role,
                                     {.role_name = "r", .assume_role_policy_document = document})),
            "MalformedPolicyDocument");
  make_role("r");
  EXPECT_EQ(
      code(run<op::PutRolePolicy>(put_inline_policy<op::PutRolePolicy>,
                                  {.role_name = "r", .policy_name = "p", .policy_document = "{"})),
      "MalformedPolicyDocument");
}

TEST_F(IamTest, ARoleWithPoliciesCannotBeDeleted) {
  make_role("r");
  ASSERT_EQ(code(run<op::AttachRolePolicy>(attach_policy<op::AttachRolePolicy>,
                                           {.role_name = "r", .policy_arn = basic})),
            "");
  ASSERT_EQ(code(run<op::PutRolePolicy>(
                put_inline_policy<op::PutRolePolicy>,
                {.role_name = "r", .policy_name = "p", .policy_document = document})),
            "");
  EXPECT_EQ(run<op::DeleteRole>(delete_role, {.role_name = "r"}).error().message,
            "Cannot delete entity, must detach all policies first.");
  ASSERT_EQ(code(run<op::DetachRolePolicy>(detach_policy<op::DetachRolePolicy>,
                                           {.role_name = "r", .policy_arn = basic})),
            "");
  EXPECT_EQ(code(run<op::DeleteRole>(delete_role, {.role_name = "r"})), "DeleteConflict");
  ASSERT_EQ(code(run<op::DeleteRolePolicy>(delete_inline_policy<op::DeleteRolePolicy>,
                                           {.role_name = "r", .policy_name = "p"})),
            "");
  EXPECT_EQ(code(run<op::DeleteRole>(delete_role, {.role_name = "r"})), "");
  EXPECT_EQ(code(run<op::GetRole>(get_role, {.role_name = "r"})), "NoSuchEntity");
}

TEST_F(IamTest, AttachingTwiceIsOnceAndUnknownPoliciesAreRefused) {
  make_role("r");
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(code(run<op::AttachRolePolicy>(attach_policy<op::AttachRolePolicy>,
                                             {.role_name = "r", .policy_arn = basic})),
              "");
  }
  const auto listed = run<op::ListAttachedRolePolicies>(
      list_attached_policies<op::ListAttachedRolePolicies>, {.role_name = "r"});
  ASSERT_EQ(listed->attached_policies->size(), 1U);
  EXPECT_EQ((*listed->attached_policies)[0].policy_name, "AWSLambdaBasicExecutionRole");
  EXPECT_EQ(code(run<op::AttachRolePolicy>(
                attach_policy<op::AttachRolePolicy>,
                {.role_name = "r", .policy_arn = "arn:aws:iam::aws:policy/None"})),
            "NoSuchEntity");
  EXPECT_EQ(code(run<op::AttachRolePolicy>(
                attach_policy<op::AttachRolePolicy>,
                {.role_name = "r", .policy_arn = "arn:aws:iam::222222222222:policy/p"})),
            "NoSuchEntity");
}

TEST_F(IamTest, PagesThroughRolesByMarker) {
  for (int i = 0; i < 7; ++i) make_role("role-" + std::to_string(i));
  std::set<std::string> names;
  std::optional<std::string> marker;
  int pages = 0;
  do {
    const auto page = run<op::ListRoles>(list_roles, {.marker = marker, .max_items = 3});
    ASSERT_TRUE(page);
    for (const model::Role& role : *page->roles) names.insert(*role.role_name);
    EXPECT_EQ(*page->is_truncated, page->marker.has_value());
    marker = page->marker;
    ++pages;
  } while (marker);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 7U);
  EXPECT_EQ(code(run<op::ListRoles>(list_roles, {.marker = "%%"})), "ValidationError");
}

TEST_F(IamTest, ManagesPolicyVersions) {
  const auto created =
      run<op::CreatePolicy>(create_policy, {.policy_name = "p", .policy_document = document});
  ASSERT_TRUE(created);
  const std::string arn = *created->policy->arn;
  for (int i = 2; i <= 5; ++i) {
    const auto version = run<op::CreatePolicyVersion>(
        create_policy_version,
        {.policy_arn = arn, .policy_document = document, .set_as_default = i == 5});
    EXPECT_EQ(version->policy_version->version_id, "v" + std::to_string(i));
  }
  EXPECT_EQ(code(run<op::CreatePolicyVersion>(create_policy_version,
                                              {.policy_arn = arn, .policy_document = document})),
            "LimitExceeded");
  EXPECT_EQ(code(run<op::DeletePolicyVersion>(delete_policy_version,
                                              {.policy_arn = arn, .version_id = "v5"})),
            "DeleteConflict");
  EXPECT_EQ(code(run<op::DeletePolicy>(delete_policy, {.policy_arn = arn})), "DeleteConflict");
  for (const char* version : {"v1", "v2", "v3", "v4"}) {
    EXPECT_EQ(code(run<op::DeletePolicyVersion>(delete_policy_version,
                                                {.policy_arn = arn, .version_id = version})),
              "");
  }
  EXPECT_EQ(code(run<op::DeletePolicy>(delete_policy, {.policy_arn = arn})), "");
}

TEST_F(IamTest, APolicyCountsItsAttachments) {
  const auto created =
      run<op::CreatePolicy>(create_policy, {.policy_name = "p", .policy_document = document});
  const std::string arn = *created->policy->arn;
  make_role("r");
  ASSERT_EQ(code(run<op::AttachRolePolicy>(attach_policy<op::AttachRolePolicy>,
                                           {.role_name = "r", .policy_arn = arn})),
            "");
  EXPECT_EQ(*run<op::GetPolicy>(get_policy, {.policy_arn = arn})->policy->attachment_count, 1);
  EXPECT_EQ(code(run<op::DeletePolicy>(delete_policy, {.policy_arn = arn})), "DeleteConflict");
  const auto users = run<op::ListEntitiesForPolicy>(list_entities_for_policy, {.policy_arn = arn});
  ASSERT_EQ(users->policy_roles->size(), 1U);
  EXPECT_EQ((*users->policy_roles)[0].role_name, "r");
}

TEST_F(IamTest, EveryAwsManagedPolicyIsReadableAndSound) {
  std::optional<std::string> marker;
  std::size_t count = 0;
  do {
    const auto page =
        run<op::ListPolicies>(list_policies, {.scope = "AWS", .marker = marker, .max_items = 10});
    ASSERT_TRUE(page);
    for (const model::Policy& policy : *page->policies) {
      const auto version = run<op::GetPolicyVersion>(
          get_policy_version, {.policy_arn = policy.arn, .version_id = "v1"});
      ASSERT_TRUE(version) << *policy.arn;
      const auto text = percent_decode(*version->policy_version->document);
      EXPECT_TRUE(identity::Policy::parse(*text, identity::PolicyKind::identity)) << *policy.arn;
      ++count;
    }
    marker = page->marker;
  } while (marker);
  EXPECT_GT(count, 30U);
}

TEST_F(IamTest, AUserHasAtMostTwoKeysAndTheSecretIsShownOnce) {
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "ann"})), "");
  const auto key = run<op::CreateAccessKey>(create_access_key, {.user_name = "ann"});
  ASSERT_TRUE(key);
  EXPECT_EQ(key->access_key->secret_access_key->size(), 40U);
  ASSERT_EQ(code(run<op::CreateAccessKey>(create_access_key, {.user_name = "ann"})), "");
  EXPECT_EQ(code(run<op::CreateAccessKey>(create_access_key, {.user_name = "ann"})),
            "LimitExceeded");
  const auto listed = run<op::ListAccessKeys>(list_access_keys, {.user_name = "ann"});
  EXPECT_EQ(listed->access_key_metadata->size(), 2U);
  EXPECT_EQ(code(run<op::DeleteUser>(delete_user, {.user_name = "ann"})), "DeleteConflict");
}

TEST_F(IamTest, AKeyIsDeletedOnlyThroughItsOwner) {
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "ann"})), "");
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "bob"})), "");
  const auto key = run<op::CreateAccessKey>(create_access_key, {.user_name = "ann"});
  const std::string id = *key->access_key->access_key_id;
  EXPECT_EQ(
      code(run<op::DeleteAccessKey>(delete_access_key, {.user_name = "bob", .access_key_id = id})),
      "NoSuchEntity");
  EXPECT_EQ(
      code(run<op::DeleteAccessKey>(delete_access_key, {.user_name = "ann", .access_key_id = id})),
      "");
}

TEST_F(IamTest, ARenamedUserKeepsItsKeys) {
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "ann"})), "");
  ASSERT_EQ(code(run<op::CreateAccessKey>(create_access_key, {.user_name = "ann"})), "");
  ASSERT_EQ(code(run<op::UpdateUser>(update_user, {.user_name = "ann", .new_user_name = "anna"})),
            "");
  EXPECT_EQ(code(run<op::GetUser>(get_user, {.user_name = "ann"})), "NoSuchEntity");
  EXPECT_EQ(
      run<op::ListAccessKeys>(list_access_keys, {.user_name = "anna"})->access_key_metadata->size(),
      1U);
}

TEST_F(IamTest, GroupsHoldUsersAndCannotBeDeletedWithThem) {
  ASSERT_EQ(code(run<op::CreateUser>(create_user, {.user_name = "ann"})), "");
  ASSERT_EQ(code(run<op::CreateGroup>(create_group, {.group_name = "g"})), "");
  ASSERT_EQ(
      code(run<op::AddUserToGroup>(add_user_to_group, {.group_name = "g", .user_name = "ann"})),
      "");
  EXPECT_EQ(run<op::GetGroup>(get_group, {.group_name = "g"})->users->size(), 1U);
  EXPECT_EQ(code(run<op::DeleteGroup>(delete_group, {.group_name = "g"})), "DeleteConflict");
  ASSERT_EQ(code(run<op::RemoveUserFromGroup>(remove_user_from_group,
                                              {.group_name = "g", .user_name = "ann"})),
            "");
  EXPECT_EQ(code(run<op::DeleteGroup>(delete_group, {.group_name = "g"})), "");
}

TEST_F(IamTest, TagsAreUniqueWithoutRegardToCase) {
  make_role("r");
  ASSERT_EQ(code(run<op::TagRole>(tag_entity<op::TagRole>,
                                  {.role_name = "r", .tags = {{{.key = "Team", .value = "a"}}}})),
            "");
  ASSERT_EQ(code(run<op::TagRole>(tag_entity<op::TagRole>,
                                  {.role_name = "r", .tags = {{{.key = "team", .value = "b"}}}})),
            "");
  const auto tags = run<op::ListRoleTags>(list_entity_tags<op::ListRoleTags>, {.role_name = "r"});
  ASSERT_EQ(tags->tags->size(), 1U);
  EXPECT_EQ((*tags->tags)[0].value, "b");
}

TEST_F(IamTest, AsksNameTheArnWithItsPath) {
  ASSERT_EQ(
      code(run<op::CreateRole>(
          create_role, {.path = "/app/", .role_name = "r", .assume_role_policy_document = trust})),
      "");
  const auto asks =
      entity_asks<op::AttachRolePolicy>(iam, context, {.role_name = "r", .policy_arn = basic});
  ASSERT_TRUE(asks);
  EXPECT_EQ((*asks)[0].action, "iam:AttachRolePolicy");
  EXPECT_EQ((*asks)[0].resource, "arn:aws:iam::111111111111:role/app/r");
  EXPECT_EQ((*asks)[0].conditions.at("iam:policyarn"), std::vector<std::string>{basic});
}

TEST_F(IamTest, EveryRowOfTheTableHasAnOperationAndAsks) {
  const operation::ServiceTable table = iam_table(&iam);
  std::set<std::string_view> names;
  for (const operation::Row& row : table.rows) {
    EXPECT_TRUE(row.run != nullptr && row.asks != nullptr) << row.operation->name;
    EXPECT_TRUE(row.operation->served()) << row.operation->name;
    EXPECT_TRUE(names.insert(row.operation->name).second) << row.operation->name;
  }
  EXPECT_GT(names.size(), 60U);
}

}  // namespace
}  // namespace wolke::iam
