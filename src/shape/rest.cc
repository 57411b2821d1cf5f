#include "wolke/shape/rest.h"

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/shape/dialect.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/members.h"
#include "wolke/shape/route.h"
#include "wolke/shape/scalar.h"
#include "wolke/shape/xml_codec.h"

namespace wolke::shape {

namespace {

constexpr std::string_view xml_declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

class Decoder {
 public:
  Decoder(const Operation& operation, const WireRequest& request, void* input)
      : operation_(operation), service_(*operation.service), request_(request), input_(input) {}

  Result<void> decode() {
    TRY(labels());
    for (const Member& member : operation_.input->members) {
      if (member.location == Location::header) {
        TRY(header(member));
      }
      if (member.location == Location::header_prefix) prefixed_headers(member);
      if (member.location == Location::query) {
        TRY(query(member));
      }
      if (member.location == Location::query_map) query_map(member);
    }
    return document();
  }

 private:
  Result<void> scalar(const Type& type, const Member& member, std::string_view text,
                      TimestampFormat otherwise, void* value) {
    if (is_scalar(type.kind) &&
        parse_scalar(type, text, timestamp_format(&member, type, otherwise), value))
      return {};
    return fail(parameter_error(service_, member, text));
  }

  Result<void> labels() {
    struct Visit {
      Decoder& decoder;
      Result<void> result;
    } visit{*this, {}};
    bool matched = match_path(operation_.uri, request_.path, &visit,
                              [](void* arg, std::string_view label, std::string_view raw) {
                                auto& self = *static_cast<Visit*>(arg);
                                if (self.result) self.result = self.decoder.label(label, raw);
                              });
    if (!matched && visit.result) {
      return fail(
          {.code = "InvalidURI", .status = 400, .message = "Couldn't parse the specified URI."});
    }
    return std::move(visit.result);
  }

  Result<void> label(std::string_view name, std::string_view raw) {
    for (const Member& member : operation_.input->members) {
      if (member.location != Location::uri || member.wire_name != name) continue;
      std::optional<std::string> text = percent_decode(raw);
      if (!text)
        return fail(
            {.code = "InvalidURI", .status = 400, .message = "Couldn't parse the specified URI."});
      return scalar(*member.type, member, *text, TimestampFormat::iso8601, engage(member, input_));
    }
    return {};
  }

  Result<void> header(const Member& member) {
    for (const auto& [name, text] : *request_.headers) {
      if (!iequals(name, member.wire_name)) continue;
      if (member.type->kind == Kind::list) {
        const void* existing = value_of(member, input_);
        TRY(header_list(member, text,
                        existing ? const_cast<void*>(existing) : engage(member, input_)));
        continue;
      }
      // RFC 9110 13.1.3: a conditional header whose date is not a date is ignored.
      if (member.type->kind == Kind::timestamp && to_lower(member.wire_name).starts_with("if-") &&
          !parse_timestamp(text, TimestampFormat::rfc822)) {
        return {};
      }
      return scalar(*member.type, member, text, TimestampFormat::rfc822, engage(member, input_));
    }
    return {};
  }

  Result<void> header_list(const Member& member, std::string_view text, void* list) {
    for (std::string_view item : split(text, ',')) {
      item = trim(item);
      if (item.empty()) continue;
      void* value = member.type->container->append(list);
      TRY(scalar(*member.type->element, member, item, TimestampFormat::rfc822, value));
    }
    return {};
  }

  void prefixed_headers(const Member& member) {
    std::string prefix = to_lower(member.wire_name);
    void* map = nullptr;
    for (const auto& [name, text] : *request_.headers) {
      if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
      if (map == nullptr) map = engage(member, input_);
      auto& value = *static_cast<std::string*>(
          member.type->container->insert(map, name.substr(prefix.size())));
      value += value.empty() ? text : "," + text;
    }
  }

  Result<void> query(const Member& member) {
    void* list = nullptr;
    for (const auto& [name, text] : *request_.query) {
      if (name != member.wire_name) continue;
      if (member.type->kind != Kind::list) {
        // S3 clients send "max-keys=" and mean nothing by it.
        if (text.empty() && member.type->kind != Kind::string && member.type->kind != Kind::blob)
          return {};
        return scalar(*member.type, member, text, TimestampFormat::iso8601, engage(member, input_));
      }
      if (list == nullptr) list = engage(member, input_);
      void* value = member.type->container->append(list);
      TRY(scalar(*member.type->element, member, text, TimestampFormat::iso8601, value));
    }
    return {};
  }

  void query_map(const Member& member) {
    void* map = nullptr;
    for (const auto& [name, text] : *request_.query) {
      if (map == nullptr) map = engage(member, input_);
      *static_cast<std::string*>(member.type->container->insert(map, name)) = text;
    }
  }

  Result<void> document() {
    const Member* payload = payload_member(*operation_.input);
    if (payload == nullptr) {
      if (!has_body_members(*operation_.input) || request_.body.empty()) return {};
      return structure(*operation_.input, operation_.input_wrapper, input_);
    }
    if (payload->type->kind == Kind::body) return {};  // the edge streams it
    if (request_.body.empty()) {
      return payload->required ? fail(missing_body(service_)) : Result<void>();
    }
    if (payload->type->kind == Kind::structure) {
      return structure(*payload->type, payload->wire_name, engage(*payload, input_));
    }
    *static_cast<std::string*>(engage(*payload, input_)) = request_.body;
    return {};
  }

