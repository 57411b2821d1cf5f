#pragma once
// A bucket's notification document as text: which entries call a function, and the document without
// some of them. What we did not write stays byte for byte, whatever it holds. Pure but for
// read_notifications() and put_notifications().

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/cli/client.h"

namespace wolke::cli {

struct NotificationEntry {
  std::string id;
  std::string function;  // ARN, perhaps with a version or alias
  std::string prefix;
  bool on_creation = false;  // some event of s3:ObjectCreated
};

/// The document's entries that call functions.
std::vector<NotificationEntry> notification_entries(std::string_view document);

/// Whether the entry calls this function, in any version.
bool calls(const NotificationEntry& entry, std::string_view function_arn);

using EntryTest = std::function<bool(const NotificationEntry&)>;
std::string without_entries(std::string document, const EntryTest& goes);

/// `name` is the bucket's; its document always ends in </NotificationConfiguration>.
Result<std::string> read_notifications(Client& client, const std::string& name);
Result<void> put_notifications(Client& client, const std::string& name, std::string document);

/// Removes these entries; the result is what was removed.
Result<std::vector<NotificationEntry>> remove_notifications(Client& client, const std::string& name,
                                                            const EntryTest& goes);

}  // namespace wolke::cli
