// Reads its input as a form's body, whole and in pieces: both ways must give the same, within the
// bounds that the parser promises. What is a policy document is judged, too: never a crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wolke/base/hash.h"
#include "wolke/base/result.h"
#include "wolke/gateway/form.h"
#include "wolke/gateway/form_policy.h"
#include "wolke/gateway/form_upload.h"

namespace wolke::gateway {
namespace {

struct Outcome {
  FormFields fields;
  std::string file;
  bool refused = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view body, std::size_t step) {
  FormParser parser("X");
  Outcome out;
  Result<void> fed;
  for (std::size_t at = 0; fed && at < body.size(); at += step) {
    fed = parser.feed(body.substr(at, step));
    out.file += parser.take_file();
  }
  if (fed) fed = parser.finish();
  if (!fed) return {.fields = {}, .file = {}, .refused = true};
  out.fields = parser.fields();
  return out;
}

void check(std::string_view body) {
  const Outcome whole = read(body, body.size() + 1);
  ASSERT(whole == read(body, 1));
  ASSERT(whole == read(body, 7));
  ASSERT(whole.file.size() <= body.size());
  std::size_t bytes = 0;
  for (const auto& [name, value] : whole.fields) bytes += name.size() + value.size();
  ASSERT(bytes <= 2 * form_fields_bytes_max);
  FormFields fields = whole.fields;
  (void)key_of_form(fields, "a.txt");
  (void)headers_of_form(fields);
  if (const auto policy = parse_form_policy(to_base64(body)))
    (void)check_form_policy(*policy, fields, "b", Timestamp{});
}

}  // namespace
}  // namespace wolke::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wolke::gateway::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
