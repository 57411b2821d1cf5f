#include <algorithm>
#include <array>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/query.h"
#include "wolke/services/logs/query_scanner.h"
#include "wolke/shape/json.h"

namespace wolke::logs {
namespace {

using shape::Json;
using Kind = Expression::Kind;

Expression call(std::string name, Expression a, Expression b) {
  Expression out;
  out.kind = Kind::call;
  out.name = std::move(name);
  out.function = find_function(out.name, 2);
  out.children.push_back(std::move(a));
  out.children.push_back(std::move(b));
  return out;
}

Expression constant(Value value) {
  Expression out;
  out.constant = std::move(value);
  return out;
}

Expression field(std::string name) {
  Expression out;
  out.kind = Kind::field;
  out.name = std::move(name);
  return out;
}

/// "user=*, id=*" as a regular expression with a group for each star.
Result<std::shared_ptr<const Regex>> regex_of_glob(std::string_view glob) {
  std::string source;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (c == '*') {
      source += i + 1 == glob.size() ? "([\\s\\S]*)" : "([\\s\\S]*?)";
      continue;
    }
    const bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) source += '\\';
    source += c;
  }
  auto regex = Regex::compile(source);
  if (!regex) return fail(malformed_query("bad pattern of parse: " + regex.error().message));
  return std::make_shared<const Regex>(*std::move(regex));
}

class QueryParser {
 public:
  QueryParser(std::string_view text, Timestamp now) : scan_(text), now_(now) {}

  /// Where the reading stands: at what an error is about.
  std::size_t position() const { return scan_.position(); }

  Result<std::vector<Command>> commands() {
    std::vector<Command> out;
    scan_.take("|");
    do {
      TRY(Command next, command());
      out.push_back(std::move(next));
    } while (scan_.take("|"));
    if (!scan_.at_end()) return fail(scan_.error("'|'"));
    return out;
  }

 private:
  Result<Command> command() {
    if (scan_.take_word("fields")) return of<FieldsCommand>(columns());
    if (scan_.take_word("display")) return of<DisplayCommand>(columns());
    if (scan_.take_word("dedup")) return of<DedupCommand>(columns());
    if (scan_.take_word("filter")) return filter();
    if (scan_.take_word("parse")) return parse();
    if (scan_.take_word("stats")) return stats();
    if (scan_.take_word("sort") || scan_.take_word("order")) return sort();
    if (scan_.take_word("limit") || scan_.take_word("head")) return limit();
    for (const char* known : {"pattern", "diff", "unmask", "unnest", "anomaly", "source",
                              "filterindex", "join", "lookup"}) {
      if (scan_.word_ahead(known)) return fail(not_served(std::string("The command ") + known));
    }
    return fail(scan_.error("a command"));
  }

  template <class C>
  static Result<Command> of(Result<std::vector<Column>> columns) {
    if (!columns) return fail(columns.error());
    return C{*std::move(columns)};
  }

  Result<Command> filter() {
    FilterCommand out;
    TRY(out.condition, expression(0));
    return out;
  }

  Result<Command> limit() {
    const auto rows = scan_.number();
    if (!rows || *rows < 1 || *rows > static_cast<double>(query_rows_max)) {
      return fail(scan_.error("a number of rows from 1 to 10000"));
    }
    return LimitCommand{static_cast<std::size_t>(*rows)};
  }

  Result<Command> sort() {
    scan_.take_word("by");
    SortCommand out;
    do {
      SortCommand::Key key;
      TRY(key.value, expression(0));
      key.descending = scan_.take_word("desc");
      if (!key.descending) scan_.take_word("asc");
      out.keys.push_back(std::move(key));
    } while (scan_.take(","));
    return out;
  }

  Result<Command> parse() {
    ParseCommand out;
    out.from = field("@message");
    const char first = scan_.peek();
    if (first != '"' && first != '\'' && first != '/') {
      // Not an expression: what follows begins with '/' and is no division.
      TRY(out.from, primary(0));
    }
    if (scan_.peek() == '/') {
      TRY(out.regex, scan_.regex());
      out.names = out.regex->group_names();
      if (scan_.take_word("as")) {
        TRY(out.names, names_of_groups(out.regex->group_names().size()));
      }
      return out;
    }
    if (scan_.peek() != '"' && scan_.peek() != '\'') return fail(scan_.error("a pattern"));
    TRY(const std::string glob, scan_.quoted());
    TRY(out.regex, regex_of_glob(glob));
    if (!scan_.take_word("as")) return fail(scan_.error("as"));
    TRY(out.names, names_of_groups(out.regex->group_names().size()));
    return out;
  }

