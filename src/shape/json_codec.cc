#include "wolke/shape/json_codec.h"

#include <fmt/format.h>

#include "wolke/base/hash.h"
#include "wolke/shape/json.h"
#include "wolke/shape/members.h"
#include "wolke/shape/scalar.h"

namespace wolke::shape {

namespace {

struct Writer {
  std::string& out;
  JsonForm form;
  Sensitive sensitive;

  void value(const Type& type, const void* at, const Member* member) {
    switch (type.kind) {
      case Kind::structure:
        structure(type, at);
        return;
      case Kind::list:
        list(type, at);
        return;
      case Kind::map:
        map(type, at);
        return;
      case Kind::string:
        append_json_string(out, *static_cast<const std::string*>(at));
        return;
      case Kind::blob:
        append_json_string(out, to_base64(*static_cast<const std::string*>(at)));
        return;
      case Kind::body:
        append_json_string(out, to_base64(static_cast<const Body*>(at)->inline_bytes));
        return;
      case Kind::timestamp:
        timestamp(type, at, member);
        return;
      default:
        out += format_scalar(type, at, TimestampFormat::by_protocol);
        return;
    }
  }

  void timestamp(const Type& type, const void* at, const Member* member) {
    TimestampFormat format = form == JsonForm::document
                                 ? TimestampFormat::unix_seconds
                                 : timestamp_format(member, type, TimestampFormat::unix_seconds);
    std::string text = format_scalar(type, at, format);
    if (format == TimestampFormat::unix_seconds) {
      out += text;
    } else {
      append_json_string(out, text);
    }
  }

  void structure(const Type& type, const void* at) {
    out += '{';
    bool first = true;
    for (const Member& member : type.members) {
      if (form == JsonForm::wire && member.location != Location::body) continue;
      const void* inner = value_of(member, at);
      if (inner == nullptr) continue;
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, form == JsonForm::wire ? member.wire_name : member.name);
      out += ':';
      if (sensitive == Sensitive::redact && (member.sensitive || member.type->sensitive)) {
        out += "\"***\"";
      } else {
        value(*member.type, inner, &member);
      }
    }
    out += '}';
  }

  void list(const Type& type, const void* at) {
    out += '[';
    std::size_t size = type.container->size(at);
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out += ',';
      value(*type.element, type.container->at(at, i), nullptr);
    }
    out += ']';
  }

  void map(const Type& type, const void* at) {
    struct Visit {
      Writer& writer;
      const Type& element;
      bool first = true;
    } visit{*this, *type.element};
    out += '{';
    type.container->each(at, &visit, [](void* arg, const std::string& key, const void* value) {
      auto& self = *static_cast<Visit*>(arg);
      if (!std::exchange(self.first, false)) self.writer.out += ',';
      append_json_string(self.writer.out, key);
      self.writer.out += ':';
      self.writer.value(self.element, value, nullptr);
    });
    out += '}';
  }
};

std::string_view token_name(JsonReader::Token token) {
  using Token = JsonReader::Token;
  switch (token) {
    case Token::object:
      return "START_OBJECT";
    case Token::array:
      return "START_ARRAY";
    case Token::string:
      return "STRING_VALUE";
    case Token::number:
      return "NUMBER_VALUE";
    case Token::boolean_true:
      return "TRUE_VALUE";
    case Token::boolean_false:
      return "FALSE_VALUE";
    default:
      return "VALUE_NULL";
  }
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "Boolean";
    case Kind::integer:
      return "Integer";
    case Kind::long_integer:
      return "Long";
    case Kind::floating:
      return "Double";
    case Kind::string:
      return "String";
    case Kind::blob:
    case Kind::body:
      return "Blob";
    case Kind::timestamp:
      return "Timestamp";
    case Kind::structure:
      return "Structure";
    case Kind::list:
      return "List";
    case Kind::map:
      return "Map";
  }
  return "value";
}

Error mismatch(std::string_view from, std::string_view to) {
  return {.code = "SerializationException",
          .status = 400,
          .message = fmt::format("{} can not be converted to a{} {}", from,
                                 to == "Integer" ? "n" : "", to)};
}

struct Reader {
  JsonReader& reader;
  JsonForm form;
  using Token = JsonReader::Token;

  std::unexpected<Error> bad(Token token, const Type& type) {
    if (reader.failed() || token == Token::invalid || token == Token::end) {
      reader.skip();  // names what is wrong with the document
      return fail(reader.error());
    }
    return fail(mismatch(token_name(token), kind_name(type.kind)));
  }

