#include "wolke/cli/photo.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace wolke::cli {

namespace {

constexpr std::uint64_t photo_bytes_max = 64ULL << 20;

std::unexpected<Error> refuse(std::string sentence) {
  return fail({.code = "Usage", .status = 400, .message = std::move(sentence)});
}

std::string_view type_of(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") return "image/webp";
  if (bytes.starts_with("GIF8")) return "image/gif";
  if (bytes.starts_with("II*") || bytes.starts_with("MM")) return "image/tiff";
  if (bytes.substr(4, 8) == "ftypavif") return "image/avif";
  return "";
}

}  // namespace

Result<Photo> load_photo(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(path, error)) return refuse(fmt::format("there is no file {}", path));
  if (!fs::is_regular_file(path, error)) return refuse(fmt::format("{} is no file", path));
  const std::uint64_t size = fs::file_size(path, error);
  if (size == 0) return refuse(fmt::format("{} is empty: there is no picture in it", path));
  if (size > photo_bytes_max) {
    return refuse(
        fmt::format("{} has {} MB; the example function makes pictures of up to {} MB smaller",
                    path, size >> 20, photo_bytes_max >> 20));
  }
  std::ifstream file(path, std::ios::binary);
  Photo photo{
      .path = path, .name = fs::path(path).filename().string(), .bytes = {}, .content_type = {}};
  photo.bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file || photo.bytes.size() != size) return refuse(fmt::format("{} cannot be read", path));
  photo.content_type = type_of(photo.bytes);
  if (photo.content_type.empty()) {
    if (std::string_view(photo.bytes).substr(4, 4) == "ftyp") {
      return refuse(
          fmt::format("{} is a HEIC or video file; export it as JPEG, PNG or WebP first", path));
    }
    return refuse(fmt::format(
        "{} is no picture: its first bytes are none of JPEG, PNG, WebP, GIF, TIFF or AVIF", path));
  }
  return photo;
}

}  // namespace wolke::cli
