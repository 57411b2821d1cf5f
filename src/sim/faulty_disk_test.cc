#include "wolke/sim/faulty_disk.h"

#include <gtest/gtest.h>

namespace wolke::sim {
namespace {

std::string read_all(Disk& disk, const std::string& path) {
  auto file = disk.open(path, OpenMode::read);
  if (!file) return file.error().code;
  std::string out(*(*file)->size(), '\0');
  EXPECT_EQ((*file)->read_at(0, out), out.size());
  return out;
}

std::unique_ptr<File> make(Disk& disk, const std::string& path, std::string_view content) {
  auto file = disk.open(path, OpenMode::create_or_open);
  EXPECT_TRUE(file);
  EXPECT_TRUE((*file)->write_at(0, content));
  return *std::move(file);
}

TEST(FaultyDisk, WhatWasSyncedWithItsNameSurvivesEveryPowerCut) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    FaultyDisk disk(seed);
    ASSERT_TRUE(disk.make_directory("/d"));
    ASSERT_TRUE(disk.sync_directory("/"));
    auto file = make(disk, "/d/f", "kept");
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_directory("/d"));
    ASSERT_TRUE(file->write_at(4, "more"));
    disk.power_cut();
    EXPECT_TRUE(read_all(disk, "/d/f").starts_with("kept")) << seed;
    EXPECT_FALSE(file->sync()) << "a file that was open is dead";
  }
}

TEST(FaultyDisk, WhatWasNotSyncedIsSometimesLostAndSometimesNot) {
  int lost_name = 0, lost_content = 0, torn = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    FaultyDisk disk(seed);
    const std::string content(2048, 'x');
    make(disk, "/f", content);
    disk.power_cut();
    const std::string after = read_all(disk, "/f");
    if (after == "NotFound") {
      ++lost_name;
    } else if (after.empty()) {
      ++lost_content;
    } else if (after != content) {
      ++torn;
    } else {
      ++all;
    }
  }
  EXPECT_GT(lost_name, 20);
  EXPECT_GT(lost_content, 20);
  EXPECT_GT(torn, 20);
  EXPECT_GT(all, 20);
}

TEST(FaultyDisk, AFailedSyncLosesWhatALaterSyncDoesNotBringBack) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FaultyDisk disk(seed);
    auto file = make(disk, "/f", "");
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(file->write_at(0, "x"));
    disk.fail_call(1, Fault::io_error, Call::sync);
    EXPECT_FALSE(file->sync());
    disk.power_cut();
    lost += read_all(disk, "/f").empty();
  }
  EXPECT_GT(lost, 20);
}

TEST(FaultyDisk, TheNthCallFails) {
  FaultyDisk disk(1);
  auto file = make(disk, "/f", "");
  disk.fail_call(2, Fault::disk_full, Call::write);
  EXPECT_TRUE(file->write_at(0, "a"));
  EXPECT_EQ(file->write_at(0, "b").error().code, "DiskFull");
  EXPECT_TRUE(file->write_at(0, "c"));
  disk.fail_call(1, Fault::power_off);
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(disk.is_off());
  EXPECT_FALSE(disk.exists("/f"));
  disk.power_cut();
  EXPECT_TRUE(disk.exists("/"));
}

TEST(FaultyDisk, CapacityIsRespected) {
  FaultyDisk disk(1);
  disk.set_capacity(10);
  auto file = make(disk, "/f", "12345678");
  EXPECT_EQ(file->write_at(8, "9012").error().code, "DiskFull");
  EXPECT_TRUE(file->write_at(8, "90"));
  EXPECT_EQ(disk.free_bytes("/").value(), 0U);
}

TEST(FaultyDisk, TheSameSeedGivesTheSameAftermath) {
  const auto run = [] {
    FaultyDisk disk(42);
    for (int i = 0; i < 20; ++i) make(disk, "/" + std::to_string(i), std::string(1500, 'a'));
    disk.power_cut();
    std::string all;
    for (const std::string& name : *disk.list("/")) all += name + read_all(disk, "/" + name);
    return all;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace wolke::sim
