#pragma once
// The verbs that talk to a running server, and the small local ones. Each returns the process's
// exit code.

#include "wolke/cli/options.h"

namespace wolke::cli {

int deploy_verb(const ClientOptions& client, const DeployOptions& options);
int rm_verb(const ClientOptions& client, const std::string& function);
int invoke_verb(const ClientOptions& client, const InvokeOptions& options);
int logs_verb(const ClientOptions& client, const LogsOptions& options);
int ps_verb(const ClientOptions& client);
int events_verb(const ClientOptions& client, const EventsOptions& options);
int events_cancel_verb(const ClientOptions& client, const EventsOptions& options);
/// Those ids, or all failed ones of the function.
int events_replay_verb(const ClientOptions& client, const EventsOptions& options);
int env_verb(const ClientOptions& client);
/// Runs the user's `aws` with our endpoint and credentials and an empty configuration.
int aws_verb(const ClientOptions& client, const std::vector<std::string>& arguments);
int backup_verb(const std::string& data_dir, const std::string& to, bool json);
int doctor_verb(const std::string& data_dir, bool json);
int version_verb(bool operations, bool json);

struct CompletionVerb {
  std::string name, help;
  std::vector<std::string> options;
};
/// `json`: the verbs and their options instead of a script.
int completion_verb(const std::string& shell, const std::vector<CompletionVerb>& verbs, bool json);

}  // namespace wolke::cli
