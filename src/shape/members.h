#pragma once
// Reaching a structure's members through its table: where offsets become pointers.
// The void* must point to the struct that the Type describes; Value and the generated tables see to
// it. Pure; lookups are linear, in the model's order: structures are small.

#include <string_view>

#include "wolke/shape/schema.h"

namespace wolke::shape {

/// The T inside the member's optional, or nullptr when it is not engaged.
inline const void* value_of(const Member& member, const void* structure) {
  return member.value(static_cast<const char*>(structure) + member.offset);
}

/// An empty T in the member's optional.
inline void* engage(const Member& member, void* structure) {
  return member.engage(static_cast<char*>(structure) + member.offset);
}

inline const Member* find_member(const Type& type, std::string_view name) {
  for (const Member& member : type.members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

/// Of Location::body, by wire name.
inline const Member* find_body_member(const Type& type, std::string_view wire_name) {
  for (const Member& member : type.members) {
    if (member.location == Location::body && member.wire_name == wire_name) return &member;
  }
  return nullptr;
}

inline bool has_body_members(const Type& type) {
  for (const Member& member : type.members) {
    if (member.location == Location::body) return true;
  }
  return false;
}

/// The payload member, or nullptr.
inline const Member* payload_member(const Type& type) {
  return type.payload < 0 ? nullptr : &type.members[static_cast<std::size_t>(type.payload)];
}

}  // namespace wolke::shape
