#pragma once
// Bugs that tests switch on, one at a time, to prove that the checkers of store_sim_test.cc would
// notice them. All off in every opening function but those that tests call.

namespace wolke::store {

struct SeededBugs {
  bool acknowledge_before_sync = false;        // the log's sync is skipped
  bool acknowledge_after_failed_sync = false;  // a failed sync counts as a good one
  bool trust_old_log = false;                  // what a killed server left is not written again
  bool skip_directory_sync = false;            // a new file's name may be lost
  bool skip_last_check = false;                // one check of each batch is not evaluated
  bool commit_half_a_batch = false;            // a batch is cut into two transactions
  bool lose_second_add = false;                // of two adds to one counter in a group, one counts
  bool seal_without_sync = false;              // a blob is given out before its bytes are durable
  bool skip_blob_directory_sync = false;       // a blob's name may be lost
  bool collect_without_looking = false;        // collect() does not ask for references
};

}  // namespace wolke::store
