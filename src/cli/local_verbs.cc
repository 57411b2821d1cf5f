#include <fmt/format.h>

#include "wolke/app/catalogue.h"
#include "wolke/cli/host_checks.h"
#include "wolke/cli/output.h"
#include "wolke/cli/verbs.h"
#include "wolke/sandbox/level.h"

namespace wolke::cli {

namespace {

using shape::Json;

constexpr std::string_view version_text = "0.1.0";

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

}  // namespace

int doctor_verb(const std::string& data_dir, bool json) {
  const std::vector<Check> checks =
      host_checks(sandbox::findings(sandbox::gather_facts()),
                  gather_host_settings(data_dir.empty() ? default_data_dir() : data_dir));
  bool failed = false;
  Json::Array list;
  for (const Check& check : checks) {
    failed |= check.mark == Check::Mark::fail;
    if (!json) {
      print(fmt::format("{:<5} {:<26} {}", mark_name(check.mark), check.name, check.sentence));
      if (!check.remedy.empty()) print(fmt::format("{:<32} remedy: {}", "", check.remedy));
      continue;
    }
    Json entry;
    entry.set("Name", check.name);
    entry.set("Result", std::string(mark_name(check.mark)));
    entry.set("Text", check.sentence);
    entry.set("Remedy", check.remedy);
    list.push_back(std::move(entry));
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

int completion_verb(const std::string& shell, const std::vector<CompletionVerb>& verbs, bool json) {
  if (json) {
    Json::Array list;
    for (const CompletionVerb& verb : verbs) {
      Json entry;
      entry.set("Name", verb.name);
      entry.set("Help", verb.help);
      entry.set("Options", Json::Array(verb.options.begin(), verb.options.end()));
      list.push_back(std::move(entry));
    }
    print_json(Json(std::move(list)));
  } else if (shell == "zsh") {
    print_zsh(verbs);
  } else if (shell == "fish") {
    print_fish(verbs);
  } else {
    print_bash(verbs);
  }
  return exit_ok;
}

}  // namespace wolke::cli
