#include "wolke/gateway/form_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/shape/xml.h"

namespace wolke::gateway {

namespace {

/// What the delimiters around the largest file and the fields in front of it may take.
constexpr std::uint64_t form_overhead_bytes_max = 64 * 1024;

constexpr std::array<std::string_view, 7> plain_headers = {
    "cache-control", "content-disposition", "content-encoding", "content-language",
    "content-md5",   "content-type",        "expires"};
/// Fields in the manner of headers that sign the form, or say something else in it.
constexpr std::array<std::string_view, 6> not_headers = {"x-amz-algorithm",      "x-amz-credential",
                                                         "x-amz-date",           "x-amz-signature",
                                                         "x-amz-security-token", "x-amz-tagging"};

Error invalid_argument(std::string message, std::string_view name, std::string_view value) {
  return Error{
      .code = "InvalidArgument",
      .status = 400,
      .message = std::move(message),
      .fields = {{"ArgumentName", std::string(name)}, {"ArgumentValue", printable(value)}}};
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

/// <Tagging> as the header x-amz-tagging has it.
Result<std::string> tagging_header(const std::string& document) {
  TRY(const shape::XmlElement root, shape::parse_xml(document));
  std::string out;
  const shape::XmlElement* set = root.child("TagSet");
  if (root.name != "Tagging" || set == nullptr) return out;
  for (const shape::XmlElement& tag : set->children) {
    const shape::XmlElement* key = tag.child("Key");
    const shape::XmlElement* value = tag.child("Value");
    if (tag.name != "Tag" || key == nullptr || value == nullptr) {
      return fail({.code = "MalformedXML",
                   .status = 400,
                   .message = "The XML you provided was not well-formed or did not validate "
                              "against our published schema"});
    }
    if (!out.empty()) out += '&';
    out += percent_encode(key->text) + "=" + percent_encode(value->text);
  }
  return out;
}

/// A page that a browser can be sent on to; S3 ignores what it cannot read as one.
bool is_page(std::string_view url) {
  return (url.starts_with("http://") || url.starts_with("https://")) && !has_control(url) &&
         url.find(' ') == std::string_view::npos;
}

std::string with_result(const std::string& url, const Uploaded& uploaded, const std::string& etag) {
  const std::size_t fragment = std::min(url.find('#'), url.size());
  const bool has_query = url.find('?') < fragment;
  return fmt::format("{}{}bucket={}&key={}&etag={}{}", url.substr(0, fragment),
                     has_query ? '&' : '?', percent_encode(uploaded.bucket),
                     percent_encode(uploaded.key), percent_encode(etag), url.substr(fragment));
}

std::string post_response(const Uploaded& uploaded, const std::string& etag) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>";
  auto element = [&out](std::string_view name, std::string_view text) {
    out += fmt::format("<{}>", name);
    shape::append_xml_text(out, text);
    out += fmt::format("</{}>", name);
  };
  element("Location", uploaded.location);
  element("Bucket", uploaded.bucket);
  element("Key", uploaded.key);
  element("ETag", etag);
  return out + "</PostResponse>";
}

}  // namespace

bool is_form_upload(const shape::Service& service, const net::RequestHead& head,
                    const Target& target, std::string_view path) {
  const bool of_bucket = path.size() > 1 && path.find('/', 1) == std::string_view::npos;
  return service.signing_name == "s3" && head.method == "POST" && of_bucket &&
         route(service, head, target, path, "") == nullptr;
}

Result<std::string> admit_form(const net::RequestHead& head, std::optional<std::uint64_t> bytes) {
  const std::string* type = net::find_header(head.headers, "content-type");
  std::optional<std::string> boundary = type ? form_boundary(*type) : std::nullopt;
  if (!boundary) {
    return fail({.code = "PreconditionFailed",
                 .status = 412,
                 .message = "At least one of the pre-conditions you specified did not hold",
                 .fields = {{"Condition",
                             "Bucket POST must be of the enclosure-type multipart/form-data"}}});
  }
  if (!bytes) {
    return fail({.code = "MissingContentLength",
                 .status = 411,
                 .message = "You must provide the Content-Length HTTP header."});
  }
  if (*bytes > limits::s3_put_bytes_max + form_overhead_bytes_max) {
    return fail({.code = "EntityTooLarge",
                 .status = 400,
                 .message = "Your proposed upload exceeds the maximum allowed size",
                 .fields = {{"ProposedSize", std::to_string(*bytes)},
                            {"MaxSizeAllowed", std::to_string(limits::s3_put_bytes_max)}}});
  }
  return *std::move(boundary);
}

Result<std::string> key_of_form(FormFields& fields, const std::optional<std::string>& file_name) {
  constexpr std::string_view variable = "${filename}";
  // Longer than any key: it will be refused, and need not grow.
  constexpr std::size_t key_bytes_enough = 4096;
  auto field = std::ranges::find(fields, "key", &FormFields::value_type::first);
  if (field == fields.end() || field->second.empty()) {
    return fail(
        invalid_argument("Bucket POST must contain a field named 'key'.  If it is specified, "
                         "please check the order of the fields.",
                         "key", ""));
  }
  if (!file_name) return field->second;
  std::string key;
  std::string_view rest = field->second;
  for (std::size_t at = rest.find(variable); at != std::string_view::npos;
       at = rest.find(variable)) {
    if (key.size() > key_bytes_enough) break;
    key += rest.substr(0, at);
    key += *file_name;
    rest.remove_prefix(at + variable.size());
  }
  key += rest;
  field->second = key;
  return key;
}

Result<net::HeaderList> headers_of_form(const FormFields& fields) {
  net::HeaderList headers;
  for (const auto& [name, value] : fields) {
    if (name == "tagging") {
      TRY(std::string tags, tagging_header(value));
      headers.emplace_back("x-amz-tagging", std::move(tags));
      continue;
    }
    const bool plain = std::ranges::find(plain_headers, name) != plain_headers.end();
    const bool amz =
        name.starts_with("x-amz-") && std::ranges::find(not_headers, name) == not_headers.end();
    if (!plain && !amz && name != "acl") continue;
    if (has_control(value) || has_control(name))
      return fail(invalid_argument("A field must be one line of text.", name, value));
    std::string told(trim(value));
    const bool ascii =
        std::ranges::all_of(told, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    // A form is UTF-8, a header is not: S3 tells such metadata as a word of RFC 2047.
    if (name.starts_with("x-amz-meta-") && !ascii) told = "=?UTF-8?B?" + to_base64(told) + "?=";
    headers.emplace_back(name == "acl" ? "x-amz-acl" : name, std::move(told));
  }
  return headers;
}

void answer_form(const FormFields& fields, const Uploaded& uploaded,
                 shape::WireResponse& response) {
  const std::string* tag = net::find_header(response.headers, "etag");
  const std::string etag = tag ? *tag : "";
  std::erase_if(response.headers,
                [](const auto& header) { return header.first == "content-type"; });
  response.body.clear();
  const std::string* page = find_field(fields, "success_action_redirect");
  if (page == nullptr) page = find_field(fields, "redirect");  // its name before
  if (page != nullptr && is_page(*page)) {
    response.status = 303;
    response.headers.emplace_back("location", with_result(*page, uploaded, etag));
    return;
  }
  response.headers.emplace_back("location", uploaded.location);
  const std::string* wanted = find_field(fields, "success_action_status");
  response.status = wanted && *wanted == "200" ? 200 : wanted && *wanted == "201" ? 201 : 204;
  if (response.status != 201) return;
  response.headers.emplace_back("content-type", "application/xml");
  response.body = post_response(uploaded, etag);
}

}  // namespace wolke::gateway
