#include "wolke/invoke/invoker.h"

#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using async::Task;

TEST_F(PoolTest, NodeFunctionAnswersWithItsEvent) {
  auto result = call(node("exports.handler = async (event) => ({got: event.k})"), R"({"k":"ü"})");
  EXPECT_EQ(result.payload, R"({"got":"ü"})");
  EXPECT_EQ(result.error, FunctionError::none);
  EXPECT_GT(result.init_duration.count(), 0);
}

TEST_F(PoolTest, PythonFunctionAnswersWithItsEvent) {
  auto result =
      call(python("def handler(event, context):\n  return {'got': event['k']}"), R"({"k":1})");
  EXPECT_EQ(result.payload, R"({"got": 1})");
  EXPECT_EQ(result.error, FunctionError::none);
}

}  // namespace
}  // namespace wolke::invoke
