#include "wolke/cli/cli.h"

namespace wolke::cli {
int run(int, char**) { return 2; }
}  // namespace wolke::cli
