#include "wolke/services/sts/issuer_keys.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace wolke::sts {
namespace {

bool reaches(const char* text, Reach reach) {
  sockaddr_storage storage{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&storage, &four, sizeof four);
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
    six.sin6_family = AF_INET6;
    std::memcpy(&storage, &six, sizeof six);
  }
  return may_reach(reinterpret_cast<const sockaddr&>(storage), reach);
}

TEST(IssuerReach, PublicAddressesAreReachedAndNoOthers) {
  for (const char* text : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "192.169.0.1",
                           "2606:4700::1111", "2001:4860:4860::8888"}) {
    EXPECT_TRUE(reaches(text, {})) << text;
  }
  for (const char* text :
       {"0.0.0.0",         "10.0.0.1",         "100.64.0.1",      "127.0.0.1",   "127.9.9.9",
        "169.254.169.254", "172.16.0.1",       "172.31.255.255",  "192.168.1.1", "192.0.2.1",
        "198.18.0.1",      "224.0.0.1",        "255.255.255.255", "::",          "::1",
        "::ffff:8.8.8.8",  "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1",     "fc00::1",
        "fd12::1",         "ff02::1",          "2002:7f00:1::",   "2001::1",     "2001:db8::1"}) {
    EXPECT_FALSE(reaches(text, {})) << text;
  }
}

TEST(IssuerReach, TheOperatorMayLetInPrivateNetworksButNeverLinkLocalOnes) {
  const Reach reach{.private_networks = true};
  for (const char* text : {"10.0.0.1", "100.64.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1",
                           "::1", "fd12::1", "8.8.8.8"}) {
    EXPECT_TRUE(reaches(text, reach)) << text;
  }
  for (const char* text : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "ff02::1"}) {
    EXPECT_FALSE(reaches(text, reach)) << text;
  }
}

TEST(IssuerReach, DevReachesThisMachineAndNoPrivateNetwork) {
  const Reach reach{.loopback = true};
  EXPECT_TRUE(reaches("127.0.0.1", reach));
  EXPECT_TRUE(reaches("::1", reach));
  EXPECT_FALSE(reaches("10.0.0.1", reach));
  EXPECT_FALSE(reaches("169.254.169.254", reach));
}

}  // namespace
}  // namespace wolke::sts
