#include "wolke/shape/query_codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/shape/members.h"
#include "wolke/shape/scalar.h"
#include "wolke/shape/xml_codec.h"

namespace wolke::shape {

namespace {

// Reads by prefix from sorted parameters: everything under "Tags.member.1" is one range.
class Reader {
 public:
  explicit Reader(QueryPairs parameters) : parameters_(std::move(parameters)) {
    std::stable_sort(parameters_.begin(), parameters_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  Result<void> structure(const std::string& prefix, const Type& type, void* value, int depth) {
    if (depth > limits::document_depth_max) return fail(malformed(prefix));
    for (const Member& member : type.members) {
      std::string name = prefix.empty() ? std::string(member.wire_name)
                                        : fmt::format("{}.{}", prefix, member.wire_name);
      if (!present(name)) continue;
      TRY(this->value(name, *member.type, member.flattened, &member, engage(member, value), depth));
    }
    return {};
  }

 private:
  static Error malformed(std::string_view name) {
    return {.code = "MalformedInput",
            .status = 400,
            .message = fmt::format("The parameter {} is not well-formed.", printable(name))};
  }

  // The parameter `name` itself, or any below it.
  bool present(const std::string& name) const {
    auto at =
        std::lower_bound(parameters_.begin(), parameters_.end(), name,
                         [](const auto& pair, const std::string& key) { return pair.first < key; });
    if (at != parameters_.end() && at->first == name) return true;
    std::string below = name + '.';
    at =
        std::lower_bound(at, parameters_.end(), below,
                         [](const auto& pair, const std::string& key) { return pair.first < key; });
    return at != parameters_.end() && at->first.starts_with(below);
  }

  const std::string* find(const std::string& name) const {
    const std::string* found = nullptr;
    auto at =
        std::lower_bound(parameters_.begin(), parameters_.end(), name,
                         [](const auto& pair, const std::string& key) { return pair.first < key; });
    for (; at != parameters_.end() && at->first == name; ++at) found = &at->second;
    return found;
  }

  // The numbers N of "prefix.N" and "prefix.N.…", ascending. Each stands for a parameter sent: no
  // amplification.
  std::vector<std::uint64_t> indexes(const std::string& prefix) const {
    std::vector<std::uint64_t> out;
    std::string below = prefix + '.';
    auto at =
        std::lower_bound(parameters_.begin(), parameters_.end(), below,
                         [](const auto& pair, const std::string& key) { return pair.first < key; });
    for (; at != parameters_.end() && at->first.starts_with(below); ++at) {
      std::string_view tail = std::string_view(at->first).substr(below.size());
      if (auto index = parse_u64(tail.substr(0, tail.find('.')))) out.push_back(*index);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  Result<void> value(const std::string& name, const Type& type, bool flattened,
                     const Member* member, void* at, int depth) {
    switch (type.kind) {
      case Kind::structure:
        return structure(name, type, at, depth + 1);
      case Kind::list:
        return list(name, type, flattened, at, depth);
      case Kind::map:
        return map(name, type, flattened, at, depth);
      default:
        break;
    }
    const std::string* text = find(name);
    TimestampFormat format = timestamp_format(member, type, TimestampFormat::iso8601);
    if (text == nullptr || !is_scalar(type.kind) || !parse_scalar(type, *text, format, at)) {
      return fail(malformed(name));
    }
    return {};
  }

  Result<void> list(const std::string& name, const Type& type, bool flattened, void* at,
                    int depth) {
    std::string prefix = name;
    if (!flattened)
      prefix += type.element_name.empty() ? ".member" : fmt::format(".{}", type.element_name);
    for (std::uint64_t index : indexes(prefix)) {
      TRY(value(fmt::format("{}.{}", prefix, index), *type.element, false, nullptr,
                type.container->append(at), depth + 1));
    }
    return {};
  }

  Result<void> map(const std::string& name, const Type& type, bool flattened, void* at, int depth) {
    std::string prefix = flattened ? name : name + ".entry";
    for (std::uint64_t index : indexes(prefix)) {
      std::string entry = fmt::format("{}.{}", prefix, index);
      const std::string* key =
          find(fmt::format("{}.{}", entry, type.key_name.empty() ? "key" : type.key_name));
      if (key == nullptr) return fail(malformed(entry));
      std::string item =
          fmt::format("{}.{}", entry, type.element_name.empty() ? "value" : type.element_name);
      TRY(value(item, *type.element, false, nullptr, type.container->insert(at, *key), depth + 1));
    }
    return {};
  }

  QueryPairs parameters_;
};

}  // namespace

Result<void> read_query(QueryPairs parameters, const Type& structure, void* value) {
  return Reader(std::move(parameters)).structure("", structure, value, 0);
}

std::string query_answer(const Operation& operation, const void* output,
                         std::string_view request_id) {
  std::string out =
      fmt::format("<{}Response xmlns=\"{}\">", operation.name, operation.service->xmlns);
  if (!operation.result_wrapper.empty()) {
    out += fmt::format("<{}>", operation.result_wrapper);
    append_xml_members(out, *operation.output, output, Precision::seconds);
    out += fmt::format("</{}>", operation.result_wrapper);
  }
  out += "<ResponseMetadata><RequestId>";
  append_xml_text(out, request_id);
  out += fmt::format("</RequestId></ResponseMetadata></{}Response>", operation.name);
  return out;
}

}  // namespace wolke::shape
