#pragma once
// Reading a sealed blob's file (blob_format.h): what is read is verified, chunk by chunk, before
// any of it is given out; only the chunks that a range touches are read.
//
// Threads: a reader by one thread at a time. Failure: "Corrupt" where the file is not what was
// sealed under this id with this size, "WrongKey" where it is, and the key is another one.

#include <memory>
#include <string_view>

#include "wolke/base/env.h"
#include "wolke/store/blobs.h"

namespace wolke::store {

Error corrupt_blob(std::string_view id);

Result<std::unique_ptr<BlobReader>> open_blob_file(const BlobRef& ref, std::unique_ptr<File> file,
                                                   const Keyring& keys,
                                                   std::string_view customer_key);

}  // namespace wolke::store
