#pragma once
// Messages of application/vnd.amazon.eventstream, of which a streamed answer consists: lengths,
// headers, a document, checksums; all numbers big-endian. Source: Smithy specification, "Amazon
// Event Stream Specification".

#include <string>
#include <string_view>

namespace wolke::shape {

/// A message may have headers of 128 KB and a payload of 16 MB; ours stay far below.
std::string event_message(std::string_view event_type, std::string_view content_type,
                          std::string_view payload);
/// The last message of a stream that a modelled error ends.
std::string exception_message(std::string_view exception_type, std::string_view content_type,
                              std::string_view payload);

}  // namespace wolke::shape
