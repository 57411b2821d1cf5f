#pragma once
// Bugs that tests switch on, one at a time, to prove that drain_sim_test.cc would notice them. All
// off everywhere else.

namespace wolke::meter {

struct SeededBugs {
  bool drain_from_tail = false;  // the ring's tail, not the store's watermark, says where to begin
  bool skip_check = false;       // the commit does not check the watermark that it rests on
  bool keep_watermark = false;   // totals are committed without the new watermark
  bool release_always = false;   // the ring forgets records whose commit failed
  bool ignore_checksum = false;  // a torn record counts
  bool forget_overflow = false;  // what did not fit into the ring is not said
};

}  // namespace wolke::meter
