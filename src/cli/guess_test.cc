#include "wolke/cli/guess.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

using Files = std::vector<ZipEntry>;

CodeKind guess(const Files& files, const DeployOptions& options = {}) {
  return guess_kind(files, options).value();
}

TEST(Guess, PythonByTheNamesThatTutorialsUse) {
  CodeKind kind = guess({{.name = "lambda_function.py", .bytes = "def lambda_handler(e, c):\n"}});
  EXPECT_EQ(kind.handler, "lambda_function.lambda_handler");
  EXPECT_EQ(kind.file, "lambda_function.py");
  EXPECT_TRUE(kind.runtime.starts_with("python3."));
}

TEST(Guess, NodeByItsExports) {
  for (const char* text :
       {"exports.handler = async () => 1", "export const handler = async () => 1",
        "export async function handler(event) {}", "export { handler }"}) {
    const CodeKind kind = guess({{.name = "index.mjs", .bytes = text}});
    EXPECT_EQ(kind.handler, "index.handler") << text;
    EXPECT_TRUE(kind.runtime.starts_with("nodejs")) << text;
  }
}

TEST(Guess, ABootstrapIsACustomRuntime) {
  const CodeKind kind = guess({{.name = "bootstrap", .bytes = "#!", .executable = true}});
  EXPECT_EQ(kind.runtime, "provided.al2023");
}

TEST(Guess, UsualNamesComeBeforeOthers) {
  const std::string code = "def handler(event, context):\n";
  EXPECT_EQ(guess({{.name = "aaa.py", .bytes = code}, {.name = "app.py", .bytes = code}}).handler,
            "app.handler");
}

TEST(Guess, CodeWithoutAHandlerIsAnErrorThatSaysWhatToGive) {
  const Error error = guess_kind({{.name = "a.txt", .bytes = ""}}, {}).error();
  EXPECT_EQ(error.code, "UnknownCode");
  EXPECT_NE(error.message.find("--handler"), std::string::npos);
}

TEST(Guess, AHandlerThatIsNamedMustHaveItsFile) {
  const Files files = {{.name = "src/app.py", .bytes = ""},
                       {.name = "pkg/__init__.py", .bytes = ""}};
  DeployOptions options;
  options.runtime = "python3.12";
  for (const char* good : {"src/app.main", "src.app.main", "pkg.main"}) {
    options.handler = good;
    EXPECT_EQ(guess(files, options).handler, good);
    EXPECT_FALSE(guess(files, options).file.empty());
  }
  for (const char* bad : {"app.main", "src/app", "main", ".main", "app."}) {
    options.handler = bad;
    EXPECT_EQ(guess_kind(files, options).error().code, "Usage") << bad;
  }
}

TEST(GuessName, IsThePathsLastPartMadeFit) {
  EXPECT_EQ(guess_name("/x/resize.mjs"), "resize");
  EXPECT_EQ(guess_name("/nowhere/my thing!"), "my-thing-");
  EXPECT_EQ(guess_name("/nowhere/thumbnail-node/"), "thumbnail-node");
  EXPECT_EQ(guess_name("/x/" + std::string(80, 'a') + ".py").size(), 64U);
}

}  // namespace
}  // namespace wolke::cli
