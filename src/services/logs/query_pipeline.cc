#include "wolke/services/logs/query_pipeline.h"

#include <algorithm>
#include <cmath>

namespace wolke::logs {
namespace {

template <class C>
bool is(const Command& command) {
  return std::holds_alternative<C>(command);
}

const SortCommand& newest_first() {
  static const SortCommand command = [] {
    SortCommand::Key key;
    key.value.kind = Expression::Kind::field;
    key.value.name = "@timestamp";
    key.descending = true;
    SortCommand out;
    out.keys.push_back(std::move(key));
    return out;
  }();
  return command;
}

/// Sorts by the keys, the values of which are computed once; rows that are equal stay as they are.
void sort_rows(std::vector<Row>& rows, const SortCommand& command) {
  struct Item {
    std::vector<Value> values;
    std::size_t index;
  };
  std::vector<Item> items(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    items[i].index = i;
    for (const auto& key : command.keys) items[i].values.push_back(evaluate(key.value, rows[i]));
  }
  std::stable_sort(items.begin(), items.end(), [&command](const Item& a, const Item& b) {
    for (std::size_t i = 0; i < command.keys.size(); ++i) {
      const int order = compare(a.values[i], b.values[i]);
      if (order != 0) return command.keys[i].descending ? order > 0 : order < 0;
    }
    return false;
  });
  std::vector<Row> out;
  out.reserve(rows.size());
  for (const Item& item : items) out.push_back(std::move(rows[item.index]));
  rows = std::move(out);
}

std::string key_of(const std::vector<Column>& columns, const Row& row) {
  std::string out;
  for (const Column& column : columns) out += evaluate(column.value, row).as_text() + '\0';
  return out;
}

void parse_into(const ParseCommand& command, Row& row) {
  const std::string text = evaluate(command.from, row).as_text();
  const auto groups = command.regex->match(text);
  if (!groups) return;
  for (std::size_t i = 1; i < groups->size() && i < command.names.size(); ++i) {
    if (!command.names[i].empty() && (*groups)[i]) {
      row.set(command.names[i], Value::of(std::string(*(*groups)[i])));
    }
  }
}

}  // namespace

// ---- stats ----

class Pipeline::Grouping {
 public:
  explicit Grouping(const StatsCommand& command) : command_(command) {}

  /// What is wrong, or an empty text.
  std::string add(const Row& row) {
    const std::string key = key_of(command_.by, row);
    auto found = groups_.find(key);
    if (found == groups_.end()) {
      if (groups_.size() >= query_groups_max) return "stats has more than 20000 groups";
      found = groups_.emplace(key, Group{}).first;
      for (const Column& column : command_.by) {
        found->second.by.push_back(evaluate(column.value, row));
      }
      found->second.sums.resize(command_.aggregates.size());
    }
    for (std::size_t i = 0; i < command_.aggregates.size(); ++i) {
      count(command_.aggregates[i], found->second.sums[i], row);
    }
    return values_ > query_values_max ? "pct and count_distinct have too many values" : "";
  }

  std::vector<Row> rows() const {
    std::vector<Row> out;
    const bool nothing_came = groups_.empty() && command_.by.empty();
    if (nothing_came) out.push_back(row_of({{}, std::vector<Sum>(command_.aggregates.size())}));
    for (const auto& [key, group] : groups_) out.push_back(row_of(group));
    return out;
  }

 private:
  struct Sum {
    std::uint64_t count = 0;
    double total = 0, squares = 0;
    Value least, most, first, last;
    double first_at = 0, last_at = 0;
    std::vector<double> values;      // pct
    std::set<std::string> distinct;  // count_distinct
  };
  struct Group {
    std::vector<Value> by;
    std::vector<Sum> sums;
  };

  void count(const Aggregate& aggregate, Sum& sum, const Row& row) {
    if (!aggregate.argument) {
      ++sum.count;
      return;
    }
    Value value = evaluate(*aggregate.argument, row);
    if (value.empty()) return;
    switch (aggregate.kind) {
      case Aggregate::Kind::count:
        ++sum.count;
        return;
      case Aggregate::Kind::count_distinct:
        if (sum.distinct.insert(value.as_text()).second) ++values_;
        return;
      case Aggregate::Kind::min:
        if (sum.least.empty() || compare(value, sum.least) < 0) sum.least = std::move(value);
        return;
      case Aggregate::Kind::max:
        if (sum.most.empty() || compare(value, sum.most) > 0) sum.most = std::move(value);
        return;
      case Aggregate::Kind::earliest:
      case Aggregate::Kind::latest: {
        const double at = row.get("@timestamp").as_number().value_or(0);
        if (sum.first.empty() || at < sum.first_at) sum.first = value, sum.first_at = at;
        if (sum.last.empty() || at >= sum.last_at) sum.last = value, sum.last_at = at;
        return;
      }
      default:
        break;
    }
    const auto number = value.as_number();
    if (!number) return;
    ++sum.count;
    sum.total += *number;
    sum.squares += *number * *number;
    if (aggregate.kind != Aggregate::Kind::pct) return;
    sum.values.push_back(*number);
    ++values_;
  }

