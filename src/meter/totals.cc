#include "wolke/meter/totals.h"

#include <algorithm>
#include <array>
#include <optional>

#include "wolke/store/counter.h"
#include "wolke/store/keys.h"

namespace wolke::meter {

namespace {

constexpr std::string_view table = "usage";

/// A field's number is part of its key: never reused.
struct Field {
  std::uint64_t number;
  std::int64_t Totals::* member;
};
constexpr std::array<Field, fields_per_line> fields{{{1, &Totals::count},
                                                     {2, &Totals::errors},
                                                     {3, &Totals::cold_starts},
                                                     {4, &Totals::billed_ms},
                                                     {5, &Totals::memory_mb_ms},
                                                     {6, &Totals::duration_us},
                                                     {7, &Totals::bytes_in},
                                                     {8, &Totals::bytes_out}}};

store::Shard shard_for(std::string_view account) {
  return store::shard_of("usage/" + std::string(account));
}

std::uint64_t day_number(std::chrono::sys_days day) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(day.time_since_epoch().count(), 0));
}

Error corrupt() {
  return {.code = "Corrupt", .status = 500, .message = "A usage total's record is damaged."};
}

struct Number {
  UsageLine line;
  std::uint64_t field = 0;
  std::int64_t value = 0;
};

std::optional<Number> read_number(const store::Record& record) {
  store::KeyReader key(record.key);
  if (!key.text() || !key.text()) return std::nullopt;  // table and account
  const auto day = key.number();
  const auto kind = key.number();
  auto resource = key.text();
  const auto field = key.number();
  const auto value = store::read_counter(record.value);
  if (!day || !kind || !resource || !field || !key.at_end() || !value) return std::nullopt;
  return Number{.line = {.day = std::chrono::sys_days(std::chrono::days(*day)),
                         .kind = static_cast<Kind>(*kind),
                         .resource = *std::move(resource),
                         .totals = {}},
                .field = *field,
                .value = *value};
}

bool same_line(const UsageLine& a, const UsageLine& b) {
  return a.day == b.day && a.kind == b.kind && a.resource == b.resource;
}

/// Takes the number into the last line or a new one; false when the page has no room for a new one.
bool take(UsagePage& page, Number number, std::size_t lines_max) {
  if (page.lines.empty() || !same_line(page.lines.back(), number.line)) {
    if (page.lines.size() >= std::max<std::size_t>(lines_max, 1)) return false;
    page.lines.push_back(std::move(number.line));
  }
  for (const Field& field : fields) {
    if (field.number == number.field) page.lines.back().totals.*field.member = number.value;
  }
  return true;  // a number that this build does not know is left out
}

}  // namespace

void Totals::count_in(const UsageRecord& record) {
  count += 1;
  errors += record.error ? 1 : 0;
  cold_starts += record.cold ? 1 : 0;
  billed_ms += static_cast<std::int64_t>(record.billed_ms);
  memory_mb_ms += static_cast<std::int64_t>(record.billed_ms * record.memory_mb);
  duration_us += static_cast<std::int64_t>(record.duration_us);
  bytes_in += static_cast<std::int64_t>(record.bytes_in);
  bytes_out += static_cast<std::int64_t>(record.bytes_out);
}

std::chrono::sys_days day_of(Timestamp at) {
  return std::chrono::floor<std::chrono::days>(at);
}

void add_totals(store::Batch& batch, const LineName& name, const Totals& totals) {
  const store::Shard shard = shard_for(name.account);
  store::KeyBuilder line(table);
  line.text(name.account)
      .number(day_number(name.day))
      .number(static_cast<std::uint64_t>(name.kind))
      .text(name.resource);
  for (const Field& field : fields) {
    if (totals.*field.member == 0) continue;
    std::string key = store::KeyBuilder(line).number(field.number).build();
    batch.adds.push_back({{shard, std::move(key)}, totals.*field.member});
  }
}

Result<UsagePage> usage(store::Snapshot& snapshot, const UsageQuery& query) {
  store::KeyBuilder account(table);
  account.text(query.account);
  store::Scan scan{
      .shard = shard_for(query.account),
      .begin = store::KeyBuilder(account).number(day_number(query.from)).build(),
      .end =
          store::KeyBuilder(account).number(day_number(query.to + std::chrono::days(1))).build()};
  scan.begin = std::max(scan.begin, query.after);
  UsagePage page;
  for (bool more = true; more;) {
    TRY(store::Page found, snapshot.scan(scan));
    for (const store::Record& record : found.records) {
      auto number = read_number(record);
      if (!number) return fail(corrupt());
      if (!take(page, *std::move(number), query.lines_max)) {
        page.next = record.key;
        return page;
      }
    }
    more = found.more;
    if (more) scan.begin = found.records.back().key + '\0';
  }
  return page;
}

}  // namespace wolke::meter
