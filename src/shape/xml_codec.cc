#include "wolke/shape/xml_codec.h"

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/shape/members.h"

namespace wolke::shape {

namespace {

std::string_view or_default(std::string_view name, std::string_view otherwise) {
  return name.empty() ? otherwise : name;
}

std::string_view element_name(const Type& list) {
  return or_default(list.element_name, "member");
}

// --- reading ---

Result<void> read_value(const XmlElement& element, const Type& type, const Member* member,
                        void* value);

Error not_of_type(const XmlElement& element) {
  return {.code = "MalformedXML",
          .status = 400,
          .message = fmt::format("the text of {} is not of its type", printable(element.name))};
}

Result<void> read_text(const XmlElement& element, std::string_view text, const Type& type,
                       const Member* member, void* value) {
  TimestampFormat format = timestamp_format(member, type, TimestampFormat::iso8601);
  if (type.kind != Kind::string) text = trim(text);
  if (!parse_scalar(type, text, format, value)) return fail(not_of_type(element));
  return {};
}

Result<void> read_entry(const XmlElement& entry, const Type& map, void* value) {
  const XmlElement* key = entry.child(or_default(map.key_name, "key"));
  const XmlElement* item = entry.child(or_default(map.element_name, "value"));
  if (key == nullptr || item == nullptr) return fail(not_of_type(entry));
  return read_value(*item, *map.element, nullptr, map.container->insert(value, key->text));
}

Result<void> read_value(const XmlElement& element, const Type& type, const Member* member,
                        void* value) {
  if (type.kind == Kind::structure) return read_xml(element, type, value);
  if (type.kind == Kind::list) {
    for (const XmlElement& item : element.children) {
      if (item.name != element_name(type)) continue;
      TRY(read_value(item, *type.element, nullptr, type.container->append(value)));
    }
    return {};
  }
  if (type.kind == Kind::map) {
    for (const XmlElement& entry : element.children) {
      TRY(read_entry(entry, type, value));
    }
    return {};
  }
  if (!is_scalar(type.kind)) return fail(not_of_type(element));
  return read_text(element, element.text, type, member, value);
}

// The container inside a flattened member: made at its first element, kept for the rest.
void* engage_once(const Member& member, void* structure) {
  const void* existing = value_of(member, structure);
  return existing != nullptr ? const_cast<void*>(existing) : engage(member, structure);
}

Result<void> read_member(const XmlElement& element, const Member& member, void* structure) {
  const Type& type = *member.type;
  if (member.flattened && type.kind == Kind::list) {
    void* list = engage_once(member, structure);
    return read_value(element, *type.element, nullptr, type.container->append(list));
  }
  if (member.flattened && type.kind == Kind::map) {
    return read_entry(element, type, engage_once(member, structure));
  }
  return read_value(element, type, &member, engage(member, structure));
}

// --- writing ---

std::string attributes_of(const Type& type, const void* value) {
  std::string out;
  if (type.kind != Kind::structure) return out;
  for (const Member& member : type.members) {
    const void* inner = member.xml_attribute ? value_of(member, value) : nullptr;
    if (inner == nullptr) continue;
    out += fmt::format(" {}=\"", member.wire_name);
    append_xml_text(out, format_scalar(*member.type, inner, TimestampFormat::iso8601));
    out += '"';
  }
  return out;
}

struct MapWriter {
  std::string& out;
  const Type& map;
  std::string_view entry;
  Precision precision;

  static void visit(void* arg, const std::string& key, const void* value) {
    auto& self = *static_cast<MapWriter*>(arg);
    std::string_view key_name = or_default(self.map.key_name, "key");
    self.out += fmt::format("<{}><{}>", self.entry, key_name);
    append_xml_text(self.out, key);
    self.out += fmt::format("</{}>", key_name);
    append_xml_element(self.out, or_default(self.map.element_name, "value"), *self.map.element,
                       value, nullptr, self.precision);
    self.out += fmt::format("</{}>", self.entry);
  }
};

void append_items(std::string& out, std::string_view name, const Type& list, const void* value,
                  Precision precision) {
  std::size_t size = list.container->size(value);
  for (std::size_t i = 0; i < size; ++i) {
    append_xml_element(out, name, *list.element, list.container->at(value, i), nullptr, precision);
  }
}

void append_entries(std::string& out, std::string_view name, const Type& map, const void* value,
                    Precision precision) {
  MapWriter writer{out, map, name, precision};
  map.container->each(value, &writer, MapWriter::visit);
}

void append_content(std::string& out, const Type& type, const void* value, const Member* member,
                    Precision precision) {
  switch (type.kind) {
    case Kind::structure:
      append_xml_members(out, type, value, precision);
      return;
    case Kind::list:
      append_items(out, element_name(type), type, value, precision);
      return;
    case Kind::map:
      append_entries(out, "entry", type, value, precision);
      return;
    default:
      break;
  }
  TimestampFormat format = timestamp_format(member, type, TimestampFormat::iso8601);
  append_xml_text(out, format_scalar(type, value, format, precision));
}

}  // namespace

Result<void> read_xml(const XmlElement& element, const Type& structure, void* value) {
  for (const XmlElement& child : element.children) {
    const Member* member = find_body_member(structure, child.name);
    if (member != nullptr && !member->xml_attribute) {
      TRY(read_member(child, *member, value));
    }
  }
  if (element.attributes.empty()) return {};
  for (const Member& member : structure.members) {
    const std::string* text = member.xml_attribute ? element.attribute(member.wire_name) : nullptr;
    if (text != nullptr) {
      TRY(read_text(element, *text, *member.type, &member, engage(member, value)));
    }
  }
  return {};
}

void append_xml_members(std::string& out, const Type& structure, const void* value,
                        Precision precision) {
  for (const Member& member : structure.members) {
    if (member.location != Location::body || member.xml_attribute) continue;
    const void* inner = value_of(member, value);
    if (inner == nullptr) continue;
    if (member.flattened && member.type->kind == Kind::list) {
      append_items(out, member.wire_name, *member.type, inner, precision);
    } else if (member.flattened && member.type->kind == Kind::map) {
      append_entries(out, member.wire_name, *member.type, inner, precision);
    } else {
      append_xml_element(out, member.wire_name, *member.type, inner, &member, precision);
    }
  }
}

void append_xml_element(std::string& out, std::string_view name, const Type& type,
                        const void* value, const Member* member, Precision precision) {
  out += '<';
  out += name;
  if (member != nullptr && !member->xml_namespace.empty()) {
    std::string_view prefix = member->xml_prefix;
    out +=
        fmt::format(" xmlns{}{}=\"{}\"", prefix.empty() ? "" : ":", prefix, member->xml_namespace);
  }
  out += attributes_of(type, value);
  out += '>';
  append_content(out, type, value, member, precision);
  out += "</";
  out += name;
  out += '>';
}

}  // namespace wolke::shape
