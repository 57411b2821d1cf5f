// CPU nanoseconds of decoding and encoding one typical document: a list of 100 items as JSON and as
// XML, a policy-sized tree, a pattern. Prints one line each; --smoke runs each once.
#include <fmt/format.h>
#include <time.h>

#include <functional>
#include <string_view>

#include "wolke/shape/json.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/sample_service.h"
#include "wolke/shape/xml_codec.h"

namespace {

using namespace wolke;
using namespace wolke::shape;

double cpu_ns() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Best of five rounds of at least 50 ms.
void measure(std::string_view name, std::size_t bytes, bool smoke,
             const std::function<void()>& body) {
  double best = 0;
  for (int round = 0; round < (smoke ? 1 : 5); ++round) {
    int runs = 0;
    double start = cpu_ns(), spent = 0;
    do {
      body();
      ++runs;
      spent = cpu_ns() - start;
    } while (!smoke && spent < 50e6);
    double each = spent / runs;
    if (best == 0 || each < best) best = each;
  }
  fmt::print("{:<24} {:>10.0f} CPU-ns {:>8} bytes {:>8.1f} ns/KiB\n", name, best, bytes,
             best * 1024 / static_cast<double>(bytes));
}

sample::Document document() {
  sample::Document out;
  out.items.emplace();
  for (int i = 0; i < 100; ++i) {
    out.items->push_back({.key = fmt::format("photos/2026/11/{:08}.jpg", i),
                          .size = 4096 + i,
                          .modified = from_millis(1795427473123 + i),
                          .latest = true});
  }
  out.tags.emplace()["stage"] = "prod";
  out.kind = "A";
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  sample::Document value = document();
  std::string json, xml;
  append_json(json, sample::document_type, &value, JsonForm::wire);
  append_xml_element(xml, "Document", sample::document_type, &value, nullptr,
                     Precision::milliseconds);

  measure("json decode", json.size(), smoke, [&] {
    sample::Document out;
    ASSERT(decode_json(json, sample::document_type, &out, JsonForm::wire));
  });
  measure("json encode", json.size(), smoke, [&] {
    std::string out;
    append_json(out, sample::document_type, &value, JsonForm::wire);
  });
  measure("json tree", json.size(), smoke, [&] { ASSERT(parse_json(json)); });
  measure("xml decode", xml.size(), smoke, [&] {
    Result<XmlElement> root = parse_xml(xml);
    sample::Document out;
    ASSERT(root && read_xml(*root, sample::document_type, &out));
  });
  measure("xml encode", xml.size(), smoke, [&] {
    std::string out;
    append_xml_element(out, "Document", sample::document_type, &value, nullptr,
                       Precision::milliseconds);
  });

  HeaderList headers = {
      {"host", "localhost:4566"}, {"x-meta-color", "red"}, {"content-type", "application/json"}};
  QueryPairs query = {{"max-keys", "5"}};
  WireRequest request{"PUT", "/bucket/photos/2026/11/a.jpg", &query, &headers, ""};
  measure("rest decode, no body", 64, smoke, [&] {
    const Operation* operation = match_rest(sample::Sample<Protocol::rest_json>::service, request);
    ASSERT(operation && decode_input(*operation, request));
  });
  std::string_view name = "arn:aws:lambda:eu-west-1:000000000000:function:thumbnails";
  Result<Pattern> pattern = Pattern::compile(
      "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-"
      "zA-Z0-9-_]+)");
  measure("pattern, function ARN", name.size(), smoke, [&] { ASSERT(pattern->matches(name)); });
  measure("pattern, function name", 10, smoke, [&] { ASSERT(pattern->matches("thumbnails")); });
}
