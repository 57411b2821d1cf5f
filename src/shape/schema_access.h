#pragma once
// The few templates by which generated tables reach into structs they know only as void*. Included
// by generated schema.cc files and nothing else. Each instance depends on the member's type only,
// so a service has a few dozen of them.

#include <new>
#include <string>

#include "wolke/shape/pattern.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

/// Holder is std::optional<T> or Box<T>.
template <class Holder>
struct access {
  static const void* value(const void* member) {
    const auto& holder = *static_cast<const Holder*>(member);
    return holder ? static_cast<const void*>(&*holder) : nullptr;
  }
  static void* engage(void* member) { return &static_cast<Holder*>(member)->emplace(); }
};

template <class T>
struct lifetime {
  static void construct(void* at) { new (at) T(); }
  static void destroy(void* at) { static_cast<T*>(at)->~T(); }
};

// std::vector<bool> has no addressable elements; no AWS model that we serve has a list of booleans.
template <class List>
inline constexpr ContainerOps list_ops = {
    .size = [](const void* list) { return static_cast<const List*>(list)->size(); },
    .at = [](const void* list, std::size_t index) -> const void* {
      return &(*static_cast<const List*>(list))[index];
    },
    .append = [](void* list) -> void* { return &static_cast<List*>(list)->emplace_back(); },
};

template <class Map>
inline constexpr ContainerOps map_ops = {
    .size = [](const void* map) { return static_cast<const Map*>(map)->size(); },
    .insert = [](void* map, std::string key) -> void* {
      return &(*static_cast<Map*>(map))[std::move(key)];
    },
    .each =
        [](const void* map, void* arg, void (*visit)(void*, const std::string&, const void*)) {
          for (const auto& [key, value] : *static_cast<const Map*>(map)) visit(arg, key, &value);
        },
};

}  // namespace wolke::shape
