#pragma once
// The deliveries in memory: which events wait, which are being attempted, who comes next. load()
// reads a window of the store (a pool thread may do it), everything else is plain bookkeeping on
// one thread; no I/O, time passed in.
//
// Fairness: functions take turns, each with at most its own limit in flight. The limit halves when
// the function is throttled and grows by one for each limit's worth of successes, never above what
// the target says it can run. Memory: per function at most `window` events or `window_bytes` of
// them are loaded, whatever the backlog. Lifetime: forgetting a Schedule is a crash; what was
// leased is attempted again by the next one.
//
// Cancelling (cancel.h): hold() the ids before the commit, so that none of them starts meanwhile;
// drop() them once they are cancelled; release() always, which gives back what was not dropped.

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/deliver/records.h"
#include "wolke/store/store.h"

namespace wolke::deliver {

struct ScheduleOptions {
  std::size_t in_flight_max = 1000;
  unsigned per_function_max = 100;
  std::size_t window = 256;
  std::size_t window_bytes = 4 * 1024 * 1024;
};

/// What to read of one lane. A value: it is handed to another thread.
struct LoadPlan {
  struct Known {
    std::string inbox_cursor;  // last key loaded
    std::set<std::string> leased;
    std::size_t room = 0;
  };
  Lane lane = 0;
  Timestamp now{};
  std::map<std::string, Known> functions;
  std::size_t window = 0;
  std::size_t window_bytes = 0;
};

struct Loaded {
  struct Function {
    std::vector<Delivery> deliveries;
    std::string inbox_cursor;
    bool more = false;  // the window ended before the records did
    std::optional<Timestamp> next_due;
  };
  Lane lane = 0;
  std::map<std::string, Function> functions;
};

Result<Loaded> load(store::Snapshot& snapshot, const LoadPlan& plan);

class Schedule {
 public:
  explicit Schedule(ScheduleOptions options) : options_(options) {}

  /// A lane has something new (a hint, or its time has come).
  void mark(Lane lane) { dirty_.insert(lane); }
  void mark_all();
  /// The lanes to load now; they are clean afterwards.
  std::vector<LoadPlan> plans(Timestamp now);
  /// One load at a time: plans(), load() of each, merge() of each. Returns how many events it
  /// added.
  std::size_t merge(Loaded loaded);

  /// The next event to attempt, leased until settled(); nullopt: nothing may start now.
  std::optional<Delivery> take();
  /// The attempt ended and was recorded. `next_due`: when the event comes back, if it does.
  void settled(const Delivery& delivery, const Attempt& attempt, std::optional<Timestamp> next_due);

  /// None of these is taken until release(), whether it is loaded already or comes with a load.
  void hold(const std::set<std::string>& ids);
  /// These have ended. A load that is under way may still bring them: it is not believed.
  void drop(const std::set<std::string>& ids);
  void release(const std::set<std::string>& ids);
  bool is_under_way(const std::string& function, const std::string& key) const;

  /// When the earliest known retry is due.
  std::optional<Timestamp> next_due() const;
  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Queue {
    std::string function;
    Lane lane = 0;
    std::string inbox_cursor;
    std::deque<Delivery> ready;
    std::size_t ready_bytes = 0;
    std::set<std::string> leased;  // keys that are ready, held or in flight
    unsigned in_flight = 0;
    double limit = 0;
    bool more = false;
    bool in_turn = false;  // is in turns_
    std::optional<Timestamp> next_due;
    std::optional<Timestamp> due_since_plan;  // a load under way does not know of these
  };

  Queue& queue_of(Lane lane, const std::string& function);
  void join_turns(Queue& queue);
  void adapt(Queue& queue, const Attempt& attempt) const;
  bool has_room(const Queue& queue) const;

  ScheduleOptions options_;
  std::set<Lane> dirty_;
  std::map<std::string, Queue> queues_;  // by function; addresses stay
  std::deque<Queue*> turns_;             // functions with something ready
  std::size_t in_flight_ = 0;
  std::map<std::string, unsigned> holds_;  // event id -> how many hold it
  std::vector<Delivery> held_;             // taken out of `ready`
  std::set<std::string> gone_;             // ended since the last plans()
};

}  // namespace wolke::deliver
