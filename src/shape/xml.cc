#include "wolke/shape/xml.h"

#include <fmt/format.h>

#include <charconv>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/shape/utf8.h"

namespace wolke::shape {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name_start(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || byte >= 0x80;
}

bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

// Never the end of a run of character data, whatever it stands in.
bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '<' && c != '&' && c != '"' && c != '\'';
}

std::string_view local_part(std::string_view name) {
  std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    if (text_.size() > limits::xml_document_bytes_max) return fail(error("document too large"));
    if (!is_valid_utf8(text_)) return fail(error("document is not UTF-8"));
    if (text_.starts_with("\xEF\xBB\xBF")) at_ += 3;
    if (rest().starts_with("<?xml") && at_ + 5 < text_.size() && is_space(text_[at_ + 5])) {
      if (!skip_past("?>")) return fail(error("declaration without an end"));
    }
    if (!misc()) return fail(error(problem_));
    XmlElement root;
    if (!element(root, 1)) return fail(error(problem_));
    if (!misc()) return fail(error(problem_));
    if (at_ != text_.size()) return fail(error("something follows the root element"));
    return root;
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  bool refuse(const char* problem) {
    problem_ = problem;
    return false;
  }
  Error error(const char* problem) const {
    return {.code = "MalformedXML",
            .status = 400,
            .message = fmt::format("{} at byte {}", problem, at_)};
  }

  bool skip_past(std::string_view end) {
    std::size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  // Comment or processing instruction at at_; false when there is none. problem_ is set when it has
  // no end.
  bool aside() {
    if (rest().starts_with("<!--")) {
      at_ += 4;
      std::size_t dashes = text_.find("--", at_);
      if (dashes == std::string_view::npos || !text_.substr(dashes).starts_with("-->")) {
        return refuse("bad comment");
      }
      at_ = dashes + 3;
      return true;
    }
    if (rest().starts_with("<?")) return skip_past("?>") || refuse("instruction without an end");
    return false;
  }

  bool misc() {
    while (true) {
      skip_space();
      if (!aside()) break;
    }
    if (rest().starts_with("<!DOCTYPE")) return refuse("document type declarations are refused");
    return problem_ == nullptr;
  }

  bool name(std::string_view& out) {
    std::size_t from = at_;
    if (at_ >= text_.size() || !is_name_start(text_[at_])) return refuse("expected a name");
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    out = text_.substr(from, at_ - from);
    return true;
  }

  bool reference(std::string& out) {
    std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 12) return refuse("bad reference");
    std::string_view body = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (body.starts_with('#')) {
      int base = body.starts_with("#x") ? 16 : 10;
      std::string_view digits = body.substr(base == 16 ? 2 : 1);
      unsigned code = 0;
      auto [last, status] =
          std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
      bool whole =
          !digits.empty() && status == std::errc() && last == digits.data() + digits.size();
      if (!whole || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return refuse("bad character reference");
      }
      append_utf8(out, code);
      return true;
    }
    static constexpr std::pair<std::string_view, char> entities[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [entity, character] : entities) {
      if (body == entity) {
        out += character;
        return true;
      }
    }
    return refuse("unknown entity");
  }

  // One character as it stands; a line end becomes '\n'.
  bool character(std::string& out) {
    char c = text_[at_++];
    if (c == '\r') {
      if (at_ < text_.size() && text_[at_] == '\n') ++at_;
      c = '\n';
    }
    if (static_cast<unsigned char>(c) < 0x20 && !is_space(c)) return refuse("control character");
    out += c;
    return true;
  }

  // Character data up to one of the stop characters, references resolved.
  bool characters(std::string& out, std::string_view stops) {
    while (at_ < text_.size()) {
      std::size_t from = at_;
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      out.append(text_.substr(from, at_ - from));
      if (at_ >= text_.size()) break;
      char c = text_[at_];
      if (stops.find(c) != std::string_view::npos) return true;
      if (c == '&') {
        if (!reference(out)) return false;
        continue;
      }
      if (!character(out)) return false;
    }
    return refuse("document ends early");
  }

  bool cdata(std::string& out) {
    std::size_t end = text_.find("]]>", at_);
    if (end == std::string_view::npos) return refuse("CDATA without an end");
    while (at_ < end) {
      if (!character(out)) return false;
    }
    at_ = end + 3;
    return true;
  }

  bool attributes(XmlElement& element) {
    while (true) {
      std::size_t before = at_;
      skip_space();
      if (at_ >= text_.size()) return refuse("document ends early");
      if (text_[at_] == '>' || text_[at_] == '/') return true;
      if (before == at_) return refuse("expected a space before an attribute");
      std::string_view attribute;
      if (!name(attribute)) return false;
      skip_space();
      if (!rest().starts_with('=')) return refuse("attribute without a value");
      ++at_;
      skip_space();
      char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '"' && quote != '\'') return refuse("attribute value without quotes");
      ++at_;
      std::string value;
      const char stops[] = {quote, '<', '\0'};
      if (!characters(value, stops)) return false;
      if (text_[at_] != quote) return refuse("'<' in an attribute value");
      ++at_;
      for (const auto& [existing, unused] : element.attributes) {
        if (existing == attribute) return refuse("attribute given twice");
      }
      element.attributes.emplace_back(attribute, std::move(value));
    }
  }

  bool element(XmlElement& out, int depth) {
    if (depth > limits::document_depth_max) return refuse("nested too deeply");
    if (++elements_ > xml_elements_max) return refuse("too many elements");
    if (!rest().starts_with('<')) return refuse("expected an element");
    ++at_;
    std::string_view full_name;
    if (!name(full_name)) return false;
    out.name = local_part(full_name);
    if (!attributes(out)) return false;
    if (text_[at_] == '/') {
      ++at_;
      if (!rest().starts_with('>')) return refuse("expected '>'");
      ++at_;
      return true;
    }
    ++at_;
    return content(out, full_name, depth);
  }

  bool content(XmlElement& out, std::string_view full_name, int depth) {
    while (true) {
      if (!characters(out.text, "<")) return false;
      if (rest().starts_with("</")) {
        at_ += 2;
        std::string_view closing;
        if (!name(closing)) return false;
        if (closing != full_name) return refuse("end tag does not match");
        skip_space();
        if (!rest().starts_with('>')) return refuse("expected '>'");
        ++at_;
        return true;
      }
      if (rest().starts_with("<![CDATA[")) {
        at_ += 9;
        if (!cdata(out.text)) return false;
        continue;
      }
      if (aside()) continue;
      if (problem_ != nullptr) return false;
      if (!element(out.children.emplace_back(), depth + 1)) return false;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
  const char* problem_ = nullptr;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  for (const XmlElement& element : children) {
    if (element.name == child_name) return &element;
  }
  return nullptr;
}

const std::string* XmlElement::attribute(std::string_view attribute_name) const {
  for (const auto& [key, value] : attributes) {
    if (key == attribute_name || local_part(key) == local_part(attribute_name)) return &value;
  }
  return nullptr;
}

Result<XmlElement> parse_xml(std::string_view text) {
  return Parser(text).document();
}

void append_xml_text(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    bool plain =
        c >= 0x20 ? (c != '<' && c != '>' && c != '&' && c != '"') : (c == '\n' || c == '\t');
    if (plain) continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += fmt::format("&#x{:X};", c);
    }
  }
  out.append(text.substr(from));
}

}  // namespace wolke::shape
