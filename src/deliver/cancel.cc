#include "wolke/deliver/cancel.h"

#include <iterator>

namespace wolke::deliver {
namespace {

template <class T>
void move_to(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

store::Batch cancel(const std::map<std::string, Located>& found, const CancelRequest& request,
                    Timestamp now, CancelOutcomes& outcomes) {
  store::Batch out;
  for (const std::string& id : request.events.ids) {
    CancelOutcome& outcome = outcomes[id] = {};
    const auto located = found.find(id);
    if (located == found.end()) continue;
    const auto& [delivery, ended] = located->second;
    if (ended) {
      outcome.what = CancelOutcome::What::ended_before;
      outcome.terminal = static_cast<Terminal>(ended->terminal);
      continue;
    }
    outcome.what = CancelOutcome::What::cancelled;
    Step step;
    step.state = state_of(delivery.record);
    step.terminal = Terminal::cancelled;
    step.reason = "Cancelled by " + request.by;
    if (!delivery.record.reason.empty()) step.reason += "; before: " + delivery.record.reason;
    store::Batch one = settle(delivery, step, now);
    move_to(out.checks, one.checks);
    move_to(out.deletes, one.deletes);
    move_to(out.appends, one.appends);
  }
  return out;
}

}  // namespace wolke::deliver
