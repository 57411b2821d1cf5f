#include "wolke/deliver/schedule.h"

#include <algorithm>

#include "wolke/store/keys.h"

namespace wolke::deliver {
namespace {

std::optional<Timestamp> earlier(std::optional<Timestamp> a, std::optional<Timestamp> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

/// Functions with a record in the table, found by seeking from one range to the next.
Result<std::vector<std::string>> functions_in(store::Snapshot& snapshot, std::string_view table,
                                              Lane lane) {
  std::vector<std::string> out;
  const std::string prefix = lane_prefix(table, lane);
  const std::string end = store::prefix_end(prefix);
  std::string begin = prefix;
  while (true) {
    store::Scan scan;
    scan.shard = shard_of_lane(lane);
    scan.begin = begin;
    scan.end = end;
    scan.records_max = 1;
    TRY(auto page, snapshot.scan(scan));
    if (page.records.empty()) return out;
    auto function = function_of_key(page.records.front().key);
    if (!function) return fail(internal_error("a delivery's key has an unknown form"));
    begin = store::prefix_end(store::KeyBuilder(table).number(lane).text(*function).build());
    out.push_back(*std::move(function));
  }
}

/// How much more of a function may be loaded.
struct Window {
  std::size_t room = 0;
  std::size_t bytes = 0;
};

Result<Delivery> delivery_of(const store::Record& record, Lane lane, const std::string& function,
                             std::string_view bound_to) {
  Delivery out;
  TRY(out.record, store::decode<PendingRecord>(record.value, bound_to));
  out.place = {{shard_of_lane(lane), record.key}, record.version};
  out.lane = lane;
  out.function = function;
  return out;
}

Result<void> load_inbox(store::Snapshot& snapshot, const LoadPlan& plan,
                        const std::string& function, Window& window, Loaded::Function& out) {
  const std::string prefix = inbox_prefix(plan.lane, function);
  store::Scan scan;
  scan.shard = shard_of_lane(plan.lane);
  scan.begin =
      out.inbox_cursor.empty() ? prefix : out.inbox_cursor + '\0';  // just after the cursor
  scan.end = store::prefix_end(prefix);
  scan.records_max = window.room;
  scan.bytes_max = window.bytes;
  if (window.room == 0) {
    scan.records_max = 1;
    TRY(auto page, snapshot.scan(scan));
    out.more = out.more || !page.records.empty();
    return {};
  }
  TRY(auto page, snapshot.scan(scan));
  for (const store::Record& record : page.records) {
    TRY(auto delivery, delivery_of(record, plan.lane, function, prefix));
    out.inbox_cursor = record.key;
    out.deliveries.push_back(std::move(delivery));
  }
  window.room -= page.records.size();
  out.more = out.more || page.more;
  return {};
}

Result<void> load_due(store::Snapshot& snapshot, const LoadPlan& plan, const std::string& function,
                      const std::set<std::string>* leased, Window& window, Loaded::Function& out) {
  const std::string prefix = due_prefix(plan.lane, function);
  store::Scan scan;
  scan.shard = shard_of_lane(plan.lane);
  scan.begin = prefix;
  scan.end = store::prefix_end(prefix);
  // Leased ones may still stand at the front.
  scan.records_max = window.room + (leased ? leased->size() : 0) + 1;
  scan.bytes_max = window.bytes;
  TRY(auto page, snapshot.scan(scan));
  for (const store::Record& record : page.records) {
    if (leased && leased->contains(record.key)) continue;
    const auto due = due_of_key(record.key);
    if (!due) return fail(internal_error("a due key has an unknown form"));
    if (*due > plan.now) {
      out.next_due = *due;
      return {};
    }
    if (window.room == 0) {
      out.more = true;
      return {};
    }
    TRY(auto delivery, delivery_of(record, plan.lane, function, record.key));
    out.deliveries.push_back(std::move(delivery));
    --window.room;
  }
  out.more = out.more || page.more;
  return {};
}

}  // namespace

Result<Loaded> load(store::Snapshot& snapshot, const LoadPlan& plan) {
  Loaded out;
  out.lane = plan.lane;
  std::set<std::string> functions;
  for (std::string_view table : {"deliver.due", "deliver.inbox"}) {
    TRY(auto found, functions_in(snapshot, table, plan.lane));
    functions.insert(found.begin(), found.end());
  }
  for (const std::string& function : functions) {
    auto known = plan.functions.find(function);
    const bool is_known = known != plan.functions.end();
    Window window{is_known ? known->second.room : plan.window, plan.window_bytes};
    Loaded::Function& loaded = out.functions[function];
    if (is_known) loaded.inbox_cursor = known->second.inbox_cursor;
    TRY(load_due(snapshot, plan, function, is_known ? &known->second.leased : nullptr, window,
                 loaded));
    TRY(load_inbox(snapshot, plan, function, window, loaded));
  }
  return out;
}

void Schedule::mark_all() {
  for (Lane lane = 0; lane < lane_count; ++lane) dirty_.insert(lane);
}

std::vector<LoadPlan> Schedule::plans(Timestamp now) {
  for (const auto& [function, queue] : queues_) {
    if (queue.next_due && *queue.next_due <= now) dirty_.insert(queue.lane);
    if (queue.more && queue.ready.size() < options_.window / 2) dirty_.insert(queue.lane);
  }
  std::vector<LoadPlan> out;
  for (Lane lane : dirty_) {
    LoadPlan plan;
    plan.lane = lane;
    plan.now = now;
    plan.window = options_.window;
    plan.window_bytes = options_.window_bytes;
    for (const auto& [function, queue] : queues_) {
      if (queue.lane != lane) continue;
      LoadPlan::Known known{queue.inbox_cursor, queue.leased, 0};
      if (has_room(queue)) known.room = options_.window - queue.ready.size();
      plan.functions.emplace(function, std::move(known));
    }
    out.push_back(std::move(plan));
  }
  dirty_.clear();
  gone_.clear();  // what is read from here on no longer has them
  for (auto& [function, queue] : queues_) queue.due_since_plan.reset();
  return out;
}

bool Schedule::has_room(const Queue& queue) const {
  return queue.ready.size() < options_.window && queue.ready_bytes < options_.window_bytes;
}

Schedule::Queue& Schedule::queue_of(Lane lane, const std::string& function) {
  Queue& queue = queues_[function];
  if (queue.function.empty()) {
    queue.function = function;
    queue.lane = lane;
    queue.limit = options_.per_function_max;
  }
  return queue;
}

std::size_t Schedule::merge(Loaded loaded) {
  std::size_t added = 0;
  for (auto& [function, part] : loaded.functions) {
    Queue& queue = queue_of(loaded.lane, function);
    if (!part.inbox_cursor.empty()) queue.inbox_cursor = std::move(part.inbox_cursor);
    queue.more = part.more;
    queue.next_due = earlier(part.next_due, queue.due_since_plan);
    for (Delivery& delivery : part.deliveries) {
      if (gone_.contains(delivery.record.id)) continue;
      if (!queue.leased.insert(delivery.place.key.bytes).second) continue;
      ++added;
      if (holds_.contains(delivery.record.id)) {
        held_.push_back(std::move(delivery));
        continue;
      }
      queue.ready_bytes += delivery.record.payload.size();
      queue.ready.push_back(std::move(delivery));
    }
    join_turns(queue);
  }
  // A function with nothing left is forgotten.
  for (auto it = queues_.begin(); it != queues_.end();) {
    Queue& queue = it->second;
    const bool idle = queue.lane == loaded.lane && queue.leased.empty() && !queue.due_since_plan &&
                      !loaded.functions.contains(it->first);
    it = idle ? queues_.erase(it) : std::next(it);
  }
  return added;
}

void Schedule::join_turns(Queue& queue) {
  if (queue.in_turn || queue.ready.empty()) return;
  queue.in_turn = true;
  turns_.push_back(&queue);
}

std::optional<Delivery> Schedule::take() {
  if (in_flight_ >= options_.in_flight_max) return std::nullopt;
  for (std::size_t tries = turns_.size(); tries > 0; --tries) {
    Queue& queue = *turns_.front();
    turns_.pop_front();
    if (queue.in_flight >= std::max(1U, static_cast<unsigned>(queue.limit))) {
      turns_.push_back(&queue);
      continue;
    }
    Delivery next = std::move(queue.ready.front());
    queue.ready.pop_front();
    queue.ready_bytes -= std::min(queue.ready_bytes, next.record.payload.size());
    ++queue.in_flight;
    ++in_flight_;
    if (queue.ready.empty()) {
      queue.in_turn = false;
    } else {
      turns_.push_back(&queue);
    }
    return next;
  }
  return std::nullopt;
}

void Schedule::adapt(Queue& queue, const Attempt& attempt) const {
  const double most =
      std::min(options_.per_function_max, attempt.concurrency.value_or(options_.per_function_max));
  if (attempt.outcome == Outcome::throttled) {
    // One halving for a round of throttles, not one for each of them.
    const double running = queue.in_flight + 1.0;
    queue.limit = std::max(1.0, std::max(queue.limit / 2, std::min(queue.limit, running) - 1));
  } else if (attempt.outcome == Outcome::succeeded || attempt.outcome == Outcome::function_error) {
    queue.limit += 1.0 / std::max(1.0, queue.limit);
  }
  queue.limit = std::clamp(queue.limit, 1.0, std::max(1.0, most));
}

void Schedule::settled(const Delivery& delivery, const Attempt& attempt,
                       std::optional<Timestamp> next_due) {
  auto found = queues_.find(delivery.function);
  ASSERT(found != queues_.end() && found->second.in_flight > 0);
  Queue& queue = found->second;
  --queue.in_flight;
  --in_flight_;
  queue.leased.erase(delivery.place.key.bytes);
  queue.next_due = earlier(queue.next_due, next_due);
  queue.due_since_plan = earlier(queue.due_since_plan, next_due);
  adapt(queue, attempt);
}

void Schedule::hold(const std::set<std::string>& ids) {
  for (const std::string& id : ids) ++holds_[id];
  for (auto& [function, queue] : queues_) {
    for (auto it = queue.ready.begin(); it != queue.ready.end();) {
      if (!ids.contains(it->record.id)) {
        ++it;
        continue;
      }
      queue.ready_bytes -= std::min(queue.ready_bytes, it->record.payload.size());
      held_.push_back(std::move(*it));
      it = queue.ready.erase(it);
    }
    if (queue.in_turn && queue.ready.empty()) {
      queue.in_turn = false;
      std::erase(turns_, &queue);
    }
  }
}

void Schedule::drop(const std::set<std::string>& ids) {
  gone_.insert(ids.begin(), ids.end());
  std::erase_if(held_, [&](const Delivery& delivery) {
    if (!ids.contains(delivery.record.id)) return false;
    queues_.at(delivery.function).leased.erase(delivery.place.key.bytes);
    return true;
  });
}

void Schedule::release(const std::set<std::string>& ids) {
  for (const std::string& id : ids) {
    auto held = holds_.find(id);
    if (held != holds_.end() && --held->second == 0) holds_.erase(held);
  }
  std::vector<Delivery> still_held;
  for (Delivery& delivery : held_) {
    if (holds_.contains(delivery.record.id)) {
      still_held.push_back(std::move(delivery));
      continue;
    }
    Queue& queue = queues_.at(delivery.function);
    queue.ready_bytes += delivery.record.payload.size();
    queue.ready.push_front(std::move(delivery));
    join_turns(queue);
  }
  held_ = std::move(still_held);
}

bool Schedule::is_under_way(const std::string& function, const std::string& key) const {
  auto queue = queues_.find(function);
  if (queue == queues_.end() || !queue->second.leased.contains(key)) return false;
  const auto is_it = [&key](const Delivery& delivery) { return delivery.place.key.bytes == key; };
  return std::ranges::none_of(held_, is_it) && std::ranges::none_of(queue->second.ready, is_it);
}

std::optional<Timestamp> Schedule::next_due() const {
  std::optional<Timestamp> out;
  for (const auto& [function, queue] : queues_) out = earlier(out, queue.next_due);
  return out;
}

}  // namespace wolke::deliver