  static Value result(const Aggregate& aggregate, const Sum& sum) {
    const auto n = static_cast<double>(sum.count);
    switch (aggregate.kind) {
      case Aggregate::Kind::count:
        return Value::of(n);
      case Aggregate::Kind::count_distinct:
        return Value::of(static_cast<double>(sum.distinct.size()));
      case Aggregate::Kind::min:
        return plain(sum.least);
      case Aggregate::Kind::max:
        return plain(sum.most);
      case Aggregate::Kind::earliest:
        return sum.first;
      case Aggregate::Kind::latest:
        return sum.last;
      default:
        break;
    }
    if (sum.count == 0) return {};
    if (aggregate.kind == Aggregate::Kind::sum) return Value::of(sum.total);
    if (aggregate.kind == Aggregate::Kind::avg) return Value::of(sum.total / n);
    if (aggregate.kind == Aggregate::Kind::stddev) {
      return Value::of(
          std::sqrt(std::max(0.0, sum.squares / n - (sum.total / n) * (sum.total / n))));
    }
    // The nearest rank: a value that is there.
    std::vector<double> values = sum.values;
    const double rank = std::ceil(aggregate.percent / 100 * n);
    const auto index = static_cast<std::size_t>(std::clamp(rank, 1.0, n)) - 1;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                     values.end());
    return Value::of(values[index]);
  }

  /// Times become their milliseconds, as AWS answers.
  static Value plain(const Value& value) {
    return value.kind == Value::Kind::time ? Value::of(value.number) : value;
  }

  Row row_of(const Group& group) const {
    std::vector<Value> aggregates;
    for (std::size_t i = 0; i < group.sums.size(); ++i) {
      aggregates.push_back(result(command_.aggregates[i], group.sums[i]));
    }
    Row out;
    for (std::size_t i = 0; i < group.by.size(); ++i) out.set(command_.by[i].name, group.by[i]);
    // A column may use those before it by their names.
    for (const Column& column : command_.columns) {
      out.set(column.name, evaluate(column.value, out, &aggregates));
    }
    return out;
  }

  const StatsCommand& command_;
  std::map<std::string, Group> groups_;
  std::size_t values_ = 0;
};

// ---- the pipeline ----

Pipeline::Pipeline(std::vector<Command> commands, std::size_t limit)
    : commands_(std::move(commands)), limit_(limit), seen_(commands_.size()) {
  while (streamed_ < commands_.size()) {
    const Command& next = commands_[streamed_];
    if (is<StatsCommand>(next) || is<SortCommand>(next) || is<LimitCommand>(next) ||
        is<DedupCommand>(next)) {
      break;
    }
    ++streamed_;
  }
  const bool groups = streamed_ < commands_.size() && is<StatsCommand>(commands_[streamed_]);
  if (groups) {
    grouping_ = std::make_unique<Grouping>(std::get<StatsCommand>(commands_[streamed_]));
  }
  only_first_ = std::all_of(commands_.begin() + static_cast<std::ptrdiff_t>(streamed_),
                            commands_.end(), [this](const Command& command) {
                              const bool own_order =
                                  is<SortCommand>(command) && &command == &commands_[streamed_];
                              return own_order || is<LimitCommand>(command) ||
                                     is<DisplayCommand>(command) || is<FieldsCommand>(command);
                            });
}

Pipeline::~Pipeline() = default;

bool Pipeline::pass(const Command& command, std::size_t index, Row& row) {
  if (const auto* fields = std::get_if<FieldsCommand>(&command)) {
    for (const Column& column : fields->columns) {
      const bool itself =
          column.value.kind == Expression::Kind::field && column.value.name == column.name;
      if (itself) continue;
      row.set(column.name, evaluate(column.value, row));
      if (row.bytes() > query_row_bytes_max) {
        problem_ = "a row of the query grows too large";
        return false;
      }
    }
  } else if (const auto* filter = std::get_if<FilterCommand>(&command)) {
    return evaluate(filter->condition, row).truth();
  } else if (const auto* parse = std::get_if<ParseCommand>(&command)) {
    parse_into(*parse, row);
  } else if (const auto* dedup = std::get_if<DedupCommand>(&command)) {
    return seen_[index].insert(key_of(dedup->columns, row)).second;
  }
  return true;
}

