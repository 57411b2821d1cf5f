#include "wolke/identity/ids.h"

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"

namespace wolke::identity {
namespace {

constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t key_bytes = 10;
constexpr std::size_t key_characters = 16;

std::string random_bytes(Random& random, std::size_t count) {
  std::string out(count, '\0');
  random.fill(std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

std::string random_base32(Random& random, std::size_t count) {
  std::string out = random_bytes(random, count);
  for (char& c : out) c = base32[static_cast<unsigned char>(c) & 31];
  return out;
}

}  // namespace

bool is_account_id(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string make_access_key_id(std::string_view prefix, std::string_view account, Random& random) {
  ASSERT(is_account_id(account));
  std::string bytes = random_bytes(random, key_bytes);
  const std::uint64_t head =
      (1ULL << 47) | *parse_u64(account) << 7 | (static_cast<unsigned char>(bytes[5]) & 127U);
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<char>(head >> (8 * (5 - i)) & 255);
  std::string out(prefix);
  for (std::size_t at = 0; at < key_bytes; at += 5) {
    std::uint64_t group = 0;
    for (std::size_t i = 0; i < 5; ++i)
      group = group << 8 | static_cast<unsigned char>(bytes[at + i]);
    for (int i = 7; i >= 0; --i) out += base32[group >> (5 * i) & 31];
  }
  return out;
}

std::optional<std::string> account_of_access_key(std::string_view access_key_id) {
  if (access_key_id.size() != 4 + key_characters) return std::nullopt;
  if (!access_key_id.starts_with("AKIA") && !access_key_id.starts_with("ASIA")) return std::nullopt;
  std::uint64_t bits = 0;  // the first 50 bits hold the account
  for (std::size_t i = 4; i < access_key_id.size(); ++i) {
    const std::size_t digit = base32.find(access_key_id[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    if (i < 14) bits = bits << 5 | digit;
  }
  const std::uint64_t account = bits >> 9 & ((1ULL << 40) - 1);
  if (account > 999'999'999'999) return std::nullopt;
  std::string text = std::to_string(account);
  return std::string(12 - text.size(), '0') + text;
}

std::string make_unique_id(std::string_view prefix, Random& random) {
  return std::string(prefix) + random_base32(random, 17);
}

std::string make_secret(Random& random) {
  return to_base64(random_bytes(random, 30));
}

std::string make_account_id(Random& random) {
  return std::to_string(100'000'000'000 + random.below(900'000'000'000));
}

std::optional<IamArn> parse_iam_arn(std::string_view arn) {
  constexpr std::string_view head = "arn:aws:iam::";
  if (!arn.starts_with(head)) return std::nullopt;
  arn.remove_prefix(head.size());
  const std::size_t colon = arn.find(':');
  const std::size_t slash = arn.find('/');
  if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon)
    return std::nullopt;
  const std::size_t last = arn.rfind('/');
  IamArn out{std::string(arn.substr(0, colon)),
             std::string(arn.substr(colon + 1, slash - colon - 1)),
             std::string(arn.substr(slash, last - slash + 1)), std::string(arn.substr(last + 1))};
  const bool account = out.account == "aws" || is_account_id(out.account);
  if (!account || out.type.empty() || out.name.empty()) return std::nullopt;
  return out;
}

std::string iam_arn(std::string_view account, std::string_view type, std::string_view path,
                    std::string_view name) {
  std::string out = "arn:aws:iam::";
  out += account;
  out += ':';
  out += type;
  out += path;
  out += name;
  return out;
}

}  // namespace wolke::identity
