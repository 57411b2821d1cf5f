// Tags of functions and of code signing configurations: what AWS lets be tagged and exists here.
#include <functional>

#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/side_state.h"
#include "wolke/services/lambda/tags.h"

namespace wolke::lambda {
namespace {

constexpr std::size_t tags_max = 50;

/// What is done with a resource's tags; true: they have changed.
using Visit = std::function<Result<bool>(Tags&)>;

Result<void> visit_function(Tx& tx, const Context& context, const std::string& arn,
                            const Visit& visit) {
  TRY(const FunctionRef ref, ref_of(context, arn));
  if (!ref.qualifier.empty()) {
    return fail(
        invalid_parameter("Tags on function aliases and versions are not supported. Please specify "
                          "a function ARN."));
  }
  TRY(Function function, get_function(tx, ref));
  TRY(const bool changed, visit(function.tags));
  if (changed) put_function(tx, ref, function);
  return {};
}

Result<void> visit_code_signing(Tx& tx, const Context& context, const std::string& arn,
                                const Visit& visit) {
  TRY(auto config, get_code_signing_config(tx, context.account, context.region, arn));
  if (!config) return fail(code_signing_not_found(arn));
  TRY(const bool changed, visit(config->tags));
  if (changed) tx.put(code_signing_key(context.account, context.region, config->id), *config);
  return {};
}

Result<void> visit_tags(Tx& tx, const Context& context, const std::optional<std::string>& resource,
                        const Visit& visit) {
  const std::string arn = resource.value_or("");
  // Neither can be made here, so none is there.
  if (arn.find(":event-source-mapping:") != arn.npos)
    return fail(not_found("Event source mapping not found: " + arn));
  if (arn.find(":capacity-provider:") != arn.npos)
    return fail(not_found("Capacity provider not found: " + arn));
  if (arn.find(":code-signing-config:") != arn.npos)
    return visit_code_signing(tx, context, arn, visit);
  if (arn.find(":function:") == arn.npos) return fail(not_served("Tagging of " + arn));
  return visit_function(tx, context, arn, visit);
}

}  // namespace

Result<void> add_tags(Tags& tags, const Tags& more) {
  for (const auto& [key, value] : more) {
    if (to_lower(key).starts_with("aws:"))
      return fail(invalid_parameter("Tag keys that begin with aws: are reserved."));
    tags[key] = value;
  }
  if (tags.size() <= tags_max) return {};
  return fail(invalid_parameter("Number of tags exceeds resource tag limit."));
}

Result<op::TagResource::Output> tag_resource(Lambda&, Tx& tx, const Context& context,
                                             const op::TagResource::Input& input) {
  if (!input.tags || input.tags->empty())
    return fail(invalid_parameter("An error occurred and the request cannot be processed."));
  TRY(visit_tags(tx, context, input.resource, [&](Tags& tags) -> Result<bool> {
    TRY(add_tags(tags, *input.tags));
    return true;
  }));
  return op::TagResource::Output{};
}

Result<op::UntagResource::Output> untag_resource(Lambda&, Tx& tx, const Context& context,
                                                 const op::UntagResource::Input& input) {
  TRY(visit_tags(tx, context, input.resource, [&](Tags& tags) -> Result<bool> {
    for (const std::string& key : input.tag_keys.value_or(std::vector<std::string>{}))
      tags.erase(key);
    return true;
  }));
  return op::UntagResource::Output{};
}

Result<op::ListTags::Output> list_tags(Lambda&, Tx& tx, const Context& context,
                                       const op::ListTags::Input& input) {
  op::ListTags::Output out;
  TRY(visit_tags(tx, context, input.resource, [&](Tags& tags) -> Result<bool> {
    out.tags = tags;
    return false;
  }));
  return out;
}

}  // namespace wolke::lambda
