#pragma once
// What all of IAM's operations share: who an input speaks of, names and paths, tags, pages, errors
// in IAM's words. Pure but for load(), which reads.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/identity/state.h"
#include "wolke/model/iam/operations.h"
#include "wolke/operation/operation.h"
#include "wolke/services/iam/iam.h"

namespace wolke::iam {

namespace model = wolke::model::iam;
namespace op = wolke::model::iam::op;
using identity::EntityRecord;
using identity::EntityType;
using operation::Context;

/// A user, group or role by name.
struct Target {
  EntityType type = EntityType::role;
  std::string name;
};

std::string_view type_name(EntityType type);  // "user"

/// The entity an input is about; operations on keys may leave the user out and mean the caller.
template <class In>
Target target_of(const In& in) {
  if constexpr (requires { in.role_name; }) {
    return {EntityType::role, in.role_name.value_or("")};
  } else if constexpr (requires { in.group_name; }) {
    return {EntityType::group, in.group_name.value_or("")};
  } else {
    return {EntityType::user, in.user_name.value_or("")};
  }
}

Error no_such_entity(const Target& target);
Error no_such_policy(std::string_view arn);
Error entity_already_exists(std::string text);
Error delete_conflict(std::string text);
Error limit_exceeded(std::string text);
Error validation_error(std::string text);

Result<EntityRecord> load(store::Tx& tx, const Context& context, const Target& target);
void save(store::Tx& tx, const Context& context, const Target& target, const EntityRecord& record);
std::string arn_of(const Context& context, EntityType type, const EntityRecord& record);

/// "/" when absent; must begin and end with '/'.
Result<std::string> checked_path(const std::optional<std::string>& path);
/// Letters, digits and +=,.@_- ; `member` names the input's member in the error.
Result<void> check_name(std::string_view name, std::string_view member);

using Tags = std::map<std::string, std::string>;
/// Adds `wanted` to `tags`; "LimitExceeded" beyond 50, "InvalidInput" on duplicates and on aws:
/// keys.
Result<void> add_tags(Tags& tags, const std::optional<std::vector<model::Tag>>& wanted);
std::vector<model::Tag> to_model(const Tags& tags);
/// aws:RequestTag/… and aws:TagKeys for the policies.
void add_tag_conditions(identity::Conditions& conditions,
                        const std::optional<std::vector<model::Tag>>& tags);

/// Markers are opaque to clients: base64 of the last name (tables) or of an index (lists in a
/// record).
Result<identity::PageRequest> page_request(const std::optional<std::string>& marker,
                                           const std::optional<std::int32_t>& max_items);

/// Puts one page of `all` into `items` and sets the output's is_truncated and marker.
template <class T, class In, class Out>
Result<void> page_list(std::vector<T> all, const In& in, std::optional<std::vector<T>>& items,
                       Out& out) {
  TRY(const identity::PageRequest page, page_request(in.marker, in.max_items));
  const std::size_t begin = page.after.empty() ? 0 : parse_u64(page.after).value_or(all.size());
  const std::size_t first = std::min(begin, all.size());
  const std::size_t last = std::min(all.size(), first + page.count_max);
  items.emplace(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(first)),
                std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(last)));
  out.is_truncated = last < all.size();
  if (last < all.size()) out.marker = to_base64(std::to_string(last));
  return {};
}

template <class Out>
void finish_page(const std::string& next, Out& out) {
  out.is_truncated = !next.empty();
  if (!next.empty()) out.marker = to_base64(next);
}

std::optional<model::AttachedPermissionsBoundary> boundary_of(const EntityRecord& record);

/// Characters that count against policy quotas: all but white space.
std::size_t policy_size(std::string_view document);

}  // namespace wolke::iam
