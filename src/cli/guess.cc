#include "wolke/cli/guess.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "wolke/runtime/table.h"

namespace wolke::cli {

namespace {

const ZipEntry* find_file(const std::vector<ZipEntry>& files, std::string_view name) {
  for (const ZipEntry& file : files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

std::string stem(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

/// The name of the handler function in a source, by the names that tutorials use.
std::string python_handler(const ZipEntry& file) {
  for (std::string_view name : {"lambda_handler", "handler", "main"}) {
    if (file.bytes.find(fmt::format("def {}(", name)) != std::string::npos)
      return stem(file.name) + "." + std::string(name);
  }
  return "";
}

std::string node_handler(const ZipEntry& file) {
  for (std::string_view name : {"handler", "main"}) {
    for (const std::string& form :
         {fmt::format("exports.{} ", name), fmt::format("exports.{}=", name),
          fmt::format("export const {} ", name), fmt::format("function {}(", name),
          fmt::format("export {{ {}", name)}) {
      if (file.bytes.find(form) != std::string::npos)
        return stem(file.name) + "." + std::string(name);
    }
  }
  return "";
}

/// The files that may hold the handler: the usual names first, then any source at the top.
std::vector<const ZipEntry*> candidates(const std::vector<ZipEntry>& files) {
  std::vector<const ZipEntry*> out;
  for (std::string_view name : {"index.mjs", "index.js", "index.cjs", "lambda_function.py",
                                "app.py", "handler.py", "main.py", "app.mjs", "app.js"}) {
    if (const ZipEntry* file = find_file(files, name)) out.push_back(file);
  }
  for (const ZipEntry& file : files) {
    if (file.name.find('/') == std::string::npos) out.push_back(&file);
  }
  return out;
}

/// The file of a handler that was named; it must be among the code ("src/app.handler"; Python also
/// takes "src.app.handler").
Result<std::string> file_of_handler(const std::vector<ZipEntry>& files, const std::string& runtime,
                                    const std::string& handler) {
  if (runtime.starts_with("provided")) return "";
  const std::size_t dot = handler.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == handler.size()) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = fmt::format("--handler is FILE.FUNCTION, not {}", handler)});
  }
  const bool python = runtime.starts_with("python");
  std::string module = handler.substr(0, dot);
  std::vector<std::string> names;
  if (python) {
    std::replace(module.begin(), module.end(), '.', '/');
    names = {module + ".py", module + "/__init__.py"};
  } else {
    names = {module + ".mjs", module + ".cjs", module + ".js"};
  }
  for (const std::string& name : names) {
    if (find_file(files, name)) return name;
  }
  return fail({.code = "Usage",
               .status = 400,
               .message = fmt::format("--handler {} is in no file of the code: there is no {}",
                                      handler, names.front())});
}

}  // namespace

Result<CodeKind> guess_kind(const std::vector<ZipEntry>& files, const DeployOptions& options) {
  CodeKind kind{.runtime = options.runtime, .handler = options.handler, .file = {}};
  if (!kind.runtime.empty() && !runtime::is_served(kind.runtime)) {
    return fail({.code = "UnknownRuntime",
                 .status = 400,
                 .message = fmt::format("{} is not served; nodejs*, python3.* and provided.* are",
                                        kind.runtime)});
  }
  if (find_file(files, "bootstrap") && kind.runtime.empty()) kind.runtime = "provided.al2023";
  if (kind.runtime.starts_with("provided") && kind.handler.empty()) kind.handler = "bootstrap";
  for (const ZipEntry* file : candidates(files)) {
    const bool python = file->name.ends_with(".py");
    const bool node =
        file->name.ends_with(".mjs") || file->name.ends_with(".cjs") || file->name.ends_with(".js");
    if (!python && !node) continue;
    if (!kind.runtime.empty() && !kind.runtime.starts_with(python ? "python" : "nodejs")) continue;
    std::string handler = python ? python_handler(*file) : node_handler(*file);
    if (handler.empty()) continue;
    if (kind.handler.empty()) {
      kind.handler = handler;
      kind.file = file->name;
    }
    if (kind.runtime.empty()) kind.runtime = python ? "python3.11" : "nodejs22.x";
    break;
  }
  if (kind.runtime.empty() || kind.handler.empty()) {
    return fail(
        {.code = "UnknownCode",
         .status = 400,
         .message =
             "no handler found: give a .mjs, .js or .py file that exports `handler` (Python: "
             "`lambda_handler`), a directory with one, or say --runtime and --handler"});
  }
  if (!options.handler.empty()) {
    TRY(kind.file, file_of_handler(files, kind.runtime, kind.handler));
  }
  return kind;
}

std::string guess_name(const std::string& path) {
  std::filesystem::path p(path);
  if (p.filename().empty() || p.filename() == ".")
    p = std::filesystem::absolute(p).lexically_normal().parent_path();
  std::string name = p.has_extension() && !std::filesystem::is_directory(p) ? p.stem().string()
                                                                            : p.filename().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '-';
  }
  return name.empty() ? "function" : name.substr(0, 64);
}

}  // namespace wolke::cli
