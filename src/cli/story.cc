#include "wolke/cli/story.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "wolke/base/text.h"
#include "wolke/cli/child_server.h"
#include "wolke/cli/client.h"
#include "wolke/cli/deploy.h"
#include "wolke/cli/output.h"
#include "wolke/cli/photo.h"
#include "wolke/cli/serve.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using shape::Json;

constexpr std::string_view function_name = "thumbnails";
constexpr std::string_view source_bucket = "photos";
constexpr std::string_view target_bucket = "photos-resized";
constexpr auto patience = std::chrono::seconds(60);

struct Thumbnail {
  std::string key;
  std::string etag;
  std::string file;
  std::size_t bytes = 0;
  std::int64_t width = 0, height = 0;
};

struct Outcome {
  std::vector<Thumbnail> thumbnails;
  std::chrono::milliseconds took{0};
  std::string report;
};

/// A directory that goes away with this, unless kept.
struct Scratch {
  std::string path;
  bool keep = true;
  ~Scratch() {
    std::error_code error;
    if (!keep && !path.empty()) fs::remove_all(path, error);
  }
};

std::string stem_of(const std::string& name) {
  return fs::path(name).stem().string();
}

/// The log lines since `since` of the invocation that handled our object.
Result<std::vector<std::string>> log_lines(Client& client, std::int64_t since_ms) {
  Json input;
  input.set("logGroupName", "/aws/lambda/" + std::string(function_name));
  input.set("startTime", since_ms);
  Result<Json> page = client.call_target("logs", "Logs_20140328.FilterLogEvents", input);
  if (!page && page.error().code == "ResourceNotFoundException") return std::vector<std::string>();
  if (!page) return fail(std::move(page).error());
  std::vector<std::string> lines;
  const Json* events = page->find("events");
  for (const Json& event : events && events->array() ? *events->array() : Json::Array{}) {
    lines.push_back(event.string_at("message").value_or(""));
  }
  return lines;
}

std::optional<std::string> find_line(const std::vector<std::string>& lines,
                                     std::string_view prefix) {
  for (const std::string& line : lines) {
    if (line.starts_with(prefix)) return line;
  }
  return std::nullopt;
}

/// What went wrong, in the function's own words.
Error failure_of(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (line.find("ERROR") == std::string::npos) continue;
    std::size_t at = line.find("\"errorMessage\":\"");
    if (at == std::string::npos) continue;
    at += 16;
    return Error{.code = "FunctionError",
                 .status = 500,
                 .message = line.substr(at, line.find("\",\"", at) - at)};
  }
  return Error{.code = "FunctionError",
               .status = 500,
               .message = "the function failed; `wolke logs thumbnails` tells how"};
}

/// The keys below the photograph's stem, from ListObjectsV2.
Result<std::vector<Thumbnail>> list_thumbnails(Client& client, const Photo& photo) {
  TRY(ApiResponse page,
      client.call({.service = "s3",
                   .path = "/" + std::string(target_bucket),
                   .query = {{"list-type", "2"}, {"prefix", stem_of(photo.name) + "-"}}}));
  std::vector<Thumbnail> out;
  for (std::size_t at = 0; (at = page.body.find("<Contents>", at)) != std::string::npos; ++at) {
    std::string_view entry = std::string_view(page.body).substr(at);
    out.push_back({.key = xml_text(entry, "Key"), .etag = xml_text(entry, "ETag")});
  }
  return out;
}

