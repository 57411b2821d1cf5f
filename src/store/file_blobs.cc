#include "wolke/store/file_blobs.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/store/blob_file_reader.h"
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
  FileBlobWriter(FileBlobs& blobs, std::string id, std::unique_ptr<File> file,
                 std::string_view body_key)
      : blobs_(blobs),
        id_(std::move(id)),
        file_(std::move(file)),
        cipher_(body_key, ChunkCipher::Way::seal) {}
  ~FileBlobWriter() override {
    file_.reset();
    if (!sealed_) blobs_.discard(id_);
  }

  Result<void> write_header(const Header& header, const KeyBlock& key) {
    std::string bytes = encode_header(header);
    bytes += encode_key_block(key, bytes);
    return file_->write_at(0, bytes);
  }

  Result<void> write(std::string_view bytes) override {
    ASSERT(!sealed_);
    TRY(expect_whole());
    size_ += bytes.size();
    pending_.append(bytes);
    // Small pieces are gathered, so that a body that trickles in does not cost a call for each.
    if (pending_.size() <= limits::body_piece_bytes) return {};
    // A chunk is sealed only when more comes after it: the last one is sealed as such.
    const std::size_t whole = (pending_.size() - 1) / chunk_bytes * chunk_bytes;
    seal_chunks(whole);
    TRY(append(std::string_view(pending_).substr(0, whole)));
    pending_.erase(0, whole);
    return {};
  }

  Result<BlobRef> seal() override {
    ASSERT(!sealed_);
    TRY(expect_whole());
    seal_chunks(pending_.size());
    pending_.append(table_);
    pending_.append(encode_trailer(*from_hex(id_), table_, size_));
    TRY(append(pending_));
    pending_.clear();
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
  /// Encrypts the first `bytes` of what is pending. The blob ends with the last byte given.
  void seal_chunks(std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += chunk_bytes) {
      const std::size_t length = std::min(chunk_bytes, bytes - at);
      const bool last = at + length == pending_.size();
      table_ +=
          cipher_.seal({.number = chunk_++, .last = last}, std::span(pending_).subspan(at, length));
    }
  }

  Result<void> append(std::string_view bytes) {
    broken_ = true;
    if (written_ / room_checked_bytes != (written_ + bytes.size()) / room_checked_bytes) {
      TRY(blobs_.expect_room());
    }
    TRY(file_->write_at(data_begin(key_account) + written_, bytes));
    broken_ = false;
    written_ += bytes.size();
    return {};
  }

  /// What was sealed and not written is never sealed again.
  Result<void> expect_whole() const {
    if (broken_) return fail(internal_error("a blob goes on after a failed write"));
    return {};
  }

  FileBlobs& blobs_;
  std::string id_;
  std::unique_ptr<File> file_;
  ChunkCipher cipher_;
  std::string pending_;  // given and not yet in the file
  std::string table_;
  std::uint64_t chunk_ = 0;    // the next to be sealed
  std::uint64_t size_ = 0;     // given
  std::uint64_t written_ = 0;  // to the file, after header and key
  bool sealed_ = false;
  bool broken_ = false;  // a write failed
};

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

Result<std::unique_ptr<BlobWriter>> FileBlobs::create(const KeyChoice& key) {
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
  const std::string raw_id = *from_hex(id);
  const std::string body_key = keys_.body_key(key, raw_id);
  auto writer = std::make_unique<FileBlobWriter>(*this, id, *std::move(file), body_key);
  const bool customer = !key.customer_key.empty();
  TRY(writer->write_header({.version = version,
                            .key = customer ? key_customer : key_account,
                            .created = env_.clock.wall(),
                            .id = raw_id},
                           {.account = customer ? "" : key.account, .check = key_check(body_key)}));
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

Result<std::unique_ptr<BlobReader>> FileBlobs::open(const BlobRef& ref,
                                                    std::string_view customer_key) {
  if (!is_blob_id(ref.id)) return fail(corrupt_blob(ref.id));
  auto file = env_.disk.open(path_of(ref.id), OpenMode::read);
  if (!file) {
    // A record refers to it, so that it is not there is damage, not an absence.
    return fail(file.error().code == "NotFound" ? corrupt_blob(ref.id) : std::move(file).error());
  }
  return open_blob_file(ref, *std::move(file), keys_, customer_key);
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

Result<std::unique_ptr<BlobStore>> open_file_blobs(Env env, std::string directory, Keyring keys,
                                                   std::uint64_t reserve_bytes) {
  auto blobs = std::make_unique<FileBlobs>(env, std::move(directory), std::move(keys), SeededBugs{},
                                           reserve_bytes);
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
