#include "wolke/model/control/operations.h"

#include "wolke/deliver/events.h"
#include "wolke/services/control/control.h"

namespace wolke::control {

namespace {

namespace op = model::control::op;
using operation::Asks;
using operation::Context;

std::string state_name(deliver::Terminal terminal) {
  switch (terminal) {
    case deliver::Terminal::pending:
      return "pending";
    case deliver::Terminal::succeeded:
      return "succeeded";
    case deliver::Terminal::destination:
      return "destination";
    case deliver::Terminal::dead_lettered:
      return "dead-lettered";
    case deliver::Terminal::discarded:
      return "discarded";
  }
  return "";
}

std::optional<std::string> moment(Timestamp t) {
  if (t == Timestamp{}) return std::nullopt;
  return format_iso8601(t);
}

Result<op::ListEvents::Output> list_events(Control& control, store::Tx&, const Context& context,
                                           const op::ListEvents::Input& input) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, control.store.snapshot());
  deliver::EventFilter filter{.account = context.account,
                              .function_arn = input.function_arn.value_or(""),
                              .failed_only = input.state.value_or("all") == "failed",
                              .limit = static_cast<std::size_t>(input.max_items.value_or(100))};
  TRY(std::vector<deliver::EventStatus> events, deliver::list_events(*snapshot, filter));
  op::ListEvents::Output out;
  out.events.emplace();
  for (const deliver::EventStatus& event : events) {
    out.events->push_back({.id = event.event.id,
                           .source = event.event.source,
                           .source_arn = event.event.source_arn,
                           .target = event.event.target,
                           .state = state_name(event.terminal),
                           .reason = event.reason,
                           .attempts = event.attempts,
                           .enqueued = moment(event.enqueued),
                           .finished = moment(event.finished),
                           .next_attempt = moment(event.next_attempt)});
  }
  return out;
}

async::Task<Result<op::ListInstances::Output>> list_instances(Control& control, Context context,
                                                              op::ListInstances::Input) {
  op::ListInstances::Output out;
  out.instances.emplace();
  const std::string account = ":" + context.account + ":";
  for (const invoke::Invoker::InstanceInfo& instance : control.invoker.instances()) {
    if (instance.function_arn.find(account) == std::string::npos) continue;
    out.instances->push_back({.sandbox_id = instance.sandbox_id,
                              .function_arn = instance.function_arn,
                              .version = instance.version,
                              .state = instance.state,
                              .invocations = static_cast<std::int64_t>(instance.invocations),
                              .started = moment(instance.started)});
  }
  co_return out;
}

Result<Asks> asks_list_events(Control&, const Context&, const op::ListEvents::Input&) {
  return Asks{{.action = "wolke:ListEvents", .resource = "*"}};
}

Result<Asks> asks_list_instances(Control&, const Context&, const op::ListInstances::Input&) {
  return Asks{{.action = "wolke:ListInstances", .resource = "*"}};
}

}  // namespace

operation::ServiceTable control_table(Control* control) {
  return {
      .model = &model::control::service(),
      .service = control,
      .rows = {
          operation::row<Control, op::ListEvents, list_events, asks_list_events>(),
          operation::task_row<Control, op::ListInstances, list_instances, asks_list_instances>()}};
}

}  // namespace wolke::control
