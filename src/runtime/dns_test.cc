#include "wolke/runtime/dns.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace wolke::runtime {
namespace {

using std::string;

const std::vector<string> domains{"amazonaws.com", "on.aws"};

string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

/// "a.b" as labels.
string labels(std::string_view name) {
  string out;
  while (!name.empty()) {
    std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return out + '\0';
}

string header(unsigned flags, unsigned questions = 1, unsigned answers = 0,
              unsigned authorities = 0, unsigned additional = 0) {
  return u16(0x1234) + u16(flags) + u16(questions) + u16(answers) + u16(authorities) +
         u16(additional);
}

string query(std::string_view name, unsigned type = 1, unsigned klass = 1) {
  return header(0x0100) + labels(name) + u16(type) + u16(klass);
}

string opt(unsigned version, const string& options = "") {
  string out(1, '\0');
  out += u16(41) + u16(4096) + '\0' + static_cast<char>(version) + u16(0) +
         u16(static_cast<unsigned>(options.size()));
  return out + options;
}

string extended(std::string_view name, unsigned version, const string& options = "") {
  return header(0x0100, 1, 0, 0, 1) + labels(name) + u16(1) + u16(1) + opt(version, options);
}

int code_of(const string& message) {
  auto answer = answer_dns(message, domains);
  if (!answer) return -1;
  EXPECT_EQ(answer->substr(0, 2), message.substr(0, 2));
  EXPECT_NE((*answer)[2] & 0x80, 0) << "it is no answer";
  return (*answer)[3] & 0x0f;
}

int addresses_of(const string& message) {
  auto answer = answer_dns(message, domains);
  return answer ? (*answer)[7] : -1;
}

constexpr int no_error = 0, format_error = 1, no_such_name = 3, not_implemented = 4, refused = 5;

TEST(Dns, AnAwsNameHasTheLoopbackAddress) {
  const string asked = query("photos.s3.eu-west-1.amazonaws.com");
  const string expected = u16(0x1234) + u16(0x8580) + u16(1) + u16(1) + u16(0) + u16(0) +
                          asked.substr(12) + u16(0xc00c) + u16(1) + u16(1) + u16(0) + u16(60) +
                          u16(4) + string("\x7f\0\0\1", 4);
  EXPECT_EQ(answer_dns(asked, domains), expected);
}

TEST(Dns, EveryNameOfTheDomainsIsHere) {
  for (const char* name : {"amazonaws.com", "s3.amazonaws.com", "S3.AmazonAWS.com",
                           "a.b_c.d-e.amazonaws.com", "x.lambda-url.us-east-1.on.aws"}) {
    EXPECT_EQ(addresses_of(query(name)), 1) << name;
  }
}

TEST(Dns, NoOtherNameExists) {
  for (const char* name : {"", "com", "example.com", "notamazonaws.com",
                           "amazonaws.com.example.org", "aws", "1.0.0.127.in-addr.arpa"}) {
    EXPECT_EQ(code_of(query(name)), no_such_name) << name;
  }
}

TEST(Dns, ALabelWithADotInItIsNoTwoLabels) {
  const string one = string(1, '\x10') + "s3.amazonaws.com" + '\0';
  EXPECT_EQ(code_of(header(0x0100) + one + u16(1) + u16(1)), no_such_name);
}

TEST(Dns, AllButAddressesAreEmptyNotMissing) {
  for (unsigned type : {28U, 65U, 5U, 16U, 33U}) {  // AAAA, HTTPS, CNAME, TXT, SRV
    EXPECT_EQ(code_of(query("s3.amazonaws.com", type)), no_error) << type;
    EXPECT_EQ(addresses_of(query("s3.amazonaws.com", type)), 0) << type;
    EXPECT_EQ(code_of(query("example.com", type)), no_such_name) << type;
  }
}

TEST(Dns, AnyIsAnsweredWithTheAddress) {
  EXPECT_EQ(addresses_of(query("s3.amazonaws.com", 255)), 1);
}

TEST(Dns, TransfersAndOtherClassesAreRefused) {
  EXPECT_EQ(code_of(query("amazonaws.com", 252)), refused);
  EXPECT_EQ(code_of(query("amazonaws.com", 251)), refused);
  EXPECT_EQ(code_of(query("amazonaws.com", 1, 3)), refused);
}

TEST(Dns, OnlyQueriesAreAnswered) {
  string answer = *answer_dns(query("s3.amazonaws.com"), domains);
  EXPECT_EQ(answer_dns(answer, domains), std::nullopt);
  EXPECT_EQ(answer_dns("", domains), std::nullopt);
  EXPECT_EQ(answer_dns(header(0x0100).substr(0, 11), domains), std::nullopt);
  EXPECT_EQ(answer_dns(query("s3.amazonaws.com") + string(500, 'x'), domains), std::nullopt);
  EXPECT_EQ(code_of(header(0x2800) + labels("amazonaws.com") + u16(6) + u16(1)),
            not_implemented);  // UPDATE
}

TEST(Dns, WhatIsMalformedIsSaidWithoutAQuestion) {
  const string good = query("s3.amazonaws.com");
  for (const string& bad : {
           header(0x0100, 0), header(0x0100, 2) + good.substr(12) + good.substr(12),
           header(0x0100, 1, 1) + good.substr(12), header(0x0100, 1, 0, 1) + good.substr(12),
           header(0x0100, 1, 0, 0, 2) + good.substr(12) + opt(0) + opt(0),
           header(0x0300) + good.substr(12),                                 // TC in a query
           good + "x", good.substr(0, good.size() - 1), good.substr(0, 20),  // trailing, cut
           header(0x0100) + "\xc0\x0c" + u16(1) + u16(1),                    // compressed: a loop
           header(0x0100) + "\x40" + string(64, 'a') + '\0' + u16(1) + u16(1),  // a label of 64
           header(0x0100, 1, 0, 0, 1) + good.substr(12),  // no OPT record there
           header(0x0100, 1, 0, 0, 1) + good.substr(12) + opt(0).substr(0, 10),
           header(0x0100, 1, 0, 0, 1) + good.substr(12) + "\x01" + "a" + opt(0),  // not the root's
       }) {
    auto answer = answer_dns(bad, domains);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->size(), 12U);
    EXPECT_EQ((*answer)[3] & 0x0f, format_error) << testing::PrintToString(bad);
  }
}

TEST(Dns, ANameHasAtMost255Bytes) {
  const string label = string(1, '\x3f') + string(63, 'a');
  const string three = label + label + label;
  auto ask = [&](std::size_t last) {
    return header(0x0100) + three + static_cast<char>(last) + string(last, 'b') + '\0' + u16(1) +
           u16(1);
  };
  EXPECT_EQ(code_of(ask(61)), no_such_name);
  EXPECT_EQ(code_of(ask(62)), format_error);
}

TEST(Dns, ExtendedQueriesGetExtendedAnswers) {
  auto answer = answer_dns(extended("s3.amazonaws.com", 0, u16(10) + u16(8) + "12345678"), domains);
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)[7], 1);
  EXPECT_EQ(answer->substr(answer->size() - 11),
            string(1, '\0') + u16(41) + u16(1232) + string(6, '\0'));
  auto later = answer_dns(extended("s3.amazonaws.com", 1), domains);
  ASSERT_TRUE(later);
  EXPECT_EQ((*later)[7], 0);
  EXPECT_EQ(later->substr(later->size() - 6, 2),
            string("\1\0", 2));  // BADVERS, and that we speak version 0
}

TEST(Dns, AnswersAreHardlyLongerThanQueries) {
  for (const string& asked : {query("s3.amazonaws.com"), query("s3.amazonaws.com", 255),
                              extended("s3.amazonaws.com", 0), query("example.com")}) {
    EXPECT_LE(answer_dns(asked, domains)->size(), asked.size() + dns_growth_max);
  }
}

}  // namespace
}  // namespace wolke::runtime
