#pragma once
// S3's POST Object: what the fields of a form mean, once they are known, as the PutObject that they
// ask for and as the answer that a browser gets. Pure functions. Source: S3 API Reference "POST
// Object".

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/gateway/detect.h"
#include "wolke/gateway/form.h"
#include "wolke/net/http.h"
#include "wolke/shape/protocol.h"

namespace wolke::gateway {

/// A POST to a bucket's URL that names no operation. `path` is path style.
bool is_form_upload(const shape::Service& service, const net::RequestHead& head,
                    const Target& target, std::string_view path);

/// "PreconditionFailed" unless the body is multipart/form-data; "MissingContentLength";
/// "EntityTooLarge".
Result<std::string> admit_form(const net::RequestHead& head, std::optional<std::uint64_t> bytes);

/// Puts the file's name where the key says ${filename}, in `fields` too; "InvalidArgument" without
/// a key.
Result<std::string> key_of_form(FormFields& fields, const std::optional<std::string>& file_name);

/// The headers of a PutObject that says the same; tags come as a document ("MalformedXML").
Result<net::HeaderList> headers_of_form(const FormFields& fields);

struct Uploaded {
  std::string location;  // the object's URL
  std::string bucket;
  std::string key;
};
/// `response` is the one of a PutObject: success_action_redirect sends the browser on,
/// success_action_status chooses 200, 201 (with a document) or 204, which is the default.
void answer_form(const FormFields& fields, const Uploaded& uploaded, shape::WireResponse& response);

}  // namespace wolke::gateway
