#pragma once
// What the operations that make sessions share: names, durations, session policies and tags. Pure,
// but for what reads a policy or a role in a transaction. Errors are STS's.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/identity/directory.h"
#include "wolke/identity/state.h"
#include "wolke/services/sts/ops.h"

namespace wolke::sts {

inline constexpr std::int32_t session_seconds_default = 3600;
inline constexpr std::size_t session_tags_max = 50;

/// Session tags by their keys, which are the same whatever their case.
using Tags = std::map<std::string, std::string>;
using TagList = std::optional<std::vector<model::Tag>>;

Error validation_error(std::string text);
Error invalid_parameter(std::string text);

/// 2 to `size_max` letters, digits and _+=,.@- ; `member` names it in the error.
Result<void> check_session_name(const std::string& name, std::string_view member,
                                std::size_t size_max);

struct Duration {
  std::int32_t seconds_max = 0;
  std::int32_t seconds_default = session_seconds_default;
  const char* too_long = "";
};
inline constexpr const char* too_long_for_role =
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
Result<std::int32_t> session_seconds(const std::optional<std::int32_t>& wanted,
                                     const Duration& bounds);

/// The role named by the ARN, as its record has it.
Result<identity::EntityRecord> load_role(store::Tx& tx, const std::string& role_arn);

Result<void> add_policies(store::Tx& tx, const std::optional<std::string>& policy,
                          const std::optional<std::vector<model::PolicyDescriptorType>>& arns,
                          identity::SessionRequest& out);

bool has_key(const Tags& tags, std::string_view key);
Result<Tags> checked_tags(const TagList& wanted);
/// aws:RequestTag/… and aws:TagKeys.
void add_tag_conditions(const Tags& tags, identity::Ask& ask);

/// How much of what a session can carry is used, in percent; nullopt: nothing is carried.
std::optional<std::int32_t> packed_size(const identity::SessionRequest& request);

model::Credentials to_model(const identity::SessionCredentials& session);

}  // namespace wolke::sts
