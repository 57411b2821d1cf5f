#include "wolke/services/iam/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wolke/identity/ids.h"

namespace wolke::iam {
namespace {

constexpr std::size_t tags_max = 50;
constexpr std::size_t page_default = 100;

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("+=,.@_-").find(c) != std::string_view::npos;
}

}  // namespace

std::string_view type_name(EntityType type) {
  switch (type) {
    case EntityType::user:
      return "user";
    case EntityType::group:
      return "group";
    case EntityType::role:
      break;
  }
  return "role";
}

Error no_such_entity(const Target& target) {
  return {"NoSuchEntity", 404,
          fmt::format("The {} with name {} cannot be found.", type_name(target.type), target.name)};
}

Error no_such_policy(std::string_view arn) {
  return {"NoSuchEntity", 404, fmt::format("Policy {} was not found.", arn)};
}

Error entity_already_exists(std::string text) {
  return {"EntityAlreadyExists", 409, std::move(text)};
}
Error delete_conflict(std::string text) {
  return {"DeleteConflict", 409, std::move(text)};
}
Error limit_exceeded(std::string text) {
  return {"LimitExceeded", 409, std::move(text)};
}
Error validation_error(std::string text) {
  return {"ValidationError", 400, std::move(text)};
}

Result<EntityRecord> load(store::Tx& tx, const Context& context, const Target& target) {
  TRY(auto record,
      tx.get<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (!record) return fail(no_such_entity(target));
  return *std::move(record);
}

void save(store::Tx& tx, const Context& context, const Target& target, const EntityRecord& record) {
  tx.put(identity::keys::entity(target.type, context.account, target.name), record);
}

std::string arn_of(const Context& context, EntityType type, const EntityRecord& record) {
  return identity::iam_arn(context.account, type_name(type), record.path, record.name);
}

Result<std::string> checked_path(const std::optional<std::string>& path) {
  const std::string text = path.value_or("/");
  const bool framed = text.size() <= 512 && text.starts_with('/') && text.ends_with('/');
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
  if (!framed || !printable) {
    return fail(validation_error(
        "The specified value for path is invalid. It must begin and end with / and contain only "
        "alphanumeric characters and/or / characters."));
  }
  return text;
}

Result<void> check_name(std::string_view name, std::string_view member) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_name_character)) return {};
  return fail(validation_error(fmt::format(
      "The specified value for {} is invalid. It must contain only alphanumeric characters "
      "and/or the following: +=,.@_-",
      member)));
}

Result<void> add_tags(Tags& tags, const std::optional<std::vector<model::Tag>>& wanted) {
  if (!wanted) return {};
  std::set<std::string> seen;
  for (const model::Tag& tag : *wanted) {
    const std::string key = tag.key.value_or("");
    if (!seen.insert(to_lower(key)).second) {
      return fail(
          Error{"InvalidInput", 400,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive."});
    }
    if (to_lower(key).starts_with("aws:")) {
      return fail(Error{"InvalidInput", 400, "Tag keys that begin with aws: are reserved."});
    }
    std::erase_if(tags, [&](const auto& old) { return iequals(old.first, key); });
    tags[key] = tag.value.value_or("");
  }
  if (tags.size() > tags_max)
    return fail(limit_exceeded("The number of tags has reached the maximum limit."));
  return {};
}

std::vector<model::Tag> to_model(const Tags& tags) {
  std::vector<model::Tag> out;
  for (const auto& [key, value] : tags) out.push_back({.key = key, .value = value});
  return out;
}

void add_tag_conditions(identity::Conditions& conditions,
                        const std::optional<std::vector<model::Tag>>& tags) {
  if (!tags) return;
  for (const model::Tag& tag : *tags) {
    const std::string key = tag.key.value_or("");
    conditions["aws:requesttag/" + to_lower(key)] = {tag.value.value_or("")};
    conditions["aws:tagkeys"].push_back(key);
  }
}

Result<identity::PageRequest> page_request(const std::optional<std::string>& marker,
                                           const std::optional<std::int32_t>& max_items) {
  identity::PageRequest out;
  out.count_max = static_cast<std::size_t>(max_items.value_or(page_default));
  if (!marker || marker->empty()) return out;
  std::optional<std::string> after = from_base64(*marker);
  if (!after) return fail(validation_error("Invalid Marker: " + printable(*marker)));
  out.after = *std::move(after);
  return out;
}

std::optional<model::AttachedPermissionsBoundary> boundary_of(const EntityRecord& record) {
  if (record.boundary.empty()) return std::nullopt;
  return model::AttachedPermissionsBoundary{.permissions_boundary_type = "Policy",
                                            .permissions_boundary_arn = record.boundary};
}

std::size_t policy_size(std::string_view document) {
  return static_cast<std::size_t>(std::count_if(document.begin(), document.end(), [](char c) {
    return c != ' ' && c != '\t' && c != '\r' && c != '\n';
  }));
}

}  // namespace wolke::iam
