// The access advisor: which services the policies of a user, group or role allow, or a policy
// allows to whom it is attached, and when these were last used. A report is made of the records
// when it is read; what is kept is what it was asked about. Source: IAM User Guide, "Refine
// permissions in AWS using last accessed information".

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"
#include "wolke/identity/use.h"
#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/ops.h"

namespace wolke::iam {
namespace {

using identity::EntityUseRecord;

constexpr std::size_t every = 1'000'000;

/// The services that are told of when a policy allows all; others when it names them.
struct ServiceName {
  std::string_view space, name;
};
constexpr auto service_names = std::to_array<ServiceName>({
    {"iam", "AWS Identity and Access Management"},
    {"lambda", "AWS Lambda"},
    {"logs", "Amazon CloudWatch Logs"},
    {"s3", "Amazon S3"},
    {"sts", "AWS Security Token Service"},
});

std::string display_name(const std::string& space) {
  const auto known = std::ranges::find(service_names, space, &ServiceName::space);
  return std::string(known == service_names.end() ? space : known->name);
}

std::string owner_type(EntityType type) {
  return type == EntityType::user ? "USER" : type == EntityType::group ? "GROUP" : "ROLE";
}

/// A policy and, when it is an inline one, whose.
struct HeldPolicy {
  std::string name;
  std::string arn;  // empty: inline
  std::string document;
  EntityType owner_type = EntityType::user;
  std::string owner;
};

/// An entity with the type that its record does not tell.
struct Entity {
  EntityType type = EntityType::user;
  EntityRecord record;
};

/// What an ARN of this account leads to: an entity, or a policy (then `entity` is empty).
struct Subject {
  std::string arn;
  std::optional<Entity> entity;
};

Error no_such(const std::string& arn) {
  return {"NoSuchEntity", 404, fmt::format("ARN {} does not exist.", printable(arn))};
}

Result<Subject> find_subject(store::Tx& tx, const Context& context, const std::string& arn) {
  constexpr std::array types = {EntityType::user, EntityType::group, EntityType::role};
  const auto parsed = identity::parse_iam_arn(arn);
  if (!parsed) {
    return fail(Error{"InvalidInput", 400, fmt::format("ARN {} is not valid.", printable(arn))});
  }
  Subject out{.arn = arn};
  if (parsed->type == "policy") {
    const bool own = parsed->account == context.account || parsed->account == "aws";
    TRY(const auto document, identity::managed_policy_document(tx, arn));
    if (!own || !document) return fail(no_such(arn));
    return out;
  }
  const auto type = std::ranges::find(types, parsed->type, type_name);
  if (type == types.end()) {
    return fail(Error{"InvalidInput", 400,
                      fmt::format("ARN {} is not of a user, group, role or policy.", arn)});
  }
  TRY(auto record,
      tx.peek<EntityRecord>(identity::keys::entity(*type, context.account, parsed->name)));
  if (!record || arn_of(context, *type, *record) != arn) return fail(no_such(arn));
  out.entity = Entity{.type = *type, .record = *std::move(record)};
  return out;
}

Result<void> add_policies(store::Tx& tx, const Entity& holder, std::vector<HeldPolicy>& out) {
  for (const std::string& arn : holder.record.attached) {
    TRY(auto document, identity::managed_policy_document(tx, arn));
    if (!document) continue;  // what is not there grants nothing
    out.push_back({.name = arn.substr(arn.rfind('/') + 1), .arn = arn, .document = *document});
  }
  for (const auto& [name, document] : holder.record.inline_policies) {
    out.push_back({.name = name,
                   .document = document,
                   .owner_type = holder.type,
                   .owner = holder.record.name});
  }
  return {};
}

/// Its own, and of a user its groups'; or the one policy.
Result<std::vector<HeldPolicy>> policies_of(store::Tx& tx, const Context& context,
                                            const Subject& subject) {
  std::vector<HeldPolicy> out;
  if (!subject.entity) {
    TRY(auto document, identity::managed_policy_document(tx, subject.arn));
    out.push_back({.arn = subject.arn, .document = std::move(document).value_or("")});
    return out;
  }
  TRY(add_policies(tx, *subject.entity, out));
  for (const std::string& name : subject.entity->record.groups) {
    const Target group{EntityType::group, name};
    TRY(EntityRecord record, load(tx, context, group));
    TRY(add_policies(tx, {.type = group.type, .record = std::move(record)}, out));
  }
  return out;
}

using ParsedPolicy = std::shared_ptr<const identity::Policy>;

Result<std::vector<ParsedPolicy>> parse_all(const std::vector<HeldPolicy>& policies) {
  std::vector<ParsedPolicy> out;
  for (const HeldPolicy& policy : policies) {
    TRY(out.emplace_back(),
        identity::Policy::parse(policy.document, identity::PolicyKind::identity));
  }
  return out;
}

std::set<std::string> services_allowed(const std::vector<ParsedPolicy>& policies) {
  std::set<std::string> candidates;
  for (const ServiceName& service : service_names) candidates.emplace(service.space);
  for (const ParsedPolicy& policy : policies) candidates.merge(policy->services_named());
  std::erase_if(candidates, [&](const std::string& service) {
    bool granted = false;
    for (const ParsedPolicy& policy : policies) {
      const identity::ServiceAccess access = policy->access_to(service);
      if (access.withheld) return true;
      granted = granted || access.granted;
    }
    return !granted;
  });
  return candidates;
}

/// An entity that may use what the subject allows, and its uses.
struct Bearer {
  Entity entity;
  EntityUseRecord uses;
};

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

/// The user or role itself; a group's users; the users and roles that a policy is attached to, the
/// users by their groups, too.
Result<std::vector<Bearer>> bearers_of(store::Tx& tx, const Context& context,
                                       const Subject& subject) {
  std::vector<Entity> found;
  std::set<std::string> groups;
  if (subject.entity && subject.entity->type != EntityType::group) {
    found.push_back(*subject.entity);
  } else {
    if (subject.entity) groups.insert(subject.entity->record.name);
    for (const EntityType type : {EntityType::group, EntityType::user, EntityType::role}) {
      TRY(auto page, identity::list_entities(tx, type, context.account, {.count_max = every}));
      for (EntityRecord& record : page.items) {
        const bool attached = !subject.entity && holds(record.attached, subject.arn);
        if (type == EntityType::group) {
          if (attached) groups.insert(record.name);
          continue;
        }
        const bool member = std::ranges::any_of(
            record.groups, [&](const std::string& group) { return groups.contains(group); });
        if (attached || member) found.push_back({.type = type, .record = std::move(record)});
      }
    }
  }
  std::vector<Bearer> out;
  for (Entity& entity : found) {
    TRY(auto uses,
        tx.peek<EntityUseRecord>(identity::keys::entity_use(context.account, entity.record.id)));
    out.push_back(
        {.entity = std::move(entity), .uses = std::move(uses).value_or(EntityUseRecord{})});
  }
  return out;
}

std::optional<Timestamp> last_use(const Bearer& bearer, const std::string& service) {
  const auto found = bearer.uses.services.find(service);
  if (found == bearer.uses.services.end()) return std::nullopt;
  return found->second;
}

model::ServiceLastAccessed service_model(const Context& context, const std::string& service,
                                         const std::vector<Bearer>& bearers) {
  model::ServiceLastAccessed out;
  out.service_name = display_name(service);
  out.service_namespace = service;
  out.total_authenticated_entities = 0;
  for (const Bearer& bearer : bearers) {
    const std::optional<Timestamp> at = last_use(bearer, service);
    if (!at) continue;
    *out.total_authenticated_entities += 1;
    if (out.last_authenticated && *out.last_authenticated >= *at) continue;
    out.last_authenticated = at;
    out.last_authenticated_entity = arn_of(context, bearer.entity.type, bearer.entity.record);
    out.last_authenticated_region = bearer.uses.regions.at(service);
  }
  return out;
}

model::EntityDetails entity_model(const Context& context, const Bearer& bearer,
                                  const std::string& service) {
  const auto& [type, record] = bearer.entity;
  model::EntityDetails out;
  out.entity_info.emplace();
  out.entity_info->arn = arn_of(context, type, record);
  out.entity_info->name = record.name;
  out.entity_info->type = owner_type(type);
  out.entity_info->id = record.id;
  out.entity_info->path = record.path;
  out.last_authenticated = last_use(bearer, service);
  return out;
}

/// What the two readings of a job begin with.
struct Job {
  identity::AccessJobRecord record;
  Subject subject;
  std::set<std::string> services;
  std::vector<Bearer> bearers;
};

Result<Job> load_job(store::Tx& tx, const Context& context, const std::string& id) {
  TRY(auto record, identity::find_access_job(tx, context.account, id, context.now));
  if (!record) {
    return fail(Error{"NoSuchEntity", 404,
                      fmt::format("The job with id {} cannot be found.", printable(id))});
  }
  Job out{.record = *std::move(record)};
  TRY(out.subject, find_subject(tx, context, out.record.arn));
  TRY(const auto held, policies_of(tx, context, out.subject));
  TRY(const auto parsed, parse_all(held));
  out.services = services_allowed(parsed);
  TRY(out.bearers, bearers_of(tx, context, out.subject));
  return out;
}

template <class Out>
void describe_job(const Job& job, Out& out) {
  out.job_status = "COMPLETED";
  out.job_creation_date = job.record.created;
  out.job_completion_date = job.record.created;
}

}  // namespace

Result<operation::Asks> last_accessed_asks(
    Iam&, const Context&, const op::GenerateServiceLastAccessedDetails::Input& in) {
  identity::Ask ask = ask_for("GenerateServiceLastAccessedDetails", *in.arn);
  ask.resource_account = account_of_policy(ask.resource);
  return operation::Asks{std::move(ask)};
}

Result<operation::Asks> granting_policies_asks(
    Iam&, const Context&, const op::ListPoliciesGrantingServiceAccess::Input& in) {
  identity::Ask ask = ask_for("ListPoliciesGrantingServiceAccess", *in.arn);
  ask.resource_account = account_of_policy(ask.resource);
  return operation::Asks{std::move(ask)};
}

Result<op::GenerateServiceLastAccessedDetails::Output> generate_last_accessed(
    Iam&, store::Tx& tx, const Context& context,
    const op::GenerateServiceLastAccessedDetails::Input& in) {
  TRY(find_subject(tx, context, *in.arn));
  identity::AccessJobRecord job;
  job.arn = *in.arn;
  job.granularity = in.granularity.value_or("SERVICE_LEVEL");
  job.created = context.now;
  op::GenerateServiceLastAccessedDetails::Output out;
  out.job_id = context.random->uuid();
  TRY(identity::add_access_job(tx, context.account, *out.job_id, job));
  return out;
}

Result<op::GetServiceLastAccessedDetails::Output> get_last_accessed(
    Iam&, store::Tx& tx, const Context& context,
    const op::GetServiceLastAccessedDetails::Input& in) {
  TRY(const Job job, load_job(tx, context, *in.job_id));
  op::GetServiceLastAccessedDetails::Output out;
  describe_job(job, out);
  out.job_type = job.record.granularity;
  std::vector<model::ServiceLastAccessed> services;
  for (const std::string& service : job.services) {
    services.push_back(service_model(context, service, job.bearers));
  }
  TRY(page_list(std::move(services), in, out.services_last_accessed, out));
  return out;
}

Result<op::GetServiceLastAccessedDetailsWithEntities::Output> get_last_accessed_with_entities(
    Iam&, store::Tx& tx, const Context& context,
    const op::GetServiceLastAccessedDetailsWithEntities::Input& in) {
  const std::string& service = *in.service_namespace;
  TRY(const Job job, load_job(tx, context, *in.job_id));
  op::GetServiceLastAccessedDetailsWithEntities::Output out;
  describe_job(job, out);
  std::vector<model::EntityDetails> entities;
  if (job.services.contains(service)) {
    for (const Bearer& bearer : job.bearers) {
      entities.push_back(entity_model(context, bearer, service));
    }
  }
  // The last users first; nullopt is less than any time.
  std::ranges::stable_sort(entities, std::greater(), &model::EntityDetails::last_authenticated);
  TRY(page_list(std::move(entities), in, out.entity_details_list, out));
  return out;
}

Result<op::ListPoliciesGrantingServiceAccess::Output> list_granting_policies(
    Iam&, store::Tx& tx, const Context& context,
    const op::ListPoliciesGrantingServiceAccess::Input& in) {
  TRY(const Subject subject, find_subject(tx, context, *in.arn));
  if (!subject.entity) {
    return fail(Error{"InvalidInput", 400,
                      fmt::format("ARN {} is not of a user, group or role.", *in.arn)});
  }
  TRY(const auto held, policies_of(tx, context, subject));
  TRY(const auto parsed, parse_all(held));
  op::ListPoliciesGrantingServiceAccess::Output out;
  out.is_truncated = false;
  out.policies_granting_service_access.emplace();
  for (const std::string& service : *in.service_namespaces) {
    auto& entry = out.policies_granting_service_access->emplace_back();
    entry.service_namespace = service;
    entry.policies.emplace();
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (!parsed[i]->access_to(service).granted) continue;
      auto& item = entry.policies->emplace_back();
      item.policy_name = held[i].name;
      item.policy_type = held[i].arn.empty() ? "INLINE" : "MANAGED";
      if (!held[i].arn.empty()) {
        item.policy_arn = held[i].arn;
        continue;
      }
      item.entity_type = owner_type(held[i].owner_type);
      item.entity_name = held[i].owner;
    }
  }
  return out;
}

}  // namespace wolke::iam
