#include "wolke/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "wolke/cli/nearest.h"
#include "wolke/cli/options.h"
#include "wolke/cli/output.h"
#include "wolke/cli/serve.h"
#include "wolke/cli/story.h"
#include "wolke/cli/verbs.h"

namespace wolke::cli {

namespace {

/// Every option that any verb has; each verb binds its own.
struct Parsed {
  ClientOptions client;
  ServeOptions serve;
  DeployOptions deploy;
  InvokeOptions invoke;
  RunOptions run;
  LogsOptions logs;
  EventsOptions events;
  std::string name;
  std::string photo;
  std::string shell = "bash";
  std::string backup_to;
  bool operations = false;
  int exit_code = exit_ok;
};

void add_client_options(CLI::App& verb, Parsed& parsed) {
  verb.add_option("--endpoint", parsed.client.endpoint,
                  "the server's address (WOLKE_ENDPOINT), http://127.0.0.1:4566");
  verb.add_option("--data-dir", parsed.client.data_dir,
                  "where the server keeps its data: its address and root key are read from there");
  verb.add_option("--region", parsed.client.region, "region of the request")->capture_default_str();
  verb.add_flag("--json", parsed.client.json, "print JSON");
}

void add_serve(CLI::App& app, Parsed& parsed, const std::string& name, const std::string& help,
               bool dev) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("--data-dir", parsed.serve.data_dir,
                   "directory of the embedded store (default: " + default_data_dir() + ")");
  verb->add_option("--listen", parsed.serve.listen, "HOST:PORT; port 0 picks one")
      ->capture_default_str();
  verb->add_option(
      "--isolation", parsed.serve.isolation,
      "full, rootless, limited (dev only) or, only by name, process; default: the strongest this "
      "host can");
  verb->add_option("--region", parsed.serve.region, "region for requests that name none")
      ->capture_default_str();
  verb->add_option("--runtimes", parsed.serve.runtimes, "directory of the function runtimes");
  verb->add_option("--new-buckets", parsed.serve.new_buckets,
                   "how S3 buckets are made: closed, as in AWS today, or classic, as before 2023: "
                   "with access control lists and public access not blocked; default: " +
                       std::string(dev ? "classic" : "closed"))
      ->check(CLI::IsMember({"closed", "classic"}));
  verb->add_flag("--private-issuers", parsed.serve.private_issuers,
                 "issuers of web identities may be in private networks and on this machine");
  verb->add_flag("--json", parsed.serve.json, "print the ready line as JSON");
  verb->callback([&parsed, dev] {
    parsed.serve.dev = dev;
    parsed.exit_code = serve_verb(parsed.serve);
  });
}

void add_code_options(CLI::App& verb, DeployOptions& deploy) {
  verb.add_option("--runtime", deploy.runtime,
                  "nodejs22.x, python3.12, provided.al2023, …; default: by the files");
  verb.add_option("--handler", deploy.handler, "FILE.FUNCTION; default: by the files");
  verb.add_option("--env", deploy.env, "an environment variable; may be given several times")
      ->option_text("NAME=VALUE")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos ? "'" + text + "' is not NAME=VALUE"
                                                   : std::string();
      });
  verb.add_option("--memory", deploy.memory_mb,
                  "megabytes; default: " + std::to_string(default_memory_mb))
      ->check(CLI::Range(128, 10240));
  verb.add_option("--timeout", deploy.timeout_s,
                  "seconds; default: " + std::to_string(default_timeout_s))
      ->check(CLI::Range(1, 900));
}

