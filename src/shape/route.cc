#include "wolke/shape/route.h"

#include "wolke/shape/protocol.h"

namespace wolke::shape {

std::string_view path_of(std::string_view uri) {
  return uri.substr(0, uri.find('?'));
}

std::string_view query_of(std::string_view uri) {
  std::size_t mark = uri.find('?');
  return mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1);
}

bool match_path(std::string_view uri, std::string_view path, void* arg,
                void (*on_label)(void*, std::string_view, std::string_view)) {
  std::string_view pattern = path_of(uri);
  while (true) {
    std::size_t brace = pattern.find('{');
    std::string_view literal = pattern.substr(0, brace);
    if (!path.starts_with(literal)) {
      // "/functions/" in the model is "/functions" to some clients.
      return brace == std::string_view::npos && literal.ends_with('/') && !path.empty() &&
             path == literal.substr(0, literal.size() - 1);
    }
    path.remove_prefix(literal.size());
    if (brace == std::string_view::npos)
      return path.empty() || (path == "/" && !literal.ends_with('/'));
    std::size_t close = pattern.find('}', brace);
    std::string_view label = pattern.substr(brace + 1, close - brace - 1);
    pattern.remove_prefix(close + 1);
    bool greedy = label.ends_with('+');
    if (greedy) label.remove_suffix(1);
    std::string_view raw = greedy ? path : path.substr(0, path.find('/'));
    if (raw.empty()) return false;
    if (on_label != nullptr) on_label(arg, label, raw);
    path.remove_prefix(raw.size());
  }
}

namespace {

// How well an operation fits: more query literals, then more required parameters present, then more
// fixed path.
struct Fit {
  int literals = 0;
  int required = 0;
  int fixed = 0;
  bool served = false;
  auto operator<=>(const Fit&) const = default;
};

// "uploads", "list-type=2", "select&select-type=2"; false when one is not in the request.
bool literals_present(std::string_view literals, const QueryPairs& query, int& count) {
  while (!literals.empty()) {
    std::size_t end = literals.find('&');
    std::string_view one = literals.substr(0, end);
    literals = end == std::string_view::npos ? std::string_view() : literals.substr(end + 1);
    std::size_t equals = one.find('=');
    const std::string* value = find_query(query, one.substr(0, equals));
    if (value == nullptr) return false;
    if (equals != std::string_view::npos && *value != one.substr(equals + 1)) return false;
    ++count;
  }
  return true;
}

bool has_header(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, unused] : headers) {
    if (key.size() != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size() && same; ++i) {
      char c = name[i];
      same = key[i] == (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
    }
    if (same) return true;
  }
  return false;
}

// ListParts and GetObject differ only by a required parameter: one that is absent counts against
// the operation.
int required_fit(const Operation& operation, const WireRequest& request) {
  if (operation.input == nullptr) return 0;
  int present = 0;
  for (const Member& member : operation.input->members) {
    if (!member.required) continue;
    if (member.location == Location::query) {
      if (find_query(*request.query, member.wire_name) == nullptr) return -1;
      ++present;
    } else if (member.location == Location::header) {
      if (!has_header(*request.headers, member.wire_name)) return -1;
      ++present;
    }
  }
  return present;
}

int fixed_bytes(std::string_view uri) {
  std::string_view path = path_of(uri);
  return static_cast<int>(path.substr(0, path.find('{')).size());
}

}  // namespace

const Operation* match_rest(const Service& service, const WireRequest& request) {
  const Operation* best = nullptr;
  Fit best_fit;
  for (const Operation& operation : service.operations) {
    if (operation.method != request.method) continue;
    if (!match_path(operation.uri, request.path, nullptr, nullptr)) continue;
    Fit fit;
    if (!literals_present(query_of(operation.uri), *request.query, fit.literals)) continue;
    fit.required = required_fit(operation, request);
    fit.fixed = fixed_bytes(operation.uri);
    fit.served = operation.served();
    if (best == nullptr || fit > best_fit) {
      best = &operation;
      best_fit = fit;
    }
  }
  return best;
}

const Operation* find_operation(const Service& service, std::string_view name) {
  if (service.protocol != Protocol::query && !service.target_prefix.empty()) {
    std::size_t dot = name.rfind('.');
    if (dot != std::string_view::npos) {
      if (name.substr(0, dot) != service.target_prefix) return nullptr;
      name.remove_prefix(dot + 1);
    }
  }
  for (const Operation& operation : service.operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace wolke::shape
