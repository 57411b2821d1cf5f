#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "wolke/app/catalogue.h"
#include "wolke/base/env.h"
#include "wolke/cli/output.h"
#include "wolke/cli/verbs.h"
#include "wolke/sandbox/level.h"
#include "wolke/store/engines.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;
using shape::Json;

constexpr std::string_view version_text = "0.1.0";

std::string_view mark_text(sandbox::Finding::Mark mark) {
  switch (mark) {
    case sandbox::Finding::Mark::ok:
      return "ok";
    case sandbox::Finding::Mark::warn:
      return "warn";
    case sandbox::Finding::Mark::fail:
      return "FAIL";
  }
  return "";
}

void print_bash(const std::vector<CompletionVerb>& verbs) {
  std::string names, cases;
  for (const CompletionVerb& verb : verbs) {
    names += verb.name + " ";
    std::string options;
    for (const std::string& option : verb.options) options += option + " ";
    cases += fmt::format("    {}) COMPREPLY=($(compgen -f -W \"{}\" -- \"$word\")) ;;\n", verb.name,
                         options);
  }
  print(
      fmt::format("_wolke() {{\n  local word=${{COMP_WORDS[COMP_CWORD]}}\n  if [ \"$COMP_CWORD\" "
                  "-eq 1 ]; then\n"
                  "    COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))\n    return\n  fi\n"
                  "  case ${{COMP_WORDS[1]}} in\n{}  esac\n}}\ncomplete -F _wolke wolke",
                  names, cases));
}

void print_zsh(const std::vector<CompletionVerb>& verbs) {
  print("#compdef wolke\nlocal -a verbs=(");
  for (const CompletionVerb& verb : verbs) print(fmt::format("  '{}:{}'", verb.name, verb.help));
  print(")\nif (( CURRENT == 2 )); then _describe verb verbs; return; fi\ncase $words[2] in");
  for (const CompletionVerb& verb : verbs) {
    std::string options;
    for (const std::string& option : verb.options) options += option + " ";
    print(fmt::format("  {}) compadd -- {}; _files ;;", verb.name, options));
  }
  print("esac");
}

void print_fish(const std::vector<CompletionVerb>& verbs) {
  for (const CompletionVerb& verb : verbs) {
    print(fmt::format("complete -c wolke -n __fish_use_subcommand -a {} -d '{}'", verb.name,
                      verb.help));
    for (const std::string& option : verb.options) {
      print(fmt::format("complete -c wolke -n '__fish_seen_subcommand_from {}' -l {}", verb.name,
                        option.substr(2)));
    }
  }
}

Result<void> give_to(const std::string& path, uid_t uid) {
  std::vector<std::string> paths = {path};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
    paths.push_back(entry.path());
  for (const std::string& one : paths) {
    if (::lchown(one.c_str(), uid, uid) != 0) {
      return fail(
          {.code = "DiskError", .status = 500, .message = "cannot change the owner of " + one});
    }
  }
  return {};
}

/// Copies a data directory while we hold its lock, so that no server writes meanwhile.
Result<std::uint64_t> copy_data(const std::string& from, const std::string& to) {
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return fail(
        {.code = "NotFound", .status = 404, .message = "there is no data directory " + from});
  }
  if (fs::exists(to, error))
    return fail({.code = "Usage", .status = 400, .message = to + " exists already"});
  TRY(std::unique_ptr<store::Store> store,
      store::open_sqlite_store(system_env(),
                               {.directory = from + "/store",
                                .lock_note = fmt::format("pid {}, a backup", ::getpid())}));
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error) {
    fs::remove_all(to);
    return fail({.code = "DiskError",
                 .status = 500,
                 .message = fmt::format("cannot copy to {}: {}", to, error.message())});
  }
  std::uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(to)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  // The copy belongs to whom the data belonged: the server's own uid when root started it.
  struct stat owner{};
  if (::stat(from.c_str(), &owner) == 0 && ::geteuid() == 0) {
    TRY(give_to(to, owner.st_uid));
  }
  ::sync();
  return bytes;
}

}  // namespace

int doctor_verb(bool json) {
  const sandbox::HostFacts facts = sandbox::gather_facts();
  bool failed = false;
  Json::Array list;
  for (const sandbox::Finding& finding : sandbox::findings(facts)) {
    failed |= finding.mark == sandbox::Finding::Mark::fail;
    Json entry;
    entry.set("Name", finding.name);
    entry.set("Result", std::string(mark_text(finding.mark)));
    entry.set("Text", finding.sentence);
    list.push_back(std::move(entry));
    if (!json)
      print(
          fmt::format("{:<5} {:<18} {}", mark_text(finding.mark), finding.name, finding.sentence));
  }
  if (json) print_json(Json(std::move(list)));
  return failed ? exit_failure : exit_ok;
}

int version_verb(bool operations, bool json) {
  if (operations) {
    Json::Array list;
    for (const std::string& line : app::served_operations()) {
      if (json) {
        list.push_back(line);
      } else {
        print(line);
      }
    }
    if (json) print_json(Json(std::move(list)));
    return exit_ok;
  }
  print(json ? fmt::format("{{\"Version\":\"{}\"}}", version_text)
             : fmt::format("wolke {}", version_text));
  return exit_ok;
}

int completion_verb(const std::string& shell, const std::vector<CompletionVerb>& verbs) {
  if (shell == "zsh") {
    print_zsh(verbs);
  } else if (shell == "fish") {
    print_fish(verbs);
  } else {
    print_bash(verbs);
  }
  return exit_ok;
}

int backup_verb(const std::string& data_dir, const std::string& to, bool json) {
  const std::string from = data_dir.empty() ? default_data_dir() : data_dir;
  Result<std::uint64_t> bytes = copy_data(from, to);
  if (!bytes) return report(bytes.error());
  print(json ? fmt::format("{{\"Directory\":\"{}\",\"Bytes\":{}}}", to, *bytes)
             : fmt::format("{} → {}  {} bytes; start from it with --data-dir {}", from, to, *bytes,
                           to));
  return exit_ok;
}

}  // namespace wolke::cli
