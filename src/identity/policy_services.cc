// What a policy says of whole services: for the reports of who may use what. An action is "*" or
// names its service before a colon, where no wildcard is valid.

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/identity/statement.h"

namespace wolke::identity {

Reach Policy::Statement::reach(std::string_view service) const {
  const std::string prefix = to_lower(service) + ":";
  Reach best = Reach::none;
  for (const Pattern& action : actions) {
    if (action.is_any() || action.is_any_after(prefix)) best = Reach::all;
    if (action.beginning().starts_with(prefix)) best = std::max(best, Reach::some);
  }
  if (!not_action || best == Reach::some) return best;
  return best == Reach::all ? Reach::none : Reach::all;
}

ServiceAccess Policy::access_to(std::string_view service) const {
  ServiceAccess out;
  for (const Statement& statement : statements_) {
    const Reach reach = statement.reach(service);
    if (statement.allow && reach != Reach::none) out.granted = true;
    const bool everywhere = !statement.not_resource &&
                            std::ranges::any_of(statement.resources,
                                                [](const auto& one) { return one.whole.is_any(); });
    if (!statement.allow && reach == Reach::all && everywhere && statement.condition.empty()) {
      out.withheld = true;
    }
  }
  return out;
}

std::set<std::string> Policy::services_named() const {
  std::set<std::string> out;
  for (const Statement& statement : statements_) {
    if (!statement.allow || statement.not_action) continue;
    for (const Pattern& action : statement.actions) {
      const std::size_t colon = action.beginning().find(':');
      if (colon != std::string_view::npos) out.emplace(action.beginning().substr(0, colon));
    }
  }
  return out;
}

}  // namespace wolke::identity
