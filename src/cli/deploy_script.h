#pragma once
// The same as a deploy, as commands for a POSIX shell: what `deploy --show` prints. Pasted it may
// run on a fresh server or again; it makes what deploy() makes.

#include <string>
#include <vector>

#include "wolke/cli/deploy_plan.h"

namespace wolke::cli {

/// `aws` is how the aws CLI is called: "wolke aws --data-dir /srv/wolke". One command a line.
std::vector<std::string> deploy_script(const DeployPlan& plan, const std::string& aws);

}  // namespace wolke::cli