void add_functions(CLI::App& app, Parsed& parsed) {
  CLI::App* run = app.add_subcommand(
      "run",
      "run a file once in a sandbox and print result, log and REPORT; nothing is deployed. Its AWS "
      "calls go to the server that runs, if one does");
  run->add_option("file", parsed.run.file, "a .mjs, .js or .py file, or a directory")->required();
  run->add_option("event", parsed.run.event, "the event: JSON, @FILE or -")->capture_default_str();
  run->add_option("--isolation", parsed.run.isolation, "full, rootless, limited or process");
  run->add_option("--runtimes", parsed.serve.runtimes, "directory of the function runtimes");
  add_client_options(*run, parsed);
  add_code_options(*run, parsed.run.as);
  run->callback([&parsed] {
    parsed.run.runtimes = parsed.serve.runtimes;
    parsed.exit_code = run_verb(parsed.client, parsed.run);
  });

  CLI::App* deploy = app.add_subcommand(
      "deploy",
      "create or update a function, its role, permission and notification; an update "
      "leaves what is not named as it is");
  deploy->add_option("path", parsed.deploy.path, "file or directory")->required();
  deploy->add_option("--name", parsed.deploy.name, "the function's name; default: the path's");
  deploy->add_option("--on", parsed.deploy.on,
                     "s3:BUCKET[/PREFIX]: new objects call the function, which may read them");
  deploy
      ->add_option("--writes", parsed.deploy.writes,
                   "s3:BUCKET[/PREFIX]: the function may put objects there")
      ->allow_extra_args(false);
  deploy->add_flag("--replace", parsed.deploy.replace,
                   "take over a function that deploy did not make");
  deploy->add_flag("--show", parsed.deploy.show, "print the same as aws commands and do nothing");
  add_code_options(*deploy, parsed.deploy);
  add_client_options(*deploy, parsed);
  deploy->callback([&parsed] { parsed.exit_code = deploy_verb(parsed.client, parsed.deploy); });

  CLI::App* rm =
      app.add_subcommand("rm", "undo a deploy: notification, function, role; data stays");
  rm->add_option("function", parsed.name)->required();
  add_client_options(*rm, parsed);
  rm->callback([&parsed] { parsed.exit_code = rm_verb(parsed.client, parsed.name); });

  CLI::App* invoke =
      app.add_subcommand("invoke", "call a function; prints its answer, and its log on stderr");
  invoke->add_option("function", parsed.invoke.function)->required();
  invoke->add_option("payload", parsed.invoke.payload, "JSON, @FILE or -")->capture_default_str();
  invoke->add_flag("--event", parsed.invoke.event, "asynchronously");
  add_client_options(*invoke, parsed);
  invoke->callback([&parsed] { parsed.exit_code = invoke_verb(parsed.client, parsed.invoke); });
}

void add_event_verbs(CLI::App& events, Parsed& parsed) {
  CLI::App* cancel = events.add_subcommand(
      "cancel", "end pending events; an attempt that is under way is not stopped");
  cancel->add_option("id", parsed.events.ids, "as `wolke events` tells it")->required();
  cancel->add_option("--function,--function-arn", parsed.events.function,
                     "look only at this function's: its name or ARN");
  add_client_options(*cancel, parsed);
  cancel->callback(
      [&parsed] { parsed.exit_code = events_cancel_verb(parsed.client, parsed.events); });

  CLI::App* replay = events.add_subcommand(
      "replay", "send ended events again, each as a new one with the same payload");
  CLI::Option* ids = replay->add_option("id", parsed.events.ids, "as `wolke events` tells it");
  CLI::Option* function = replay->add_option("--function,--function-arn", parsed.events.function,
                                             "look only at this function's: its name or ARN");
  replay
      ->add_flag("--failed", parsed.events.failed,
                 "all of the function's that failed, and were neither cancelled nor replayed")
      ->needs(function)
      ->excludes(ids);
  add_client_options(*replay, parsed);
  replay->callback(
      [&parsed] { parsed.exit_code = events_replay_verb(parsed.client, parsed.events); });
}

void add_inspection(CLI::App& app, Parsed& parsed) {
  CLI::App* logs = app.add_subcommand("logs", "print a function's log (or a log group's)");
  logs->add_option("function", parsed.logs.function, "function or /log/group")->required();
  logs->add_flag("-f,--follow", parsed.logs.follow, "go on as lines come");
  logs->add_option("--since", parsed.logs.since,
                   "how far back: 30s, 10m, 2h, 1d; default: all, with -f 10m")
      ->option_text("TIME");
  logs->add_option("--filter", parsed.logs.filter, "CloudWatch filter pattern");
  add_client_options(*logs, parsed);
  logs->callback([&parsed] { parsed.exit_code = logs_verb(parsed.client, parsed.logs); });

  CLI::App* ps = app.add_subcommand("ps", "running and idle function instances");
  add_client_options(*ps, parsed);
  ps->callback([&parsed] { parsed.exit_code = ps_verb(parsed.client); });

  CLI::App* events = app.add_subcommand(
      "events", "asynchronous events: pending, and how each of the last 14 days ended");
  events->add_option("--function,--function-arn", parsed.events.function,
                     "only of this function: its name or ARN");
  events->add_flag("--failed", parsed.events.failed, "only those that did not succeed");
  add_client_options(*events, parsed);
  events->callback([&parsed, events] {
    if (events->get_subcommands().empty()) {
      parsed.exit_code = events_verb(parsed.client, parsed.events);
    }
  });
  add_event_verbs(*events, parsed);
}

