#include "wolke/sandbox/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "wolke/sandbox/pack.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/spawner.h"

namespace wolke::sandbox {
namespace {

wire::Request acceptable() {
  wire::Request request{};
  request.version = wire::version;
  request.kind = wire::RequestKind::start;
  request.memory_bytes = 128 << 20;
  request.tmp_bytes = 512 << 20;
  request.pids_max = 1024;
  request.files_max = 1024;
  wire::copy_text(request.id, "fn-1");
  wire::copy_text(request.hostname, "sandbox");
  return request;
}

TEST(WireTest, a_plain_request_is_acceptable_and_each_bound_is_checked) {
  EXPECT_EQ(wire::why_unacceptable(acceptable(), 4), "");
  auto wrong = [](auto change) {
    wire::Request request = acceptable();
    change(request);
    return std::string(wire::why_unacceptable(request, 4));
  };
  EXPECT_EQ(wrong([](wire::Request& r) { r.version = 9; }), "version");
  EXPECT_EQ(wrong([](wire::Request& r) { r.kind = static_cast<wire::RequestKind>(7); }), "kind");
  EXPECT_EQ(wrong([](wire::Request& r) { r.mount_count = 17; }), "counts");
  EXPECT_EQ(wrong([](wire::Request& r) { r.mount_count = 1; }), "descriptors");
  EXPECT_EQ(wrong([](wire::Request& r) { r.id.fill('a'); }), "id");
  EXPECT_EQ(wrong([](wire::Request& r) { wire::copy_text(r.id, "../x"); }), "id");
  EXPECT_EQ(wrong([](wire::Request& r) { r.memory_bytes = 1; }), "memory");
  EXPECT_EQ(wrong([](wire::Request& r) { r.tmp_bytes = ~0ULL; }), "tmp");
  EXPECT_EQ(wrong([](wire::Request& r) { r.pids_max = 0; }), "pids");
  EXPECT_EQ(wrong([](wire::Request& r) { r.files_max = 0; }), "files");
  EXPECT_EQ(wrong([](wire::Request& r) { r.weaken = 1; }), "weaken");
  EXPECT_EQ(wrong([](wire::Request& r) {
              r.listen_count = 1;
              r.listen[0] = {htonl(0x0a000001), 80, wire::ListenKind::stream};
            }),
            "listen address");
}

TEST(WireTest, an_inside_path_stays_in_the_three_places) {
  for (const char* good :
       {"/var/task", "/opt", "/var/lang", "/opt/a/b", "/etc/ssl/extra", "/var/x.y_z-1"}) {
    EXPECT_TRUE(wire::is_inside_path(good)) << good;
  }
  for (const char* bad :
       {"", "/", "var", "/usr", "/proc/x", "/dev", "/etc", "/tmp/x", "/var/../etc", "/var//a",
        "/var/", "/var/.", "/opt/a b", "/opt/a/b/c/d", "/var/\n"}) {
    EXPECT_FALSE(wire::is_inside_path(bad)) << bad;
  }
}

TEST(WireTest, a_message_of_another_size_is_malformed_and_its_descriptors_close) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  Fd a(pair[0]), b(pair[1]);
  const std::uint32_t small = 1;
  const int passed = a.get();
  ASSERT_EQ(wire::send(a.get(), small, std::span(&passed, 1)), wire::Transfer::done);
  wire::Reply reply{};
  std::vector<Fd> descriptors;
  const int before = ::dup(0);
  ::close(before);
  EXPECT_EQ(wire::receive(b.get(), reply, descriptors), wire::Transfer::malformed);
  EXPECT_TRUE(descriptors.empty());
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(before, after);  // the lowest free number is the same: nothing stayed open
  a.reset();
  EXPECT_EQ(wire::receive(b.get(), reply, descriptors), wire::Transfer::closed);
}

TEST(WireTest, texts_are_cut_to_fit_and_unended_ones_read_as_nothing) {
  std::array<char, 4> field{};
  wire::copy_text(field, "abcdef");
  EXPECT_EQ(wire::text_of(field), "abc");
  field.fill('x');
  EXPECT_EQ(wire::text_of(field), "");
}

TEST(PackTest, a_program_survives_packing_and_unpacking) {
  Spec spec;
  spec.argv = {"/bin/x", "", "a b"};
  spec.environment = {"A=1"};
  spec.working_directory = "/var/task";
  spec.hosts = {{"h", "127.0.0.2"}};
  auto bytes = pack_program(spec);
  ASSERT_TRUE(bytes.has_value());
  Program program;
  ASSERT_TRUE(unpack_program(*bytes, program).has_value());
  EXPECT_EQ(program.working_directory, "/var/task");
  ASSERT_EQ(program.arguments.size(), 4u);
  EXPECT_STREQ(program.arguments[2], "a b");
  EXPECT_EQ(program.arguments[3], nullptr);
  EXPECT_STREQ(program.environment[0], "A=1");
  EXPECT_EQ(program.hosts, "127.0.0.2 h\n");
}

TEST(PackTest, every_cut_and_every_flipped_byte_of_the_head_is_refused_or_harmless) {
  Spec spec;
  spec.argv = {"/bin/x"};
  const std::string bytes = *pack_program(spec);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Program program;
    EXPECT_FALSE(unpack_program(bytes.substr(0, length), program).has_value()) << length;
  }
  for (std::size_t at = 0; at < sizeof(wire::ProgramHead); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    Program program;
    EXPECT_FALSE(unpack_program(flipped, program).has_value()) << at;
  }
}

TEST(PackTest, hosts_entries_and_strings_cannot_smuggle_lines_or_ends) {
  Spec spec;
  spec.argv = {"/bin/x"};
  spec.hosts = {{"a\nb", "127.0.0.1"}};
  EXPECT_FALSE(pack_program(spec).has_value());
  spec.hosts.clear();
  spec.environment = {std::string("A=1\0B=2", 7)};
  EXPECT_FALSE(pack_program(spec).has_value());
  spec.environment.clear();
  spec.argv = {"relative"};
  EXPECT_FALSE(pack_program(spec).has_value());
}

TEST(UidRangeTest, every_uid_is_used_once_before_one_comes_again_and_not_before_its_rest) {
  UidRange uids(102, 100, 4);
  const auto now = UidRange::Clock::now();
  std::vector<uid_t> got;
  for (int i = 0; i < 4; ++i) got.push_back(*uids.take(now));
  EXPECT_EQ(got, (std::vector<uid_t>{102, 103, 100, 101}));
  EXPECT_FALSE(uids.take(now).has_value());
  uids.give_back(103, now);
  EXPECT_FALSE(uids.take(now + std::chrono::seconds(59)).has_value());
  EXPECT_EQ(uids.take(now + std::chrono::seconds(60)), 103u);
}

}  // namespace
}  // namespace wolke::sandbox
