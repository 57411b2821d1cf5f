#pragma once
// XML over schema tables: request documents (restXml) and answers (restXml and query). Writes
// straight into a string. Rules of the models: flattened lists have no wrapper element, list
// elements are <member> or the model's name, maps are <entry><key/><value/></entry>, attributes and
// namespaces where the model has them.
//
// Failure of reading: "MalformedXML" when an element's text is not of its type.

#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/shape/scalar.h"
#include "wolke/shape/schema.h"
#include "wolke/shape/xml.h"

namespace wolke::shape {

/// Members of Location::body, from the element that stands for the structure.
Result<void> read_xml(const XmlElement& element, const Type& structure, void* value);

/// The content (attributes apart) of a structure, without its own element.
void append_xml_members(std::string& out, const Type& structure, const void* value,
                        Precision precision);
/// <name ...>content</name> for a value of any kind.
void append_xml_element(std::string& out, std::string_view name, const Type& type,
                        const void* value, const Member* member, Precision precision);

}  // namespace wolke::shape