  /// As many as there are groups.
  Result<std::vector<std::string>> names_of_groups(std::size_t groups) {
    std::vector<std::string> out = {""};
    do {
      out.push_back(scan_.name());
      if (out.back().empty()) return fail(scan_.error("a name"));
    } while (scan_.take(","));
    if (out.size() != groups)
      return fail(malformed_query("parse needs a name for each of its groups"));
    return out;
  }

  Result<Command> stats() {
    StatsCommand out;
    stats_ = &out;
    auto made = columns();
    stats_ = nullptr;
    if (!made) return fail(made.error());
    out.columns = *std::move(made);
    if (scan_.take_word("by")) {
      TRY(out.by, columns());
    }
    return out;
  }

  Result<std::vector<Column>> columns() {
    std::vector<Column> out;
    do {
      scan_.skip_spaces();
      const std::size_t begin = scan_.position();
      Column column;
      TRY(column.value, expression(0));
      column.name = column.value.kind == Kind::field ? column.value.name : scan_.since(begin);
      if (scan_.take_word("as")) {
        column.name = scan_.name();
        if (column.name.empty()) return fail(scan_.error("a name"));
      }
      out.push_back(std::move(column));
    } while (scan_.take(","));
    return out;
  }

  // ---- expressions, loosest first ----

  Result<Expression> expression(int depth) {
    if (depth > query_depth_max) return fail(scan_.error("less nesting"));
    TRY(Expression out, conjunction(depth));
    while (scan_.take_word("or") || scan_.take("||")) {
      TRY(Expression right, conjunction(depth));
      out = call("or", std::move(out), std::move(right));
    }
    return out;
  }

  Result<Expression> conjunction(int depth) {
    TRY(Expression out, negation(depth));
    while (scan_.take_word("and") || scan_.take("&&")) {
      TRY(Expression right, negation(depth));
      out = call("and", std::move(out), std::move(right));
    }
    return out;
  }

  Result<Expression> negation(int depth) {
    if (depth > query_depth_max) return fail(scan_.error("less nesting"));
    const bool negated = scan_.take_word("not");
    if (!negated) return comparison(depth);
    Expression out;
    out.kind = Kind::call;
    out.name = "not";
    out.function = find_function(out.name, 1);
    TRY(Expression inner, negation(depth + 1));
    out.children.push_back(std::move(inner));
    return out;
  }

  Result<Expression> comparison(int depth) {
    TRY(Expression left, sum(depth));
    const bool negated = scan_.take_word("not");
    if (scan_.take_word("like") || scan_.take("=~")) return like(std::move(left), negated);
    if (scan_.take_word("in")) return in(std::move(left), negated, depth);
    if (negated) return fail(scan_.error("like or in"));
    // The longer ones first.
    for (const char* symbol : {"!=", "<=", ">=", "==", "=", "<", ">"}) {
      if (!scan_.take(symbol)) continue;
      TRY(Expression right, sum(depth));
      const std::string_view given(symbol);
      return call(std::string(given == "==" ? "=" : given), std::move(left), std::move(right));
    }
    return left;
  }

  Result<Expression> like(Expression left, bool negated) {
    Expression out;
    out.kind = Kind::like;
    out.negated = negated;
    out.children.push_back(std::move(left));
    if (scan_.peek() == '/') {
      TRY(out.regex, scan_.regex());
    } else if (scan_.peek() == '"' || scan_.peek() == '\'') {
      TRY(std::string text, scan_.quoted());
      out.constant = Value::of(std::move(text));
    } else {
      return fail(scan_.error("a string or a regular expression"));
    }
    return out;
  }

  Result<Expression> in(Expression left, bool negated, int depth) {
    if (!scan_.take("[")) return fail(scan_.error("'['"));
    Expression out;
    out.kind = Kind::in;
    out.negated = negated;
    out.children.push_back(std::move(left));
    do {
      TRY(Expression item, sum(depth + 1));
      out.children.push_back(std::move(item));
    } while (scan_.take(","));
    if (!scan_.take("]")) return fail(scan_.error("']'"));
    return out;
  }

  Result<Expression> sum(int depth) {
    TRY(Expression out, product(depth));
    while (true) {
      const char* symbol = scan_.take("+") ? "+" : scan_.take("-") ? "-" : nullptr;
      if (symbol == nullptr) return out;
      TRY(Expression right, product(depth));
      out = call(symbol, std::move(out), std::move(right));
    }
  }

  Result<Expression> product(int depth) {
    TRY(Expression out, primary(depth));
    while (true) {
      const char* symbol = scan_.take("*")   ? "*"
                           : scan_.take("/") ? "/"
                           : scan_.take("%") ? "%"
                           : scan_.take("^") ? "^"
                                             : nullptr;
      if (symbol == nullptr) return out;
      TRY(Expression right, primary(depth));
      out = call(symbol, std::move(out), std::move(right));
    }
  }

