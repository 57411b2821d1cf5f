#include "wolke/shape/validate.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/shape/members.h"
#include "wolke/shape/pattern.h"
#include "wolke/shape/scalar.h"

namespace wolke::shape {

namespace {

constexpr std::size_t shown_bytes_max = 1000;

std::string join(const std::string& path, std::string_view name) {
  std::string out = path.empty() ? std::string() : path + '.';
  std::size_t first = out.size();
  out += name;
  if (out[first] >= 'A' && out[first] <= 'Z') out[first] = static_cast<char>(out[first] | 0x20);
  return out;
}

// In UTF-16 units, as the services count.
std::size_t text_length(std::string_view text) {
  std::size_t units = 0;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

std::string bound_text(double bound) {
  return std::to_string(static_cast<long long>(bound));
}

std::string enum_text(const Type& type) {
  std::string out;
  for (std::string_view value : type.enum_values) {
    if (!out.empty()) out += ", ";
    out += value;
  }
  return out;
}

class Walker {
 public:
  std::vector<Violation> found;

  void structure(const std::string& path, const Type& type, const void* value) {
    for (const Member& member : type.members) {
      const void* inner = value_of(member, value);
      if (inner != nullptr) {
        check(path, member.name, *member.type, inner, member);
      } else if (member.required && member.type->kind != Kind::body &&
                 found.size() < violations_max) {
        found.push_back({Violation::What::missing, &member, join(path, member.name), "null",
                         "Member must not be null"});
      }
    }
  }

 private:
  // Paths are made only where something is wrong or nested: most inputs are flat and right.
  void check(const std::string& path, std::string_view name, const Type& type, const void* value,
             const Member& member) {
    if (found.size() >= violations_max) return;
    switch (type.kind) {
      case Kind::structure:
        structure(join(path, name), type, value);
        return;
      case Kind::list:
        list(path, name, type, value, member);
        return;
      case Kind::map:
        map(path, name, type, value, member);
        return;
      case Kind::string:
        text(path, name, type, *static_cast<const std::string*>(value), member);
        return;
      case Kind::blob:
        length(path, name, type, static_cast<const std::string*>(value)->size(), value, member);
        return;
      case Kind::integer:
        range(path, name, type, *static_cast<const std::int32_t*>(value), value, member);
        return;
      case Kind::long_integer:
        range(path, name, type, static_cast<double>(*static_cast<const std::int64_t*>(value)),
              value, member);
        return;
      case Kind::floating:
        range(path, name, type, *static_cast<const double*>(value), value, member);
        return;
      default:
        return;
    }
  }

  void report(Violation::What what, const std::string& path, std::string_view name,
              const Type& type, const void* value, const Member& member, std::string constraint) {
    found.push_back({what, &member, join(path, name), shown(type, value, member),
                     std::move(constraint), member.sensitive || type.sensitive});
  }

  // As Java prints values: [a, b], {k=v}.
  static void show(std::string& out, const Type& type, const void* value) {
    if (out.size() > shown_bytes_max) return;
    if (type.sensitive) {
      out += "***";
    } else if (type.kind == Kind::blob) {
      out += "java.nio.HeapByteBuffer";
    } else if (is_scalar(type.kind)) {
      out += format_scalar(type, value, TimestampFormat::iso8601);
    } else if (type.kind == Kind::list) {
      out += '[';
      for (std::size_t i = 0; i < type.container->size(value); ++i) {
        if (i > 0) out += ", ";
        show(out, *type.element, type.container->at(value, i));
      }
      out += ']';
    } else if (type.kind == Kind::map) {
      struct Visit {
        std::string& out;
        const Type& element;
        bool first = true;
      } visit{out, *type.element};
      out += '{';
      type.container->each(value, &visit, [](void* arg, const std::string& key, const void* item) {
        auto& self = *static_cast<Visit*>(arg);
        if (!std::exchange(self.first, false)) self.out += ", ";
        self.out += key + '=';
        show(self.out, self.element, item);
      });
      out += '}';
    } else {
      out += type.name;
    }
  }

  static std::string shown(const Type& type, const void* value, const Member& member) {
    if (member.sensitive) return "***";
    std::string out;
    show(out, type, value);
    if (out.size() > shown_bytes_max) out.resize(shown_bytes_max);
    return is_valid_utf8(out) ? out : printable(out);
  }

  void length(const std::string& path, std::string_view name, const Type& type, std::size_t size,
              const void* value, const Member& member) {
    auto units = static_cast<double>(size);
    if (type.min && units < *type.min) {
      report(Violation::What::length, path, name, type, value, member,
             "Member must have length greater than or equal to " + bound_text(*type.min));
    } else if (type.max && units > *type.max) {
      report(Violation::What::length, path, name, type, value, member,
             "Member must have length less than or equal to " + bound_text(*type.max));
    }
  }

  void range(const std::string& path, std::string_view name, const Type& type, double number,
             const void* value, const Member& member) {
    if (type.min && number < *type.min) {
      report(Violation::What::range, path, name, type, value, member,
             "Member must have value greater than or equal to " + bound_text(*type.min));
    } else if (type.max && number > *type.max) {
      report(Violation::What::range, path, name, type, value, member,
             "Member must have value less than or equal to " + bound_text(*type.max));
    }
  }

  void text(const std::string& path, std::string_view name, const Type& type,
            const std::string& value, const Member& member) {
    std::size_t before = found.size();
    if (type.min || type.max) length(path, name, type, text_length(value), &value, member);
    if (found.size() > before && type.max && static_cast<double>(value.size()) > *type.max)
      return;  // too long to be worth matching
    if (!type.pattern.empty() && !type.pattern_cache->get(type.pattern).matches(value)) {
      report(Violation::What::pattern, path, name, type, &value, member,
             fmt::format("Member must satisfy regular expression pattern: {}", type.pattern));
    }
    if (!type.enum_values.empty() &&
        std::ranges::find(type.enum_values, value) == type.enum_values.end()) {
      report(Violation::What::enumeration, path, name, type, &value, member,
             fmt::format("Member must satisfy enum value set: [{}]", enum_text(type)));
    }
  }

  void list(const std::string& path, std::string_view name, const Type& type, const void* value,
            const Member& member) {
    std::size_t size = type.container->size(value);
    length(path, name, type, size, value, member);
    if (!can_fail(*type.element)) return;
    if (is_scalar(type.element->kind)) {
      for (std::size_t i = 0; i < size; ++i) {
        const std::optional<Violation::What> what =
            broken(*type.element, type.container->at(value, i), member);
        if (!what) continue;
        report(*what, path, name, type, value, member,
               fmt::format("Member must satisfy constraint: [{}, Member must not be null]",
                           constraints_text(*type.element)));
        return;
      }
      return;
    }
    std::string here = join(path, name);
    for (std::size_t i = 0; i < size && found.size() < violations_max; ++i) {
      check(here, fmt::format("{}.member", i + 1), *type.element, type.container->at(value, i),
            member);
    }
  }

  void map(const std::string& path, std::string_view name, const Type& type, const void* value,
           const Member& member) {
    length(path, name, type, type.container->size(value), value, member);
    if (!can_fail(*type.key) && !can_fail(*type.element)) return;
    struct Visit {
      Walker& walker;
      std::string here;
      const Type& type;
      const Member& member;
      std::optional<Violation::What> bad_key = {}, bad_value = {};
    } visit{*this, join(path, name), type, member};
    type.container->each(value, &visit, [](void* arg, const std::string& key, const void* item) {
      auto& self = *static_cast<Visit*>(arg);
      if (!self.bad_key) self.bad_key = broken(*self.type.key, &key, self.member);
      if (!is_scalar(self.type.element->kind)) {
        self.walker.check(self.here, fmt::format("{}.member", key), *self.type.element, item,
                          self.member);
      } else if (!self.bad_value) {
        self.bad_value = broken(*self.type.element, item, self.member);
      }
    });
    if (visit.bad_key) {
      report(*visit.bad_key, path, name, type, value, member,
             fmt::format("Map keys must satisfy constraint: [{}]", constraints_text(*type.key)));
    }
    if (visit.bad_value) {
      report(
          *visit.bad_value, path, name, type, value, member,
          fmt::format("Map value must satisfy constraint: [{}]", constraints_text(*type.element)));
    }
  }

  /// What a scalar in a list or map breaks: the services then name the container and every
  /// constraint of its members.
  static std::optional<Violation::What> broken(const Type& type, const void* value,
                                               const Member& member) {
    Walker inner;
    inner.check("", member.name, type, value, member);
    if (inner.found.empty()) return std::nullopt;
    return inner.found.front().what;
  }

  static std::string constraints_text(const Type& type) {
    const bool counted = type.kind == Kind::string || type.kind == Kind::blob;
    const std::string_view noun = counted ? "length" : "value";
    std::vector<std::string> all;
    if (type.max) {
      all.push_back(
          fmt::format("Member must have {} less than or equal to {}", noun, bound_text(*type.max)));
    }
    if (type.min) {
      all.push_back(fmt::format("Member must have {} greater than or equal to {}", noun,
                                bound_text(*type.min)));
    }
    if (!type.pattern.empty()) {
      all.push_back(
          fmt::format("Member must satisfy regular expression pattern: {}", type.pattern));
    }
    if (!type.enum_values.empty())
      all.push_back(fmt::format("Member must satisfy enum value set: [{}]", enum_text(type)));
    return fmt::format("{}", fmt::join(all, ", "));
  }

  static bool can_fail(const Type& type) {
    return type.kind == Kind::structure || type.kind == Kind::list || type.kind == Kind::map ||
           type.min || type.max || !type.pattern.empty() || !type.enum_values.empty();
  }
};

}  // namespace

std::vector<Violation> violations(const Type& structure, const void* value) {
  Walker walker;
  walker.structure("", structure, value);
  return std::move(walker.found);
}

Result<void> validate(const Service& service, const Type& structure, const void* value) {
  std::vector<Violation> found = violations(structure, value);
  if (found.empty()) return {};
  return fail(validation_error(service, found));
}

}  // namespace wolke::shape
