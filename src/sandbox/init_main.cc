// The executable that is pid 1 of a sandbox, linked statically and carried in the server's as bytes
// (init_image.h). It is executed right after the clone, before anything of a request is known.
#include <sys/prctl.h>

#include "wolke/sandbox/init_image.h"
#include "wolke/sandbox/shell.h"

int main() {
  (void)::prctl(PR_SET_NAME, "wolke-init");
  wolke::sandbox::run_shell(wolke::sandbox::init_socket);
}