void Pipeline::push(Row row) {
  if (!problem_.empty()) return;
  for (std::size_t i = 0; i < streamed_; ++i) {
    if (!pass(commands_[i], i, row)) return;
  }
  ++matched_;
  if (grouping_) {
    problem_ = grouping_->add(row);
  } else {
    keep(std::move(row));
  }
}

void Pipeline::keep(Row row) {
  row.forget_document();
  kept_bytes_ += row.bytes();
  kept_.push_back(std::move(row));
  if (kept_.size() < query_kept_rows_max && kept_bytes_ < query_kept_bytes_max) return;
  if (only_first_) prune();
  // Half of the room must have become free, or pruning would never end.
  if (kept_.size() > query_kept_rows_max / 2 || kept_bytes_ > query_kept_bytes_max / 2) {
    problem_ = "the query keeps too many rows: let it filter more, or set a lower limit";
  }
}

void Pipeline::prune() {
  const bool sorted = streamed_ < commands_.size() && is<SortCommand>(commands_[streamed_]);
  sort_rows(kept_, sorted ? std::get<SortCommand>(commands_[streamed_]) : newest_first());
  std::size_t wanted = limit_;
  for (const Command& command : commands_) {
    if (const auto* limit = std::get_if<LimitCommand>(&command)) {
      wanted = std::min(wanted, limit->rows);
    }
  }
  if (kept_.size() > wanted) kept_.resize(wanted);
  kept_bytes_ = 0;
  for (const Row& row : kept_) kept_bytes_ += row.bytes();
}

std::vector<Row> Pipeline::after(std::vector<Row> rows, std::size_t first) {
  for (std::size_t i = first; i < commands_.size(); ++i) {
    const Command& command = commands_[i];
    if (const auto* sort = std::get_if<SortCommand>(&command)) {
      sort_rows(rows, *sort);
    } else if (const auto* limit = std::get_if<LimitCommand>(&command)) {
      if (rows.size() > limit->rows) rows.resize(limit->rows);
    } else if (const auto* stats = std::get_if<StatsCommand>(&command)) {
      Grouping again(*stats);
      for (const Row& row : rows) {
        if (std::string problem = again.add(row); !problem.empty()) problem_ = problem;
      }
      rows = again.rows();
    } else {
      seen_[i].clear();
      std::erase_if(rows, [&](Row& row) { return !pass(command, i, row); });
    }
  }
  return rows;
}

std::vector<Column> Pipeline::output_columns() const {
  const auto plain = [](const std::string& name) {
    Column out{name, {}};
    out.value.kind = Expression::Kind::field;
    out.value.name = name;
    return out;
  };
  std::vector<Column> out;
  bool displayed = false, grouped = false;
  for (const Command& command : commands_) {
    if (const auto* stats = std::get_if<StatsCommand>(&command)) {
      out.clear();
      displayed = false, grouped = true;
      for (const Column& column : stats->by) out.push_back(plain(column.name));
      for (const Column& column : stats->columns) out.push_back(plain(column.name));
    } else if (const auto* display = std::get_if<DisplayCommand>(&command)) {
      out = display->columns;
      displayed = true;
    } else if (const auto* fields = std::get_if<FieldsCommand>(&command); fields && !displayed) {
      for (const Column& column : fields->columns) out.push_back(plain(column.name));
    }
  }
  if (out.empty()) out = {plain("@timestamp"), plain("@message")};
  if (!grouped) out.push_back(plain("@ptr"));
  return out;
}

std::vector<ResultRow> Pipeline::results() {
  std::vector<Row> rows;
  const bool own_order =
      std::any_of(commands_.begin(), commands_.end(),
                  [](const Command& command) { return is<SortCommand>(command); });
  if (grouping_) {
    rows = after(grouping_->rows(), streamed_ + 1);
  } else {
    rows = kept_;
    if (!own_order) sort_rows(rows, newest_first());
    rows = after(std::move(rows), streamed_);
  }
  if (rows.size() > limit_) rows.resize(limit_);
  const std::vector<Column> columns = output_columns();
  std::vector<ResultRow> out;
  for (const Row& row : rows) {
    ResultRow& result = out.emplace_back();
    for (const Column& column : columns) {
      const Value value = evaluate(column.value, row);
      if (!value.empty()) result.emplace_back(column.name, value.as_text());
    }
  }
  return out;
}

}  // namespace wolke::logs
