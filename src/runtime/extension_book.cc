#include "wolke/runtime/extension_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace wolke::runtime {
namespace {

using State = Extension::State;

Error refused(std::string_view code, std::string message) {
  return {.code = "Extension." + std::string(code), .status = 403, .message = std::move(message)};
}

Error wrong_state(const Extension& extension, std::string_view wanted) {
  return refused("InvalidExtensionState",
                 fmt::format("State transition from {} to {} failed for extension {}. Error: State "
                             "transition is not allowed",
                             extension.state_name(), wanted, extension.name));
}

/// Which events these are; internal extensions end with the runtime and hear of no shutdown.
Result<void> set_events(Extension& extension, const std::vector<std::string>& events) {
  for (const std::string& event : events) {
    if (event == "INVOKE") {
      extension.wants_invoke = true;
    } else if (event == "SHUTDOWN" && extension.external) {
      extension.wants_shutdown = true;
    } else if (event == "SHUTDOWN") {
      return fail(
          refused("InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"));
    } else {
      return fail(refused("InvalidEventType", event.substr(0, 64) + ": InvalidEventType"));
    }
  }
  return {};
}

}  // namespace

std::string Extension::state_name() const {
  switch (state) {
    case State::started:
      return "Started";
    case State::registered:
      return "Registered";
    case State::ready:
      return "Ready";
    case State::running:
      return "Running";
    case State::told_to_end:
      return "Shutdown";
    case State::failed:
      return failed_as;
  }
  return "";
}

std::vector<std::string> Extension::events() const {
  std::vector<std::string> out;
  if (wants_invoke) out.emplace_back("INVOKE");
  if (wants_shutdown) out.emplace_back("SHUTDOWN");
  return out;
}

ExtensionBook::ExtensionBook(std::vector<std::string> external) {
  for (std::string& name : external) {
    extensions_.push_back({.name = std::move(name), .external = true});
  }
  if (extensions_.size() > extensions_max) {
    fault_ = {"Extension.TooManyExtensions",
              fmt::format("Extension limit ({}) reached", extensions_max)};
  }
}

// ---- what extensions ask for

Result<std::size_t> ExtensionBook::enroll(const std::string& name,
                                          const std::vector<std::string>& events, std::string id) {
  if (name.empty()) return fail(refused("InvalidExtensionName", "Empty extension name"));
  if (name.size() > extension_name_bytes_max) {
    return fail(refused("InvalidExtensionName", "Extension name is too long"));
  }
  const auto known = std::ranges::find(extensions_, name, &Extension::name);
  Extension fresh{.name = name};
  if (known != extensions_.end()) fresh = *known;
  TRY(set_events(fresh, events));
  if (known != extensions_.end() && !known->external) {
    return fail(refused("InvalidExtensionState", "Extension with this name already registered"));
  }
  if (known != extensions_.end() && known->state != State::started) {
    return fail(wrong_state(*known, "Registered"));
  }
  if (known == extensions_.end() && !registration_open_) {
    return fail(refused("RegistrationClosed", "Extension registration closed already"));
  }
  if (known == extensions_.end() && extensions_.size() >= extensions_max) {
    return fail(
        refused("TooManyExtensions", fmt::format("Extension limit ({}) reached", extensions_max)));
  }
  fresh.id = std::move(id);
  fresh.state = State::registered;
  if (known == extensions_.end()) {
    extensions_.push_back(std::move(fresh));
    return extensions_.size() - 1;
  }
  *known = std::move(fresh);
  return static_cast<std::size_t>(known - extensions_.begin());
}

Result<std::size_t> ExtensionBook::find(std::string_view id) const {
  if (id.empty()) {
    return fail(refused("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier"));
  }
  const auto found = std::ranges::find(extensions_, id, &Extension::id);
  if (found == extensions_.end()) {
    return fail(refused("UnknownExtensionIdentifier",
                        "Unknown extension " + std::string(id.substr(0, 64))));
  }
  return static_cast<std::size_t>(found - extensions_.begin());
}