  Result<Expression> primary(int depth) {
    if (depth > query_depth_max) return fail(scan_.error("less nesting"));
    if (scan_.take("(")) {
      TRY(Expression inner, expression(depth + 1));
      if (!scan_.take(")")) return fail(scan_.error("')'"));
      return inner;
    }
    if (scan_.take("-")) {
      TRY(Expression inner, primary(depth + 1));
      return call("-", constant(Value::of(0.0)), std::move(inner));
    }
    if (scan_.peek() == '"' || scan_.peek() == '\'') {
      TRY(std::string text, scan_.quoted());
      return constant(Value::of(std::move(text)));
    }
    if (const auto period = scan_.period()) {
      return constant(Value::of(static_cast<double>(*period)));
    }
    if (const auto number = scan_.number()) return constant(Value::of(*number));
    std::string name = scan_.name();
    if (name.empty()) return fail(scan_.error("a field or a value"));
    if (!scan_.take("(")) return field(std::move(name));
    return function(to_lower(name), depth);
  }

  Result<Expression> function(const std::string& name, int depth) {
    static constexpr std::array<std::pair<std::string_view, Aggregate::Kind>, 14> aggregates = {
        {{"count", Aggregate::Kind::count},
         {"count_distinct", Aggregate::Kind::count_distinct},
         {"sum", Aggregate::Kind::sum},
         {"avg", Aggregate::Kind::avg},
         {"min", Aggregate::Kind::min},
         {"max", Aggregate::Kind::max},
         {"sortsfirst", Aggregate::Kind::min},
         {"sortslast", Aggregate::Kind::max},
         {"pct", Aggregate::Kind::pct},
         {"percentile", Aggregate::Kind::pct},
         {"median", Aggregate::Kind::pct},
         {"stddev", Aggregate::Kind::stddev},
         {"earliest", Aggregate::Kind::earliest},
         {"latest", Aggregate::Kind::latest}}};
    for (const auto& [known, kind] : aggregates) {
      if (name == known) return aggregate(kind, name, depth);
    }
    Expression out;
    out.kind = Kind::call;
    out.name = name;
    if (!scan_.take(")")) {
      do {
        TRY(Expression argument, expression(depth + 1));
        out.children.push_back(std::move(argument));
      } while (scan_.take(","));
      if (!scan_.take(")")) return fail(scan_.error("')'"));
    }
    if (name == "now" && out.children.empty()) {
      const std::int64_t seconds = to_millis(now_) / 1000;
      return constant(Value::of(static_cast<double>(seconds)));
    }
    if (name == "bin" && out.children.size() == 1) {
      out.name = "datefloor";
      out.children.insert(out.children.begin(), field("@timestamp"));
    }
    out.function = find_function(out.name, out.children.size());
    if (out.function == nullptr) {
      return fail(malformed_query("unknown function, or wrong number of its arguments: " + name));
    }
    return out;
  }

  Result<Expression> aggregate(Aggregate::Kind kind, const std::string& name, int depth) {
    if (stats_ == nullptr) return fail(malformed_query(name + " belongs into stats"));
    StatsCommand* outer = std::exchange(stats_, nullptr);
    Aggregate out;
    out.kind = kind;
    constexpr double half = 50;
    if (name == "median") out.percent = half;
    const bool everything = kind == Aggregate::Kind::count && scan_.take("*");
    if (!everything && scan_.peek() != ')') {
      TRY(out.argument, expression(depth + 1));
    }
    if (kind == Aggregate::Kind::pct && name != "median") {
      if (!scan_.take(",")) return fail(scan_.error("','"));
      const auto percent = scan_.number();
      constexpr double all = 100;
      if (!percent || *percent > all) return fail(scan_.error("a percentage"));
      out.percent = *percent;
    }
    if (!out.argument && kind != Aggregate::Kind::count) return fail(scan_.error("a field"));
    if (!scan_.take(")")) return fail(scan_.error("')'"));
    Expression made;
    made.kind = Kind::aggregate;
    made.slot = outer->aggregates.size();
    outer->aggregates.push_back(std::move(out));
    stats_ = outer;
    return made;
  }

  QueryScanner scan_;
  Timestamp now_;
  StatsCommand* stats_ = nullptr;  // the command whose columns are being read
};

}  // namespace

Result<std::vector<Command>> parse_query(std::string_view text, Timestamp now) {
  QueryParser parser(text, now);
  auto out = parser.commands();
  if (out) return out;
  Error error = std::move(out).error();
  const auto at = static_cast<std::int64_t>(std::min(parser.position(), text.size()));
  Json location = Json::Object{};
  location.set("startCharOffset", at);
  location.set("endCharOffset", at);
  Json compile_error = Json::Object{};
  compile_error.set("location", std::move(location));
  compile_error.set("message", error.message);
  error.fields = {{"queryCompileError", compile_error.text()}};
  return fail(std::move(error));
}

}  // namespace wolke::logs
