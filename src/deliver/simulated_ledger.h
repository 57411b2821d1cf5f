#pragma once
// The judge of the simulation: what the outside saw of every event (the target, people, the store's
// records) against the promises of delivery.h. It knows nothing of schedule, records or automaton.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wolke/deliver/automaton.h"
#include "wolke/deliver/delivery.h"
#include "wolke/deliver/destination.h"

namespace wolke::deliver {

class Ledger {
 public:
  struct Entry {
    std::string function;  // unqualified
    Policy policy;
    Timestamp enqueued{};
    int ran = 0;  // outcomes that were recorded, of attempts that ran and failed
    std::optional<Timestamp> not_before;  // of the next attempt
    std::set<std::uint64_t> lives;        // of the server, in which it is in flight
    bool cancelled = false;               // acknowledged
    std::optional<EventStatus> ended;     // first seen in the store
    std::vector<std::string> told;        // events for its destination, by id
  };

  void enqueued(const std::string& id, const std::string& function, const Policy& policy,
                Timestamp now) {
    Entry& entry = entries_[id];
    entry.function = function;
    entry.policy = policy;
    entry.enqueued = now;
  }

  /// The target is called. `latest`: what the clock has shown at most; what was due once may start
  /// although the clock was set back since.
  void started(const std::string& id, std::uint64_t life, Timestamp now, Timestamp latest) {
    Entry& entry = entries_.at(id);
    if (!entry.lives.insert(life).second) broken("in flight twice", id);
    if (entry.cancelled) broken("attempted after it was cancelled", id);
    if (now > entry.enqueued + entry.policy.age_max) broken("attempted when too old", id);
    if (entry.not_before && latest < *entry.not_before) broken("attempted too early", id);
    ++calls_;
  }

  /// The target answered, and the answer was recorded (or the event had been cancelled).
  void answered(const std::string& id, std::uint64_t life, Outcome outcome, Timestamp now) {
    Entry& entry = entries_.at(id);
    entry.lives.erase(life);
    entry.not_before.reset();
    if (outcome == Outcome::function_error) {
      ++entry.ran;
      // A tenth less than documented, for the jitter.
      entry.not_before = now + std::chrono::seconds(entry.ran == 1 ? 54 : 108);
    } else if (outcome == Outcome::throttled || outcome == Outcome::server_error) {
      // At the maximum age there is one last attempt, however soon.
      entry.not_before =
          std::min<Timestamp>(now + Millis(900), entry.enqueued + entry.policy.age_max);
    }
  }

  void cancelled(const std::string& id) { entries_.at(id).cancelled = true; }

  void running(std::size_t total, std::size_t of_function, std::size_t total_max,
               std::size_t function_max) {
    if (total > total_max || of_function > function_max) broken("too many in flight", "");
  }

  /// Everything the store shows now.
  void seen(const std::vector<EventStatus>& statuses, Timestamp now, Millis kept) {
    std::set<std::string> ids;
    for (const EventStatus& status : statuses) {
      const std::string& id = status.event.id;
      if (!ids.insert(id).second) broken("recorded twice", id);
      auto entry = entries_.find(id);
      if (entry == entries_.end()) {
        broken("came from nowhere", id);
        continue;
      }
      if (status.terminal != Terminal::pending && !entry->second.ended)
        entry->second.ended = status;
      if (status.terminal == Terminal::pending && entry->second.ended)
        broken("ended and pending", id);
    }
    for (const auto& [id, entry] : entries_) {
      const bool young = !entry.ended || entry.ended->finished > now - kept;
      if (young && !ids.contains(id)) broken("not there", id);
    }
  }

  /// An event of a destination, found in the store: `of` is the event that it tells about.
  void told(const std::string& of, const Event& event) {
    Entry& entry = entries_.at(of);
    if (std::ranges::find(entry.told, event.id) == entry.told.end()) {
      entry.told.push_back(event.id);
      destinations_ += event.source == source_of_records;
    }
    if (entry.ended && event.target != destination_of(entry)) broken("told somebody else", of);
  }

  /// When nothing is pending any more.
  void check_ends() {
    for (const auto& [id, entry] : entries_) {
      if (!entry.ended) {
        broken("never ended", id);
        continue;
      }
      const EventStatus& end = *entry.ended;
      if ((end.terminal == Terminal::cancelled) != entry.cancelled) broken("cancelled or not", id);
      if (entry.ran > entry.policy.retries_max + 1) broken("retried too often", id);
      const bool exhausted = end.reason.starts_with("RetriesExhausted");
      if (exhausted && entry.ran != entry.policy.retries_max + 1) broken("given up too early", id);
      const std::size_t due = destination_of(entry).empty() ? 0 : 1;
      if (entry.told.size() < due) broken("its destination was not told", id);
      if (entry.told.size() > due) broken("its destination was told too often", id);
    }
  }

  /// An outcome of an event that nobody cancelled found the event where it was read, or not.
  void recorded(const std::string& id, bool where_it_was) {
    if (!where_it_was) broken("moved by nobody", id);
  }

  bool has(const std::string& id) const { return entries_.contains(id); }
  const std::string& function_of(const std::string& id) const { return entries_.at(id).function; }
  const std::vector<std::string>& violations() const { return violations_; }
  std::size_t calls() const { return calls_; }
  std::size_t destinations() const { return destinations_; }

 private:
  static std::string destination_of(const Entry& entry) {
    if (!entry.ended) return "";
    if (entry.ended->terminal == Terminal::succeeded) return entry.policy.on_success;
    if (entry.ended->terminal == Terminal::cancelled) return "";
    return entry.policy.on_failure;
  }

  void broken(const std::string& what, const std::string& id) {
    violations_.push_back(id.empty() ? what : fmt::format("{}: {}", what, id));
  }

  std::map<std::string, Entry> entries_;
  std::vector<std::string> violations_;
  std::size_t calls_ = 0, destinations_ = 0;
};

}  // namespace wolke::deliver
