// What parses is written and parses to the same; nothing else may happen but an error.
#include <cstdint>

#include "wolke/shape/xml.h"

namespace {

using wolke::shape::XmlElement;

void write(std::string& out, const XmlElement& element) {
  out += '<' + element.name;
  for (const auto& [name, value] : element.attributes) {
    out += ' ' + name + "=\"";
    wolke::shape::append_xml_text(out, value);
    out += '"';
  }
  out += '>';
  wolke::shape::append_xml_text(out, element.text);
  for (const XmlElement& child : element.children) write(out, child);
  out += "</" + element.name + '>';
}

bool same(const XmlElement& a, const XmlElement& b) {
  if (a.name != b.name || a.text != b.text || a.attributes != b.attributes ||
      a.children.size() != b.children.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.children.size(); ++i) {
    if (!same(a.children[i], b.children[i])) return false;
  }
  return true;
}

// "x:" and "x:1" are names to the parser, but their local parts are none.
bool writable(const XmlElement& element) {
  if (element.name.empty() || (element.name[0] >= '0' && element.name[0] <= '9') ||
      element.name[0] == '-' || element.name[0] == '.') {
    return false;
  }
  for (const XmlElement& child : element.children) {
    if (!writable(child)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  wolke::Result<XmlElement> root = wolke::shape::parse_xml(text);
  if (!root || !writable(*root)) return 0;
  std::string written;
  write(written, *root);
  if (written.size() > (1u << 20)) return 0;
  wolke::Result<XmlElement> again = wolke::shape::parse_xml(written);
  ASSERT(again && same(*root, *again));
  return 0;
}