  Result<void> value(const Type& type, void* at, const Member* member) {
    Token token = reader.peek();
    switch (type.kind) {
      case Kind::structure:
        return token == Token::object ? structure(type, at) : bad(token, type);
      case Kind::list:
        return token == Token::array ? list(type, at) : bad(token, type);
      case Kind::map:
        return token == Token::object ? map(type, at) : bad(token, type);
      case Kind::boolean:
        if (token != Token::boolean_true && token != Token::boolean_false) return bad(token, type);
        *static_cast<bool*>(at) = token == Token::boolean_true;
        return reader.read_literal() ? Result<void>() : fail(reader.error());
      case Kind::integer:
      case Kind::long_integer:
      case Kind::floating:
        return token == Token::number ? number(type, at) : bad(token, type);
      case Kind::timestamp:
        return timestamp(type, at, member, token);
      default:
        return token == Token::string ? text(type, at) : bad(token, type);
    }
  }

  Result<void> text(const Type& type, void* at) {
    if (type.kind == Kind::string) {
      return reader.read_string(*static_cast<std::string*>(at)) ? Result<void>()
                                                                : fail(reader.error());
    }
    std::string encoded;
    if (!reader.read_string(encoded)) return fail(reader.error());
    std::optional<std::string> bytes = from_base64(encoded);
    if (!bytes) return fail(mismatch("STRING_VALUE", "Blob"));
    if (type.kind == Kind::blob) {
      *static_cast<std::string*>(at) = *std::move(bytes);
    } else {
      static_cast<Body*>(at)->inline_bytes = *std::move(bytes);
    }
    return {};
  }

  Result<void> number(const Type& type, void* at) {
    std::string_view digits;
    if (!reader.read_number(digits)) return fail(reader.error());
    bool good = type.kind == Kind::floating ? parse_double(digits, *static_cast<double*>(at))
                                            : parse_integer(type, digits, at);
    if (good) return {};
    return fail(mismatch("NUMBER_VALUE", kind_name(type.kind)));
  }

  Result<void> timestamp(const Type& type, void* at, const Member* member, Token token) {
    std::optional<Timestamp> time;
    if (token == Token::number) {
      std::string_view digits;
      if (!reader.read_number(digits)) return fail(reader.error());
      time = parse_timestamp(digits, TimestampFormat::unix_seconds);
    } else if (token == Token::string) {
      std::string text;
      if (!reader.read_string(text)) return fail(reader.error());
      time = parse_timestamp(text, timestamp_format(member, type, TimestampFormat::iso8601));
    } else {
      return bad(token, type);
    }
    if (!time) return fail(mismatch(token_name(token), "Timestamp"));
    *static_cast<Timestamp*>(at) = *time;
    return {};
  }

  bool skip_null() { return reader.peek() == Token::null && reader.read_literal(); }

  Result<void> structure(const Type& type, void* at) {
    std::string key;
    for (reader.enter_object(); reader.next_key(key);) {
      if (skip_null()) continue;
      const Member* member =
          form == JsonForm::wire ? find_body_member(type, key) : find_member(type, key);
      if (member == nullptr) {
        if (!reader.skip()) break;
        continue;
      }
      TRY(value(*member->type, engage(*member, at), member));
    }
    return reader.failed() ? fail(reader.error()) : Result<void>();
  }

  Result<void> list(const Type& type, void* at) {
    for (reader.enter_array(); reader.next_element();) {
      if (skip_null()) continue;
      TRY(value(*type.element, type.container->append(at), nullptr));
    }
    return reader.failed() ? fail(reader.error()) : Result<void>();
  }

  Result<void> map(const Type& type, void* at) {
    std::string key;
    for (reader.enter_object(); reader.next_key(key);) {
      if (skip_null()) continue;
      TRY(value(*type.element, type.container->insert(at, key), nullptr));
    }
    return reader.failed() ? fail(reader.error()) : Result<void>();
  }
};

}  // namespace

void append_json(std::string& out, const Type& type, const void* value, JsonForm form,
                 Sensitive sensitive) {
  Writer{out, form, sensitive}.value(type, value, nullptr);
}

Result<void> read_json(JsonReader& reader, const Type& type, void* value, JsonForm form) {
  return Reader{reader, form}.value(type, value, nullptr);
}

Result<void> decode_json(std::string_view text, const Type& type, void* value, JsonForm form) {
  JsonReader reader(text);
  TRY(read_json(reader, type, value, form));
  if (!reader.at_end()) {
    return fail(
        {.code = "InvalidJson",
         .status = 400,
         .message = fmt::format("something follows the document at byte {}", reader.offset())});
  }
  return {};
}

}  // namespace wolke::shape
