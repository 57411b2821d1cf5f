#pragma once
// The policies that hang on users, groups and roles: the rules are the same for each, so the
// operations are templates over the model's inputs and the rules are plain functions over the
// record.

#include "wolke/base/uri.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {

/// "MalformedPolicyDocument", "LimitExceeded" (2,048 characters for users, 5,120 groups, 10,240
/// roles).
Result<void> put_inline(EntityRecord& record, EntityType type, const std::string& name,
                        const std::string& document);
Result<void> delete_inline(EntityRecord& record, EntityType type, const std::string& name);
Result<std::string> get_inline(const EntityRecord& record, EntityType type,
                               const std::string& name);

Result<void> attach(const Iam& iam, store::Tx& tx, const Context& context, EntityRecord& record,
                    EntityType type, const std::string& arn);
Result<void> detach(store::Tx& tx, const Context& context, EntityRecord& record,
                    const std::string& arn);
Result<void> set_boundary(store::Tx& tx, const Context& context, EntityRecord& record,
                          const std::string& arn);

/// Adds to a managed policy's counters; AWS's own have none.
Result<void> count_attachment(store::Tx& tx, const Context& context, const std::string& arn,
                              int delta);

template <class Op>
using Answer = Result<typename Op::Output>;

template <class Op>
Answer<Op> put_inline_policy(Iam&, store::Tx& tx, const Context& context,
                             const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(put_inline(record, target.type, *in.policy_name, *in.policy_document));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> delete_inline_policy(Iam&, store::Tx& tx, const Context& context,
                                const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(delete_inline(record, target.type, *in.policy_name));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> get_inline_policy(Iam&, store::Tx& tx, const Context& context,
                             const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(const EntityRecord record, load(tx, context, target));
  TRY(const std::string document, get_inline(record, target.type, *in.policy_name));
  typename Op::Output out;
  if constexpr (requires { out.role_name; }) {
    out.role_name = record.name;
  } else if constexpr (requires { out.group_name; }) {
    out.group_name = record.name;
  } else {
    out.user_name = record.name;
  }
  out.policy_name = *in.policy_name;
  out.policy_document = percent_encode(document);
  return out;
}

template <class Op>
Answer<Op> list_inline_policies(Iam&, store::Tx& tx, const Context& context,
                                const typename Op::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  std::vector<std::string> names;
  for (const auto& [name, document] : record.inline_policies) names.push_back(name);
  typename Op::Output out;
  TRY(page_list(std::move(names), in, out.policy_names, out));
  return out;
}

template <class Op>
Answer<Op> attach_policy(Iam& iam, store::Tx& tx, const Context& context,
                         const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(attach(iam, tx, context, record, target.type, *in.policy_arn));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> detach_policy(Iam&, store::Tx& tx, const Context& context,
                         const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(detach(tx, context, record, *in.policy_arn));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> list_attached_policies(Iam&, store::Tx& tx, const Context& context,
                                  const typename Op::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  std::vector<model::AttachedPolicy> all;
  for (const std::string& arn : record.attached) {
    const std::size_t name = arn.rfind('/') + 1;
    const std::string path = arn.substr(arn.find('/'), name - arn.find('/'));
    if (in.path_prefix && !path.starts_with(*in.path_prefix)) continue;
    all.push_back({.policy_name = arn.substr(name), .policy_arn = arn});
  }
  typename Op::Output out;
  TRY(page_list(std::move(all), in, out.attached_policies, out));
  return out;
}

template <class Op>
Answer<Op> put_boundary(Iam&, store::Tx& tx, const Context& context, const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(set_boundary(tx, context, record, *in.permissions_boundary));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> delete_boundary(Iam&, store::Tx& tx, const Context& context,
                           const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(set_boundary(tx, context, record, ""));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> tag_entity(Iam&, store::Tx& tx, const Context& context, const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  TRY(add_tags(record.tags, in.tags));
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> untag_entity(Iam&, store::Tx& tx, const Context& context, const typename Op::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  for (const std::string& key : *in.tag_keys) {
    std::erase_if(record.tags, [&](const auto& tag) { return iequals(tag.first, key); });
  }
  save(tx, context, target, record);
  return typename Op::Output{};
}

template <class Op>
Answer<Op> list_entity_tags(Iam&, store::Tx& tx, const Context& context,
                            const typename Op::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  typename Op::Output out;
  TRY(page_list(to_model(record.tags), in, out.tags, out));
  return out;
}

}  // namespace wolke::iam
