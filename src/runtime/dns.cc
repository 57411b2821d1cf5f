#include "wolke/runtime/dns.h"

#include <algorithm>
#include <cstdint>

namespace wolke::runtime {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t label_bytes_max = 63;

// Of the header's second word.
constexpr std::uint16_t is_answer = 0x8000;
constexpr std::uint16_t opcode_mask = 0x7800;
constexpr std::uint16_t authoritative = 0x0400;
constexpr std::uint16_t truncated = 0x0200;
constexpr std::uint16_t recursion_desired = 0x0100;
constexpr std::uint16_t recursion_available = 0x0080;

enum class Code : std::uint16_t {
  no_error = 0,
  format_error = 1,
  no_such_name = 3,
  not_implemented = 4,
  refused = 5
};

constexpr std::uint16_t type_a = 1, type_opt = 41, type_ixfr = 251, type_axfr = 252, type_any = 255;
constexpr std::uint16_t class_in = 1, class_any = 255;

constexpr std::uint16_t udp_payload_bytes = 1232;
constexpr char bad_version = 1;  // BADVERS, 16: the upper eight bits of it stand in the OPT record
constexpr std::uint16_t seconds_to_live = 60;

void append_u16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

/// Big-endian numbers from the front; `ok` turns false where the bytes end early.
struct Reader {
  std::string_view rest;
  bool ok = true;

  std::string_view take(std::size_t bytes) {
    if (rest.size() < bytes) {
      ok = false;
      rest = {};
      return {};
    }
    std::string_view out = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return out;
  }
  std::uint8_t u8() {
    std::string_view bytes = take(1);
    return ok ? static_cast<std::uint8_t>(bytes[0]) : std::uint8_t{0};
  }
  std::uint16_t u16() {
    const std::uint16_t high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
};

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

struct Name {
  std::string text;   // lower case, labels parted by dots
  bool plain = true;  // nothing in it but what host names have
};

/// Uncompressed, as a question's name is; nullopt when it is none.
std::optional<Name> read_name(Reader& in) {
  Name name = {};
  const std::size_t before = in.rest.size();
  for (;;) {
    const std::size_t length = in.u8();
    if (!in.ok || length > label_bytes_max) return std::nullopt;
    if (before - in.rest.size() + length > name_bytes_max) return std::nullopt;
    if (length == 0) return name;
    if (!name.text.empty()) name.text.push_back('.');
    for (char c : in.take(length)) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      name.plain = name.plain && is_plain(c);
      name.text.push_back(c);
    }
  }
}

struct Query {
  std::uint16_t id = 0, flags = 0;
  std::string_view question = {};  // its bytes, for the answer
  Name name = {};
  std::uint16_t type = 0, klass = 0;
  bool extended = false;  // it has an OPT record
  std::uint8_t version = 0;
};

/// The OPT record: RFC 6891, 6.1.2. What options it carries does not concern us.
bool read_opt(Reader& in, Query& query) {
  const bool is_root = in.u8() == 0;
  const bool is_opt = in.u16() == type_opt;
  in.u16();  // what the asker can receive; our answers are smaller than everybody's minimum
  in.u8();
  query.version = in.u8();
  in.u16();
  in.take(in.u16());
  query.extended = true;
  return in.ok && is_root && is_opt;
}

/// What follows the header's first two words; false when it is malformed.
bool read_sections(Reader& in, Query& query) {
  const std::uint16_t questions = in.u16(), answers = in.u16(), authorities = in.u16(),
                      additional = in.u16();
  if (!in.ok || questions != 1 || answers != 0 || authorities != 0 || additional > 1) return false;
  if ((query.flags & truncated) != 0) return false;
  const std::string_view from = in.rest;
  std::optional<Name> name = read_name(in);
  if (!name) return false;
  query.type = in.u16();
  query.klass = in.u16();
  if (!in.ok) return false;
  if (additional == 1) {
    const std::size_t question_bytes = from.size() - in.rest.size();
    if (!read_opt(in, query)) return false;
    query.question = from.substr(0, question_bytes);
  } else {
    query.question = from.substr(0, from.size() - in.rest.size());
  }
  query.name = *std::move(name);
  return in.rest.empty();
}

bool is_below(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::string head(const Query& query, Code code, std::uint16_t answers) {
  std::string out;
  append_u16(out, query.id);
  const auto kept = static_cast<std::uint16_t>(query.flags & (opcode_mask | recursion_desired));
  append_u16(out, static_cast<std::uint16_t>(is_answer | authoritative | recursion_available |
                                             kept | static_cast<std::uint16_t>(code)));
  append_u16(out, query.question.empty() ? 0 : 1);
  append_u16(out, answers);
  append_u16(out, 0);
  append_u16(out, query.extended ? 1 : 0);
  out += query.question;
  return out;
}

void append_loopback(std::string& out) {
  append_u16(out, 0xc000 | header_bytes);  // the name is the question's
  append_u16(out, type_a);
  append_u16(out, class_in);
  append_u16(out, 0);
  append_u16(out, seconds_to_live);
  append_u16(out, 4);
  out.append("\x7f\0\0\1", 4);
}

void append_opt(std::string& out, char extended_code) {
  out.push_back(0);
  append_u16(out, type_opt);
  append_u16(out, udp_payload_bytes);
  out.push_back(extended_code);
  out.append(5, '\0');  // version 0, no flag, no option
}

Code judge(const Query& query, const std::vector<std::string>& domains) {
  if (query.klass != class_in && query.klass != class_any) return Code::refused;
  if (query.type == type_axfr || query.type == type_ixfr || query.type == type_opt)
    return Code::refused;
  const bool ours =
      query.name.plain && std::ranges::any_of(domains, [&](const std::string& domain) {
        return is_below(query.name.text, domain);
      });
  return ours ? Code::no_error : Code::no_such_name;
}

}  // namespace

std::optional<std::string> answer_dns(std::string_view message,
                                      const std::vector<std::string>& domains) {
  if (message.size() < header_bytes || message.size() > dns_message_bytes_max) return std::nullopt;
  Reader in{message};
  Query query;
  query.id = in.u16();
  query.flags = in.u16();
  if ((query.flags & is_answer) != 0) return std::nullopt;
  if ((query.flags & opcode_mask) != 0) return head(query, Code::not_implemented, 0);
  if (!read_sections(in, query))
    return head({.id = query.id, .flags = query.flags}, Code::format_error, 0);
  if (query.extended && query.version != 0) {
    std::string out = head(query, Code::no_error, 0);
    append_opt(out, bad_version);
    return out;
  }
  const Code code = judge(query, domains);
  // Of all types only addresses exist; "any" may be answered with one of them.
  const bool has_address =
      code == Code::no_error && (query.type == type_a || query.type == type_any);
  std::string out = head(query, code, has_address ? 1 : 0);
  if (has_address) append_loopback(out);
  if (query.extended) append_opt(out, 0);
  return out;
}

}  // namespace wolke::runtime