  Result<void> structure(const Type& type, std::string_view root, void* value) {
    Result<void> read;
    if (service_.protocol == Protocol::rest_json) {
      read = decode_json(request_.body, type, value, JsonForm::wire);
    } else {
      Result<XmlElement> element = parse_xml(request_.body);
      if (!element) return fail(document_error(service_, std::move(element).error()));
      if (!root.empty() && element->name != root) {
        return fail(document_error(
            service_, {.code = "MalformedXML", .status = 400, .message = "wrong root element"}));
      }
      read = read_xml(*element, type, value);
    }
    return read ? Result<void>() : fail(document_error(service_, std::move(read).error()));
  }

  const Operation& operation_;
  const Service& service_;
  const WireRequest& request_;
  void* input_;
};

class Encoder {
 public:
  Encoder(const Operation& operation, const void* output)
      : operation_(operation),
        xml_(operation.service->protocol == Protocol::rest_xml),
        output_(output) {
    response_.status = operation.success_status;
  }

  WireResponse encode() {
    for (const Member& member : operation_.output->members) {
      const void* value = value_of(member, output_);
      if (value == nullptr) continue;
      if (member.location == Location::header) header(member, value);
      if (member.location == Location::header_prefix) prefixed_headers(member, value);
      if (member.location == Location::status_code)
        response_.status = *static_cast<const std::int32_t*>(value);
    }
    body();
    return std::move(response_);
  }

 private:
  void header(const Member& member, const void* value) {
    std::string text;
    if (member.type->kind == Kind::list) {
      const ContainerOps& ops = *member.type->container;
      for (std::size_t i = 0; i < ops.size(value); ++i) {
        if (i > 0) text += ',';
        text += format_scalar(*member.type->element, ops.at(value, i), TimestampFormat::rfc822);
      }
    } else {
      text = format_scalar(*member.type, value,
                           timestamp_format(&member, *member.type, TimestampFormat::rfc822));
    }
    response_.headers.emplace_back(member.wire_name, header_value(text));
  }

  void prefixed_headers(const Member& member, const void* value) {
    struct Visit {
      HeaderList& headers;
      std::string_view prefix;
    } visit{response_.headers, member.wire_name};
    member.type->container->each(
        value, &visit, [](void* arg, const std::string& key, const void* item) {
          auto& self = *static_cast<Visit*>(arg);
          self.headers.emplace_back(header_value(fmt::format("{}{}", self.prefix, key)),
                                    header_value(*static_cast<const std::string*>(item)));
        });
  }

  void content_type(std::string_view type) {
    for (const auto& [name, unused] : response_.headers) {
      if (iequals(name, "content-type")) return;
    }
    response_.headers.emplace_back("content-type", type);
  }

  void body() {
    const Type& type = *operation_.output;
    const Member* payload = payload_member(type);
    if (payload == nullptr) {
      if (!has_body_members(type) && !(xml_ && operation_.output_unwrapped)) return;
      document(type, output_,
               operation_.result_wrapper.empty() ? type.name : operation_.result_wrapper);
      return;
    }
    const void* value = value_of(*payload, output_);
    switch (payload->type->kind) {
      case Kind::body:
        content_type(payload->type->name == "event_stream" ? "application/vnd.amazon.eventstream"
                     : xml_                                ? "binary/octet-stream"
                                                           : "application/octet-stream");
        response_.stream = value ? *static_cast<const Body*>(value) : Body();
        return;
      case Kind::structure:
        if (value != nullptr) document(*payload->type, value, payload->wire_name);
        return;
      default:
        content_type("application/json");  // GetBucketPolicy's policy, Invoke's result
        if (value != nullptr) response_.body = *static_cast<const std::string*>(value);
    }
  }

  void document(const Type& type, const void* value, std::string_view root) {
    if (!xml_) {
      content_type("application/json");
      append_json(response_.body, type, value, JsonForm::wire);
      return;
    }
    content_type("application/xml");
    response_.body = xml_declaration;
    response_.body += fmt::format("<{} xmlns=\"{}\">", root, operation_.service->xmlns);
    if (operation_.output_unwrapped) {
      unwrapped(type, value);
    } else {
      append_xml_members(response_.body, type, value, Precision::milliseconds);
    }
    response_.body += fmt::format("</{}>", root);
  }

  void unwrapped(const Type& type, const void* value) {
    for (const Member& member : type.members) {
      const void* inner = value_of(member, value);
      if (inner == nullptr) continue;
      append_xml_text(response_.body, format_scalar(*member.type, inner, TimestampFormat::iso8601));
      return;
    }
  }

  const Operation& operation_;
  bool xml_;
  const void* output_;
  WireResponse response_;
};

}  // namespace

std::string header_value(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) c = ' ';
  }
  return out;
}

Result<void> decode_rest(const Operation& operation, const WireRequest& request, void* input) {
  return Decoder(operation, request, input).decode();
}

Result<WireResponse> encode_rest(const Operation& operation, const void* output) {
  return Encoder(operation, output).encode();
}

}  // namespace wolke::shape