/// Waits until the invocation has reported, then takes what it wrote.
Result<Outcome> wait_for_thumbnails(Client& client, const Photo& photo, Clock::time_point put_at,
                                    std::int64_t since_ms) {
  Outcome outcome;
  std::optional<Clock::time_point> last_seen;
  for (;;) {
    TRY(outcome.thumbnails, list_thumbnails(client, photo));
    if (outcome.thumbnails.size() >= 2 && !last_seen) last_seen = Clock::now();
    TRY(std::vector<std::string> lines, log_lines(client, since_ms));
    if (auto report = find_line(lines, "REPORT")) {
      TRY(outcome.thumbnails, list_thumbnails(client, photo));
      if (outcome.thumbnails.empty()) return fail(failure_of(lines));
      outcome.report = *report;
      outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(
          last_seen.value_or(Clock::now()) - put_at);
      return outcome;
    }
    if (Clock::now() - put_at > patience) {
      return fail({.code = "Timeout",
                   .status = 504,
                   .message = "no thumbnail came within a minute; `wolke events` and `wolke logs "
                              "thumbnails` tell why"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Width and height of a JPEG or PNG, from its header; zeros when it is something else.
std::pair<std::int64_t, std::int64_t> picture_size(std::string_view bytes) {
  auto byte = [&](std::size_t at) {
    return at < bytes.size() ? std::int64_t(static_cast<unsigned char>(bytes[at])) : 0;
  };
  auto two = [&](std::size_t at) { return byte(at) << 8 | byte(at + 1); };
  if (bytes.starts_with("\x89PNG")) return {two(18), two(22)};
  for (std::size_t at = 2; at + 9 < bytes.size() && byte(at) == 0xFF;) {
    const std::int64_t marker = byte(at + 1);
    const bool frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) return {two(at + 7), two(at + 5)};
    at += 2 + static_cast<std::size_t>(two(at + 2));
  }
  return {0, 0};
}

Result<void> save_thumbnails(Client& client, const Photo& photo, Outcome& outcome) {
  for (Thumbnail& thumbnail : outcome.thumbnails) {
    TRY(ApiResponse object,
        client.call(
            {.service = "s3",
             .path = fmt::format("/{}/{}", target_bucket, percent_encode(thumbnail.key, true))}));
    thumbnail.bytes = object.body.size();
    std::tie(thumbnail.width, thumbnail.height) = picture_size(object.body);
    fs::path file = fs::path(photo.path).parent_path() / fs::path(thumbnail.key).filename();
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << object.body;
    out.close();
    if (!out) {  // the photograph's folder is not ours to write
      file = fs::current_path() / fs::path(thumbnail.key).filename();
      std::ofstream(file, std::ios::binary | std::ios::trunc) << object.body;
    }
    thumbnail.file = file.string();
  }
  return {};
}

void show(const Client& client, const ServeOptions& options, const Photo& photo,
          const Outcome& outcome) {
  print("");
  print(fmt::format("{}  {} bytes  →  {} thumbnails, {} ms after the put", photo.name,
                    photo.bytes.size(), outcome.thumbnails.size(), outcome.took.count()));
  for (const Thumbnail& thumbnail : outcome.thumbnails) {
    print(fmt::format("  {}×{}  {} bytes  {}", thumbnail.width, thumbnail.height, thumbnail.bytes,
                      thumbnail.file));
    print(fmt::format("    {}", client.presign(std::string(target_bucket), thumbnail.key,
                                               std::chrono::hours(1))));
  }
  std::string report = outcome.report;
  while (report.ends_with('\n') || report.ends_with('\t')) report.pop_back();
  print(fmt::format("  {}", report));
  print(fmt::format("data: {}   server: {}", options.data_dir, client.endpoint()));
}

void show_json(const Client& client, const ServeOptions& options, const Photo& photo,
               const Outcome& outcome) {
  Json::Array thumbnails;
  for (const Thumbnail& thumbnail : outcome.thumbnails) {
    Json entry;
    entry.set("Key", thumbnail.key);
    entry.set("File", thumbnail.file);
    entry.set("Width", thumbnail.width);
    entry.set("Height", thumbnail.height);
    entry.set("Bytes", static_cast<std::int64_t>(thumbnail.bytes));
    entry.set("Url",
              client.presign(std::string(target_bucket), thumbnail.key, std::chrono::hours(1)));
    thumbnails.push_back(std::move(entry));
  }
  Json out;
  out.set("Photo", photo.name);
  out.set("Thumbnails", std::move(thumbnails));
  out.set("PutToThumbnailMs", static_cast<std::int64_t>(outcome.took.count()));
  out.set("Report", outcome.report);
  out.set("DataDir", options.data_dir);
  out.set("Endpoint", client.endpoint());
  print_json(out);
}

void show_next_steps(const ServeOptions& options) {
  std::error_code error;
  const std::string self = fs::read_symlink("/proc/self/exe", error).string();
  print("");
  print(fmt::format("try next, in another terminal (wolke is {}):", self));
  print(fmt::format("  export WOLKE_DATA_DIR={}", options.data_dir));
  print("  wolke aws s3 cp another.jpg s3://photos/");
  print("  wolke aws s3 ls s3://photos-resized/");
  print("  wolke logs -f thumbnails");
  print("  wolke events");
}

Result<void> tell_story(Client& client, const ServeOptions& options, const Photo& photo,
                        const std::string& code) {
  tell(bold("== the function: two buckets, its code, role, permission and notification"));
  DeployOptions what{.path = code,
                     .name = std::string(function_name),
                     .on = fmt::format("s3:{}", source_bucket),
                     .writes = {fmt::format("s3:{}", target_bucket)},
                     .memory_mb = 1024,
                     .timeout_s = 60};
  TRY(DeployPlan plan, plan_deploy(what));
  TRY(deploy(client, plan, [](const std::string& line) { tell("   " + line); }));
  tell(bold("== the photograph"));
  const std::int64_t since_ms =
      to_millis(std::chrono::floor<Millis>(std::chrono::system_clock::now()));
  const Clock::time_point put_at = Clock::now();
  TRY(client.call({.service = "s3",
                   .method = "PUT",
                   .path = fmt::format("/{}/{}", source_bucket, percent_encode(photo.name, true)),
                   .headers = {{"content-type", photo.content_type}},
                   .body = photo.bytes}));
  tell(fmt::format("   put s3://{}/{} ({} bytes)", source_bucket, photo.name, photo.bytes.size()));
  TRY(Outcome outcome, wait_for_thumbnails(client, photo, put_at, since_ms));
  TRY(save_thumbnails(client, photo, outcome));
  if (options.json) {
    show_json(client, options, photo, outcome);
  } else {
    show(client, options, photo, outcome);
  }
  return {};
}

/// In CI the data goes away again; elsewhere a second run goes on where the first ended.
Scratch choose_data_dir(ServeOptions& options) {
  Scratch scratch;
  const char* ci = std::getenv("CI");
  if (!options.data_dir.empty()) {
    scratch.path = options.data_dir;
  } else if (ci && *ci) {
    scratch = {
        .path = fmt::format("{}/wolke-demo-{}", fs::temp_directory_path().string(), ::getpid()),
        .keep = false};
  } else {
    scratch.path = default_data_dir() + "-demo";
  }
  options.data_dir = scratch.path;
  return scratch;
}

Result<ChildServer> start_server(const ServeOptions& options) {
  std::vector<std::string> arguments = {"serve", "--data-dir", options.data_dir, "--listen",
                                        options.listen};
  if (!options.runtimes.empty())
    arguments.insert(arguments.end(), {"--runtimes", options.runtimes});
  Result<ChildServer> server = ChildServer::start(arguments, std::chrono::seconds(30));
  if (server) return server;
  tell(fmt::format("   {} is not to be had; another port", options.listen));
  arguments[4] = "127.0.0.1:0";
  return ChildServer::start(arguments, std::chrono::seconds(30));
}

int stay(ChildServer& server) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) return exit_ok;
  tell("\nthe server stays until Ctrl-C");
  ::signal(SIGINT, SIG_IGN);  // the server gets it from the terminal and stops; so do we, after it
  server.wait();
  return exit_ok;
}

}  // namespace

int demo_verb(const ServeOptions& given, const std::string& photo_path,
              const std::string& function_directory) {
  Result<Photo> photo = load_photo(photo_path);
  if (!photo) return report(photo.error());
  const std::string code =
      function_directory.empty() ? "examples/thumbnail-node" : function_directory;
  if (std::error_code error; !fs::exists(code, error)) {
    return report({.code = "NotFound",
                   .status = 404,
                   .message = fmt::format("there is no {} here: name the function's directory with "
                                          "--function, or run ./dev demo in the source tree",
                                          code)});
  }
  ServeOptions options = given;
  Scratch scratch = choose_data_dir(options);
  tell(bold("== the server"));
  Result<ChildServer> server = start_server(options);
  if (!server) return report(server.error());
  tell(fmt::format("   ready {} after {} ms, identity enforced, data in {}", server->endpoint(),
                   server->start_took().count(), options.data_dir));
  Result<std::unique_ptr<Client>> client =
      connect({.endpoint = server->endpoint(), .data_dir = options.data_dir});
  if (!client) return report(client.error());
  Result<void> told = tell_story(**client, options, *photo, code);
  if (!told) return report(told.error());
  if (!options.json) show_next_steps(options);
  return stay(*server);
}

}  // namespace wolke::cli
