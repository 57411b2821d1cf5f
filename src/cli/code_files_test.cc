#include "wolke/cli/code_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace wolke::cli {
namespace {

namespace fs = std::filesystem;

class CodeFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = (fs::temp_directory_path() / "wolke-code-XXXXXX").string();
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text = "x") const {
    fs::create_directories(fs::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name) << text;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const ZipEntry& file : collect_files(root_).value().files) out.push_back(file.name);
    return out;
  }

  std::string root_;
};

using Names = std::vector<std::string>;

TEST_F(CodeFilesTest, FilesAreSortedAndHiddenOnesAndCachesLeftOut) {
  for (const char* name :
       {"b/c.js", "a.js", ".git/config", ".env", "b/.hidden", "__pycache__/x", "b/__pycache__/y"}) {
    write(name);
  }
  EXPECT_EQ(names(), (Names{"a.js", "b/c.js"}));
}

TEST_F(CodeFilesTest, LinksAreFollowed) {
  write("data/a.txt", "held");
  fs::create_symlink("data/a.txt", root_ + "/file");
  fs::create_directory_symlink("data", root_ + "/folder");
  const Code code = collect_files(root_).value();
  ASSERT_EQ(names(), (Names{"data/a.txt", "file", "folder/a.txt"}));
  EXPECT_EQ(code.files[1].bytes, "held");
}

TEST_F(CodeFilesTest, ALinkToADirectoryThatHoldsItIsRefused) {
  write("a/b/c");
  fs::create_directory_symlink("../..", root_ + "/a/b/loop");
  const Error error = collect_files(root_).error();
  EXPECT_EQ(error.code, "Usage");
  EXPECT_NE(error.message.find("a/b/loop is a link to a directory that holds it"),
            std::string::npos);
}

TEST_F(CodeFilesTest, ALinkToNothingIsNamed) {
  write("a");
  fs::create_symlink("nowhere", root_ + "/lost");
  EXPECT_NE(collect_files(root_).error().message.find("lost is a link to nothing"),
            std::string::npos);
}

TEST_F(CodeFilesTest, AFileThatMayBeRunStaysSo) {
  write("bootstrap");
  ASSERT_EQ(::chmod((root_ + "/bootstrap").c_str(), 0755), 0);
  write("data");
  const Code code = collect_files(root_).value();
  EXPECT_TRUE(code.files[0].executable);
  EXPECT_FALSE(code.files[1].executable);
}

TEST_F(CodeFilesTest, APipeIsLeftOutAndNamed) {
  write("a");
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  const Code code = collect_files(root_).value();
  EXPECT_EQ(code.left_out, Names{root_ + "/pipe"});
  EXPECT_EQ(code.files.size(), 1U);
}

TEST_F(CodeFilesTest, SizesAreAddedUpBeforeAnythingIsRead) {
  write("a");
  write("b");
  fs::resize_file(root_ + "/a", 200ULL << 20);
  fs::resize_file(root_ + "/b", 60ULL << 20);
  EXPECT_EQ(collect_files(root_).error().code, "CodeTooLarge");
}

TEST_F(CodeFilesTest, OneFileIsItself) {
  write("deep/hello.py", "text");
  const Code code = collect_files(root_ + "/deep/hello.py").value();
  ASSERT_EQ(code.files.size(), 1U);
  EXPECT_EQ(code.files[0].name, "hello.py");
  EXPECT_EQ(code.files[0].bytes, "text");
}

TEST_F(CodeFilesTest, NothingThereIsToldFromNothingInIt) {
  EXPECT_EQ(collect_files(root_ + "/no").error().message,
            "there is no file or directory " + root_ + "/no");
  EXPECT_NE(collect_files(root_).error().message.find("there is no code in " + root_),
            std::string::npos);
}

TEST_F(CodeFilesTest, AZipIsNotZippedAgain) {
  write("f.zip", "PK\x03\x04");
  EXPECT_EQ(collect_files(root_ + "/f.zip").error().code, "Usage");
}

}  // namespace
}  // namespace wolke::cli
