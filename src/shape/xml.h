#pragma once
// XML 1.0 documents as a small tree: elements, attributes, text; character references and the five
// entities. A document type declaration is refused, so there is nothing to expand or fetch.
// Namespaces are tolerated: an element's name is its local part; attributes keep both forms. Text
// is the concatenation of an element's own character data.
//
// Failure: "MalformedXML". Limits: limits::xml_document_bytes_max, limits::document_depth_max,
// xml_elements_max.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::shape {

/// CompleteMultipartUpload with 10,000 parts and all checksums has some 70,000 elements.
inline constexpr std::size_t xml_elements_max = 200'000;

struct XmlElement {
  std::string name;  // local part
  std::string text;
  std::vector<std::pair<std::string, std::string>> attributes;  // names as written: "xsi:type"
  std::vector<XmlElement> children;

  const XmlElement* child(std::string_view child_name) const;
  /// By full name or by local part.
  const std::string* attribute(std::string_view attribute_name) const;
};

Result<XmlElement> parse_xml(std::string_view text);

/// Escapes what XML needs escaped, in text and in attributes; carriage returns and control
/// characters become references.
void append_xml_text(std::string& out, std::string_view text);

}  // namespace wolke::shape
