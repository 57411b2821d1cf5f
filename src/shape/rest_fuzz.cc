// A whole request as bytes: first byte the protocol, then method, target, header lines, an empty
// line and the body. What is decoded can be written as a document and read back to the same
// document, and encoded as an answer.
#include <cstdint>

#include "wolke/base/text.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/sample_service.h"

namespace {

using namespace wolke;
using namespace wolke::shape;

std::string_view take_line(std::string_view& rest) {
  std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

void round_trip(const Operation& operation, const Value& input) {
  std::string document;
  append_json(document, *operation.input, input.data(), JsonForm::document);
  if (!is_valid_utf8(document)) return;  // headers and labels carry any bytes
  Value again(*operation.input);
  Result<void> read = decode_json(document, *operation.input, again.data(), JsonForm::document);
  ASSERT(read);
  std::string second;
  append_json(second, *operation.input, again.data(), JsonForm::document);
  ASSERT(second == document);
}

void answer(const Operation& operation, const Value& input) {
  const sample::Document* document = nullptr;
  if (operation.input == &sample::document_type) document = &input.as<sample::Document>();
  if (operation.input == &sample::request_type && input.as<sample::Request>().document) {
    document = &*input.as<sample::Request>().document;
  }
  if (document == nullptr) return;
  Value output(*operation.output);
  output.as<sample::Document>() = *document;
  ASSERT(encode_output(operation, output, "r"));
}

template <Protocol protocol>
void run(std::string_view text) {
  const Service& service = sample::Sample<protocol>::service;
  std::string_view method = take_line(text), target = take_line(text);
  HeaderList headers;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) break;
    headers.emplace_back(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  std::size_t mark = target.find('?');
  std::optional<QueryPairs> query =
      parse_query(mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1));
  if (!query) return;
  WireRequest request{method, target.substr(0, mark), &*query, &headers, text};
  const Operation* operation = protocol == Protocol::rest_xml || protocol == Protocol::rest_json
                                   ? match_rest(service, request)
                                   : find_operation(service, "Write");
  if (operation == nullptr) return;
  Result<Value> input = decode_input(*operation, request);
  if (!input) {
    encode_error(service, operation, input.error(), "r", request.path, false);
    return;
  }
  round_trip(*operation, *input);
  answer(*operation, *input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      run<Protocol::rest_xml>(text);
      break;
    case 1:
      run<Protocol::rest_json>(text);
      break;
    case 2:
      run<Protocol::json11>(text);
      break;
    default:
      run<Protocol::query>(text);
      break;
  }
  return 0;
}
