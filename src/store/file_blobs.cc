#include "wolke/store/file_blobs.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/store/blob_format.h"
#include "wolke/store/blob_reference.h"
#include "wolke/store/disk_room.h"
#include "wolke/store/durable_directory.h"
#include "wolke/store/keys.h"

namespace wolke::store {

namespace {

using namespace blob_format;

constexpr std::size_t id_text_bytes = 2 * id_bytes;
constexpr std::size_t shard_text_bytes = 2;
// How often a long body looks whether there is room for more of it.
constexpr std::uint64_t room_checked_bytes = 1024 * 1024;

Error corrupt_blob(std::string_view id) {
  return {.code = "Corrupt", .status = 500, .message = fmt::format("Blob {} is damaged.", id)};
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_blob_id(std::string_view id) {
  return id.size() == id_text_bytes && is_hex(id);
}

}  // namespace

class FileBlobWriter final : public BlobWriter {
 public:
  FileBlobWriter(FileBlobs& blobs, std::string id, std::unique_ptr<File> file)
      : blobs_(blobs), id_(std::move(id)), raw_id_(*from_hex(id_)), file_(std::move(file)) {
    checksum_ = chunk_seed(raw_id_, 0);
  }
  ~FileBlobWriter() override {
    file_.reset();
    if (!sealed_) blobs_.discard(id_);
  }

  Result<void> write_header(Timestamp now) {
    return file_->write_at(
        0, encode_header({.version = version, .key = key_none, .created = now, .id = raw_id_}));
  }

  Result<void> write(std::string_view bytes) override {
    ASSERT(!sealed_);
    add_to_checksums(bytes);
    size_ += bytes.size();
    // Small pieces are gathered, so that a body that trickles in does not cost a call for each.
    if (pending_.size() + bytes.size() < limits::body_piece_bytes) {
      pending_.append(bytes);
      return {};
    }
    TRY(flush());
    return append(bytes);
  }

  Result<BlobRef> seal() override {
    ASSERT(!sealed_);
    if (size_ % chunk_bytes != 0) append_checksum(table_, checksum_);
    pending_.append(table_);
    pending_.append(encode_trailer(raw_id_, table_, size_));
    TRY(flush());
    if (blobs_.poisoned_) return fail(blobs_.poison({}));
    if (!blobs_.bugs_.seal_without_sync) {
      if (auto synced = file_->sync(); !synced) return fail(blobs_.poison(synced.error()));
    }
    TRY(blobs_.sealed(id_));
    sealed_ = true;
    file_.reset();
    return BlobRef{.id = id_, .size = size_};
  }

 private:
  void add_to_checksums(std::string_view bytes) {
    std::uint64_t at = size_;
    while (!bytes.empty()) {
      const std::size_t left_in_chunk = chunk_bytes - at % chunk_bytes;
      const std::string_view part = bytes.substr(0, left_in_chunk);
      checksum_ = crc32c(part, checksum_);
      at += part.size();
      bytes.remove_prefix(part.size());
      if (part.size() < left_in_chunk) return;
      append_checksum(table_, checksum_);
      checksum_ = chunk_seed(raw_id_, at / chunk_bytes);
    }
  }

  Result<void> append(std::string_view bytes) {
    if (written_ / room_checked_bytes != (written_ + bytes.size()) / room_checked_bytes) {
      TRY(blobs_.expect_room());
    }
    TRY(file_->write_at(header_bytes + written_, bytes));
    written_ += bytes.size();
    return {};
  }

  Result<void> flush() {
    if (pending_.empty()) return {};
    TRY(append(pending_));
    pending_.clear();
    return {};
  }

  FileBlobs& blobs_;
  std::string id_;
  std::string raw_id_;
  std::unique_ptr<File> file_;
  std::string pending_;
  std::string table_;
  std::uint32_t checksum_ = 0;  // of the chunk in progress
  std::uint64_t size_ = 0;      // given
  std::uint64_t written_ = 0;   // to the file, after the header
  bool sealed_ = false;
};

namespace {

class FileBlobReader final : public BlobReader {
 public:
  FileBlobReader(BlobRef ref, std::unique_ptr<File> file, std::string table)
      : ref_(std::move(ref)),
        raw_id_(*from_hex(ref_.id)),
        file_(std::move(file)),
        table_(std::move(table)) {}

  Result<std::string> read(std::uint64_t offset, std::size_t length) override {
    if (offset > ref_.size || length > ref_.size - offset) {
      return fail(internal_error("read beyond the end of a blob"));
    }
    std::string out;
    if (length == 0) return out;
    // Whole chunks are read, because only they can be verified.
    const std::uint64_t first = offset / chunk_bytes;
    const std::uint64_t begin = first * chunk_bytes;
    const std::uint64_t end = std::min(ref_.size, chunk_count(offset + length) * chunk_bytes);
    out.resize(end - begin);
    TRY(const std::size_t got, file_->read_at(header_bytes + begin, out));
    if (got != out.size()) return fail(corrupt_blob(ref_.id));
    for (std::uint64_t chunk = first; (chunk - first) * chunk_bytes < out.size(); ++chunk) {
      const std::string_view data =
          std::string_view(out).substr((chunk - first) * chunk_bytes, chunk_bytes);
      if (crc32c(data, chunk_seed(raw_id_, chunk)) != checksum_at(table_, chunk)) {
        return fail(corrupt_blob(ref_.id));
      }
    }
    out.resize(offset - begin + length);
    out.erase(0, offset - begin);
    return out;
  }

