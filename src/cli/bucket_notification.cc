#include "wolke/cli/bucket_notification.h"

#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

constexpr std::string_view open_entry = "<CloudFunctionConfiguration>";
constexpr std::string_view close_entry = "</CloudFunctionConfiguration>";

NotificationEntry parse_entry(std::string_view text) {
  NotificationEntry entry{.id = xml_text(text, "Id"),
                          .function = xml_text(text, "CloudFunction"),
                          .prefix = "",
                          .on_creation = text.find("s3:ObjectCreated:") != std::string_view::npos};
  constexpr std::string_view open = "<FilterRule>";
  for (std::size_t at = 0; (at = text.find(open, at)) != std::string_view::npos;
       at += open.size()) {
    const std::string_view rule = text.substr(at, text.find("</FilterRule>", at) - at);
    if (to_lower(xml_text(rule, "Name")) == "prefix") entry.prefix = xml_text(rule, "Value");
  }
  return entry;
}

}  // namespace

std::vector<NotificationEntry> notification_entries(std::string_view document) {
  std::vector<NotificationEntry> out;
  without_entries(std::string(document), [&](const NotificationEntry& entry) {
    out.push_back(entry);
    return false;
  });
  return out;
}

bool calls(const NotificationEntry& entry, std::string_view function_arn) {
  return entry.function == function_arn ||
         entry.function.starts_with(std::string(function_arn) + ":");
}

std::string without_entries(std::string document, const EntryTest& goes) {
  for (std::size_t from = 0; (from = document.find(open_entry, from)) != std::string::npos;) {
    std::size_t to = document.find(close_entry, from);
    if (to == std::string::npos) break;
    to += close_entry.size();
    if (goes(parse_entry(std::string_view(document).substr(from, to - from)))) {
      document.erase(from, to - from);
    } else {
      from = to;
    }
  }
  return document;
}

Result<std::string> read_notifications(Client& client, const std::string& name) {
  TRY(ApiResponse current,
      client.call({.service = "s3", .path = "/" + name, .query = {{"notification", ""}}}));
  if (current.body.find("</NotificationConfiguration>") == std::string::npos) {
    return R"(<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></NotificationConfiguration>)";
  }
  return std::move(current.body);
}

Result<void> put_notifications(Client& client, const std::string& name, std::string document) {
  TRY(client.call({.service = "s3",
                   .method = "PUT",
                   .path = "/" + name,
                   .query = {{"notification", ""}},
                   .body = std::move(document)}));
  return {};
}

Result<std::vector<NotificationEntry>> remove_notifications(Client& client, const std::string& name,
                                                            const EntryTest& goes) {
  TRY(std::string document, read_notifications(client, name));
  std::vector<NotificationEntry> removed;
  for (const NotificationEntry& entry : notification_entries(document)) {
    if (goes(entry)) removed.push_back(entry);
  }
  if (removed.empty()) return removed;
  TRY(put_notifications(client, name, without_entries(std::move(document), goes)));
  return removed;
}

}  // namespace wolke::cli
