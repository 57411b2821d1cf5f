#pragma once
// Is this a photograph that the story can be told with? Looks at size and first bytes only; the
// function decides the rest.

#include <string>

#include "wolke/base/result.h"

namespace wolke::cli {

struct Photo {
  std::string path;
  std::string name;  // "cat.jpg": its key
  std::string bytes;
  std::string content_type;  // "image/jpeg"
};

/// Each refusal is one clear sentence ("… is empty", "… is no picture", "… has 90 MB; …").
Result<Photo> load_photo(const std::string& path);

}  // namespace wolke::cli