void add_surroundings(CLI::App& app, Parsed& parsed) {
  CLI::App* demo = app.add_subcommand("demo", "the thumbnail story, on a server of its own");
  demo->add_option("photo", parsed.photo, "a JPEG, PNG or WebP")->required();
  demo->add_option("--data-dir", parsed.serve.data_dir,
                   "keep the data here (default: a folder beside the photograph's thumbnails)");
  demo->add_option("--listen", parsed.serve.listen, "HOST:PORT")->capture_default_str();
  demo->add_option("--runtimes", parsed.serve.runtimes, "directory of the function runtimes");
  demo->add_option("--function", parsed.name,
                   "the function's directory (default: the Node example)");
  demo->add_flag("--json", parsed.serve.json, "print the outcome as JSON");
  demo->callback(
      [&parsed] { parsed.exit_code = demo_verb(parsed.serve, parsed.photo, parsed.name); });

  CLI::App* aws = app.add_subcommand(
      "aws",
      "run the aws CLI against this server; your own AWS configuration is not read (for JSON: "
      "--output json)");
  aws->prefix_command();
  aws->add_option("--endpoint", parsed.client.endpoint, "the server's address (WOLKE_ENDPOINT)");
  aws->add_option("--data-dir", parsed.client.data_dir, "where the server keeps its data");
  aws->callback([&parsed, aws] { parsed.exit_code = aws_verb(parsed.client, aws->remaining()); });

  CLI::App* env = app.add_subcommand("env", "print exports for SDKs: eval \"$(wolke env)\"");
  add_client_options(*env, parsed);
  env->callback([&parsed] { parsed.exit_code = env_verb(parsed.client); });

  CLI::App* doctor =
      app.add_subcommand("doctor", "what this host can isolate, and what is missing");
  doctor->add_flag("--json", parsed.client.json, "print JSON");
  doctor->add_option("--data-dir", parsed.client.data_dir, "where a server would keep its data");
  doctor->callback(
      [&parsed] { parsed.exit_code = doctor_verb(parsed.client.data_dir, parsed.client.json); });

  CLI::App* backup =
      app.add_subcommand("backup", "copy a data directory, consistent; its server must be stopped");
  backup->add_option("to", parsed.backup_to, "a new directory")->required();
  backup->add_option("--data-dir", parsed.client.data_dir);
  backup->add_flag("--json", parsed.client.json, "print JSON");
  backup->callback([&parsed] {
    parsed.exit_code = backup_verb(parsed.client.data_dir, parsed.backup_to, parsed.client.json);
  });

  CLI::App* version = app.add_subcommand("version", "print the version");
  version->add_flag("--operations", parsed.operations,
                    "every operation that is served, one a line");
  version->add_flag("--json", parsed.client.json, "print JSON");
  version->callback(
      [&parsed] { parsed.exit_code = version_verb(parsed.operations, parsed.client.json); });

  CLI::App* completion = app.add_subcommand("completion", "print a completion script");
  completion->add_option("shell", parsed.shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->capture_default_str();
  completion->add_flag("--json", parsed.client.json, "print the verbs and their options as JSON");
  completion->callback([&parsed, &app] {
    std::vector<CompletionVerb> verbs;
    for (const CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) {
      CompletionVerb entry{.name = verb->get_name(), .help = verb->get_description()};
      for (const CLI::Option* option : verb->get_options()) {
        if (!option->get_lnames().empty())
          entry.options.push_back("--" + option->get_lnames().front());
      }
      verbs.push_back(std::move(entry));
    }
    parsed.exit_code = completion_verb(parsed.shell, verbs, parsed.client.json);
  });
}

/// The parser says only that a verb is required when the one given is unknown.
std::string what_was_wrong(const CLI::App& app, const std::string& first,
                           const CLI::ParseError& error) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
  }
  const bool known = std::find(verbs.begin(), verbs.end(), first) != verbs.end();
  if (first.empty() || first[0] == '-' || known) return error.what();
  const std::string meant = nearest(first, verbs);
  return "there is no verb " + first + (meant.empty() ? "" : "; did you mean " + meant + "?");
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("wolke: the open Lambda that you can run for real");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  auto parsed = std::make_unique<Parsed>();
  add_serve(app, *parsed, "serve", "run a server; identity is enforced", false);
  add_serve(app, *parsed, "dev",
            "run a server for development: any access key is accepted (test/test)", true);
  add_functions(app, *parsed);
  add_inspection(app, *parsed);
  add_surroundings(app, *parsed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    tell("wolke: " + what_was_wrong(app, argc > 1 ? argv[1] : "", error) +
         " (wolke --help lists the verbs, wolke VERB --help their options)");
    return exit_usage;
  }
  return parsed->exit_code;
}

}  // namespace wolke::cli