 private:
  BlobRef ref_;
  std::string raw_id_;
  std::unique_ptr<File> file_;
  std::string table_;
};

}  // namespace

std::string FileBlobs::shard_directory(std::string_view id) const {
  return fmt::format("{}/{}", directory_, id.substr(0, shard_text_bytes));
}

std::string FileBlobs::path_of(std::string_view id) const {
  return fmt::format("{}/{}", shard_directory(id), id.substr(shard_text_bytes));
}

Error FileBlobs::poison(Error why) {
  poisoned_ = true;
  return {.code = "DiskError",
          .status = 500,
          .message =
              "A sync failed; no blob is sealed until the server is started again. " + why.message};
}

Result<void> FileBlobs::expect_room() const {
  if (reserve_bytes_ == 0) return {};
  TRY(const std::uint64_t free, env_.disk.free_bytes(directory_));
  if (free < reserve_bytes_) return fail(disk_full());
  return {};
}

Result<void> FileBlobs::open_directory() {
  return make_durable_directory(env_.disk, directory_);
}

Result<void> FileBlobs::make_shard_durable(std::string_view id) {
  const auto number = static_cast<unsigned char>((*from_hex(id.substr(0, shard_text_bytes)))[0]);
  if (state_.lock()->shard_is_durable[number]) return {};
  // Even a directory that is there may be a killed server's, never synced.
  TRY(env_.disk.make_directory(shard_directory(id)));
  if (!bugs_.skip_blob_directory_sync) {
    if (auto synced = env_.disk.sync_directory(directory_); !synced) {
      return fail(poison(synced.error()));
    }
  }
  state_.lock()->shard_is_durable[number] = true;
  return {};
}

Result<std::unique_ptr<BlobWriter>> FileBlobs::create() {
  if (poisoned_) return fail(poison({}));
  TRY(expect_room());
  const std::string id = env_.random.hex(id_bytes);
  TRY(make_shard_durable(id));
  state_.lock()->writing.insert(id);
  auto file = env_.disk.open(path_of(id), OpenMode::create_new);
  if (!file) {
    state_.lock()->writing.erase(id);
    return fail(std::move(file).error());
  }
  auto writer = std::make_unique<FileBlobWriter>(*this, id, *std::move(file));
  TRY(writer->write_header(env_.clock.wall()));
  return std::unique_ptr<BlobWriter>(std::move(writer));
}

Result<void> FileBlobs::sealed(const std::string& id) {
  if (!bugs_.skip_blob_directory_sync) {
    if (auto synced = env_.disk.sync_directory(shard_directory(id)); !synced) {
      return fail(poison(synced.error()));
    }
  }
  auto state = state_.lock();
  state->sealed_at[id] = env_.clock.wall();
  state->writing.erase(id);
  return {};
}

void FileBlobs::discard(const std::string& id) {
  // A file that stays because this fails is collected later.
  (void)env_.disk.remove(path_of(id));
  state_.lock()->writing.erase(id);
}

Result<std::unique_ptr<BlobReader>> FileBlobs::open(const BlobRef& ref) {
  if (!is_blob_id(ref.id)) return fail(corrupt_blob(ref.id));
  auto file = env_.disk.open(path_of(ref.id), OpenMode::read);
  if (!file) {
    // A record refers to it, so that it is not there is damage, not an absence.
    return fail(file.error().code == "NotFound" ? corrupt_blob(ref.id) : std::move(file).error());
  }
  std::string header(header_bytes, '\0');
  TRY(const std::size_t header_got, (*file)->read_at(0, header));
  const auto decoded = decode_header(header);
  const std::string raw_id = *from_hex(ref.id);
  if (header_got != header.size() || !decoded || decoded->id != raw_id ||
      decoded->version > version || decoded->key != key_none) {
    return fail(corrupt_blob(ref.id));
  }
  const std::uint64_t table_bytes = chunk_count(ref.size) * checksum_bytes;
  // The size is a record's word; what the file has must be as long before we make room for it.
  TRY(const std::uint64_t file_bytes, (*file)->size());
  if (file_bytes != header_bytes + ref.size + table_bytes + trailer_bytes) {
    return fail(corrupt_blob(ref.id));
  }
  std::string table(table_bytes + trailer_bytes, '\0');
  TRY(const std::size_t table_got, (*file)->read_at(header_bytes + ref.size, table));
  const std::string trailer = table.substr(table_bytes);
  table.resize(table_bytes);
  if (table_got != table_bytes + trailer_bytes ||
      decode_trailer(trailer, raw_id, table) != ref.size) {
    return fail(corrupt_blob(ref.id));
  }
  return std::make_unique<FileBlobReader>(ref, *std::move(file), std::move(table));
}

std::optional<Timestamp> FileBlobs::created_at(const std::string& id) {
  auto file = env_.disk.open(path_of(id), OpenMode::read);
  if (!file) return std::nullopt;
  std::string header(header_bytes, '\0');
  const auto got = (*file)->read_at(0, header);
  if (!got || *got != header.size()) return std::nullopt;
  const auto decoded = decode_header(header);
  if (!decoded) return std::nullopt;
  return decoded->created;
}

Result<bool> FileBlobs::is_referenced(Store& store, const std::string& id) const {
  if (bugs_.collect_without_looking) return false;
  TRY(std::unique_ptr<Snapshot> snapshot, store.snapshot());
  const std::string prefix = blob_references_prefix(id);
  TRY(const Page page,
      snapshot->scan(
          {.shard = shard_of(id), .begin = prefix, .end = prefix_end(prefix), .records_max = 1}));
  return !page.records.empty();
}

Result<bool> FileBlobs::is_collectable(const Collection& collection, const std::string& id) {
  // Before the snapshot: whoever is to refer to it is here until then.
  std::optional<Timestamp> sealed_at;
  {
    auto state = state_.lock();
    if (state->writing.contains(id)) return false;
    if (auto sealed = state->sealed_at.find(id); sealed != state->sealed_at.end()) {
      sealed_at = sealed->second;
    }
  }
  TRY(const bool referenced, is_referenced(collection.store, id));
  if (referenced ||
      (sealed_at && collection.grace && collection.now - *sealed_at > *collection.grace)) {
    state_.lock()->sealed_at.erase(id);  // from here the reference alone decides
    sealed_at.reset();
  }
  if (referenced || sealed_at) return false;
  if (!collection.grace) return true;
  // A header that cannot be read is a crash's: nobody was given this id.
  const auto created = created_at(id);
  return !created || collection.now - *created > *collection.grace;
}

Result<std::size_t> FileBlobs::collect_shard(const Collection& collection,
                                             const std::string& shard) {
  auto names = env_.disk.list(directory_ + "/" + shard);
  if (!names) {
    if (names.error().code == "NotFound") return 0;
    return fail(std::move(names).error());
  }
  std::ranges::sort(*names);
  std::size_t removed = 0;
  for (const std::string& name : *names) {
    const std::string id = shard + name;
    if (!is_blob_id(id)) continue;  // not ours
    TRY(const bool collectable, is_collectable(collection, id));
    if (!collectable) continue;
    if (auto gone = env_.disk.remove(path_of(id)); gone) {
      ++removed;
    } else if (gone.error().code != "NotFound") {  // else its writer gave it up just now
      return fail(gone.error());
    }
  }
  return removed;
}

Result<std::size_t> FileBlobs::collect_all(const Collection& collection) {
  TRY(std::vector<std::string> shards, env_.disk.list(directory_));
  std::ranges::sort(shards);
  std::size_t removed = 0;
  for (const std::string& shard : shards) {
    if (shard.size() != shard_text_bytes || !is_hex(shard)) continue;
    TRY(const std::size_t here, collect_shard(collection, shard));
    removed += here;
  }
  return removed;
}

Result<std::size_t> FileBlobs::collect(Store& store, Timestamp now, Millis grace) {
  return collect_all({.store = store, .now = now, .grace = grace});
}

Result<std::size_t> FileBlobs::collect_at_once(Store& store) {
  return collect_all({.store = store});
}

void FileBlobs::settle(const BlobRef& ref) {
  state_.lock()->sealed_at.erase(ref.id);
}

Result<std::unique_ptr<BlobStore>> open_file_blobs(Env env, std::string directory,
                                                   std::uint64_t reserve_bytes) {
  auto blobs = std::make_unique<FileBlobs>(env, std::move(directory), SeededBugs{}, reserve_bytes);
  TRY(blobs->open_directory());
  return std::unique_ptr<BlobStore>(std::move(blobs));
}

Result<std::string> read_body(BlobStore& blobs, const Body& body, std::size_t bytes_max) {
  if (body.size() > bytes_max) {
    return fail(Error{.code = "EntityTooLarge",
                      .status = 400,
                      .message = fmt::format("The body has {} bytes; at most {} are read at once.",
                                             body.size(), bytes_max)});
  }
  if (body.blobs.empty()) return body.inline_bytes;
  std::string out;
  out.reserve(body.size());
  for (const BlobRange& range : body.blobs) {
    TRY(std::unique_ptr<BlobReader> reader, blobs.open(range.blob));
    TRY(const std::string part, reader->read(range.offset, range.length));
    out += part;
  }
  return out;
}

}  // namespace wolke::store
