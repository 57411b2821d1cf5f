#include "wolke/app/role_rights.h"

#include <gtest/gtest.h>

namespace wolke::app {
namespace {

TEST(SessionNameOfAFunction, IsTheFunctionsOwnUnlessThatIsTooShortForASession) {
  EXPECT_EQ(session_name_of("thumbnails"), "thumbnails");
  EXPECT_EQ(session_name_of("ab"), "ab");
  EXPECT_EQ(session_name_of("a"), "a@lambda_function");
}

}  // namespace
}  // namespace wolke::app
