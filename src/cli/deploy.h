#pragma once
// deploy and rm: a function, its least role, its permission and its notification, through the
// public API and idempotent. A plan is a list of steps; each knows its `aws` command, so that
// --show prints exactly what a deploy does.

#include <functional>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/cli/client.h"
#include "wolke/cli/options.h"

namespace wolke::cli {

struct Grant {
  std::string bucket;
  std::string prefix;
};
/// "s3:BUCKET[/PREFIX]"; "Usage" otherwise.
Result<Grant> parse_grant(const std::string& text);

struct DeployPlan {
  std::string function;
  std::string role;
  std::string runtime;
  std::string handler;
  std::string zip;
  std::string policy;     // of the role, JSON
  std::vector<Grant> on;  // buckets whose new objects call the function
  std::vector<Grant> writes;
  DeployOptions options;
};

/// Reads the code; touches no server.
Result<DeployPlan> plan_deploy(const DeployOptions& options);

/// `tell` gets one line for each step done ("function thumbnails  created").
Result<void> deploy(Client& client, const DeployPlan& plan,
                    const std::function<void(const std::string&)>& tell);

/// The same as aws commands, one for each line.
std::vector<std::string> show_commands(const DeployPlan& plan);

/// Undoes a deploy: notifications that call the function, the function, its role; data stays.
Result<void> remove_function(Client& client, const std::string& name,
                             const std::function<void(const std::string&)>& tell);

/// Waits until the function is Active (updates: Successful), at most `patience`.
Result<void> wait_until_active(Client& client, const std::string& name,
                               std::chrono::seconds patience);

}  // namespace wolke::cli
