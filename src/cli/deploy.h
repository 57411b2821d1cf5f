#pragma once
// deploy and rm: a function, its least role, its permission and its notification, through the
// public API and idempotent. What is to be done is a plan (deploy_plan.h); deploy_script.h prints
// the same as aws commands.

#include <chrono>
#include <functional>
#include <string>

#include "wolke/base/result.h"
#include "wolke/cli/client.h"
#include "wolke/cli/deploy_plan.h"

namespace wolke::cli {

/// `tell` gets one line for each step done ("function thumbnails  created").
Result<void> deploy(Client& client, const DeployPlan& plan,
                    const std::function<void(const std::string&)>& tell);

/// Undoes a deploy: notifications that call the function, the function, its role; data stays.
Result<void> remove_function(Client& client, const std::string& name,
                             const std::function<void(const std::string&)>& tell);

/// Waits until the function is Active (updates: Successful), at most `patience`.
Result<void> wait_until_active(Client& client, const std::string& name,
                               std::chrono::seconds patience);

}  // namespace wolke::cli