Result<void> ExtensionBook::next(std::size_t index) {
  Extension& extension = extensions_[index];
  // It has heard of the shutdown and is done.
  if (extension.state == State::told_to_end) {
    extension.ended = true;
    return fail(wrong_state(extension, "Ready"));
  }
  if (extension.state != State::registered && extension.state != State::running) {
    return fail(wrong_state(extension, "Ready"));
  }
  extension.state = State::ready;
  return {};
}

Result<void> ExtensionBook::report(std::size_t index, std::string as, std::string type,
                                   std::string code) {
  const Extension& extension = extensions_[index];
  const bool alive = extension.state == State::registered || extension.state == State::ready ||
                     extension.state == State::running;
  if (!alive) return fail(wrong_state(extension, as));
  std::string what = type;
  fail_with(index, std::move(as), std::move(type), {std::move(code), std::move(what)});
  return {};
}

Result<void> ExtensionBook::init_error(std::size_t index, std::string type) {
  if (extensions_[index].state != State::registered) {
    return fail(wrong_state(extensions_[index], "InitError"));
  }
  return report(index, "InitError", std::move(type), "Extension.InitError");
}

Result<void> ExtensionBook::exit_error(std::size_t index, std::string type) {
  return report(index, "ExitError", std::move(type), "Extension.ExitError");
}

std::optional<std::string> ExtensionBook::take_event(std::size_t index) {
  Extension& extension = extensions_[index];
  if (extension.state != State::ready || !extension.due) return std::nullopt;
  extension.state = shutting_down_ ? State::told_to_end : State::running;
  return std::exchange(extension.due, std::nullopt);
}

void ExtensionBook::give_back(std::size_t index, std::string event) {
  Extension& extension = extensions_[index];
  if (extension.state != State::running && extension.state != State::told_to_end) return;
  extension.state = State::running;
  if (!extension.due) extension.due = std::move(event);
}

// ---- what happens to them

void ExtensionBook::fail_with(std::size_t index, std::string as, std::string error_type,
                              ExtensionFault fault) {
  Extension& extension = extensions_[index];
  extension.state = State::failed;
  extension.failed_as = std::move(as);
  extension.error_type = std::move(error_type);
  if (!fault_ && !shutting_down_) fault_ = std::move(fault);
}

void ExtensionBook::launch_failed(std::size_t index, const std::string& why) {
  extensions_[index].ended = true;
  fail_with(index, "LaunchError", "Extension.LaunchError",
            {"Extension.LaunchError",
             fmt::format("fork/exec /opt/extensions/{}: {}", extensions_[index].name, why)});
}

void ExtensionBook::process_ended(std::size_t index, const std::string& how) {
  Extension& extension = extensions_[index];
  extension.ended = true;
  // One that has said why it ends, or was told to.
  if (extension.state == State::failed || extension.state == State::told_to_end) return;
  fail_with(index, "Exited", "Extension.Crash", {"Extension.Crash", how});
}

void ExtensionBook::begin_invoke(const std::string& event) {
  for (Extension& extension : extensions_) {
    if (extension.wants_invoke) extension.due = event;
  }
}

void ExtensionBook::begin_shutdown(const std::string& event) {
  shutting_down_ = true;
  for (Extension& extension : extensions_) {
    extension.due.reset();
    if (extension.wants_shutdown) extension.due = event;
  }
}

bool ExtensionBook::all_registered() const {
  return std::ranges::none_of(extensions_,
                              [](const Extension& one) { return one.state == State::started; });
}

bool ExtensionBook::all_ready() const {
  return std::ranges::all_of(
      extensions_, [](const Extension& one) { return one.state == State::ready && !one.due; });
}

bool ExtensionBook::expects_farewell() const {
  return std::ranges::any_of(extensions_, [](const Extension& one) {
    return one.external && !one.ended && one.state != State::failed;
  });
}

bool ExtensionBook::farewell_done() const {
  return std::ranges::all_of(extensions_, [](const Extension& one) {
    return !one.wants_shutdown || one.ended || one.state == State::failed;
  });
}

}  // namespace wolke::runtime
