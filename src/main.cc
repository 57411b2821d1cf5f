// wolke: flags → config → app → run. Everything is in cli/ and app/.
#include "wolke/cli/cli.h"

int main(int argc, char** argv) {
  return wolke::cli::run(argc, argv);
}
