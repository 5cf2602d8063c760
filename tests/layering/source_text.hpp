#pragma once
// A source file as the rules see it.

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::layering {

/// A C++ file: its path from the repository's root and its whole text.
struct SourceFile {
  std::string path;
  std::string text;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The position just behind the literal or comment that starts at `at`, or `at` where none does.
inline std::size_t skip_noncode(std::string_view text, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const std::size_t found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  const auto joined = [&] {
    return at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]));
  };
  if (rest.starts_with("R\"") && !joined()) {
    const std::size_t open = std::min(text.find('(', at), text.size());
    const std::string delimiter(text.substr(at + 2, open - at - 2));
    return behind(")" + delimiter + "\"", open);
  }
  // A quote behind a digit separates digits.
  const char quote = text[at];
  if (quote != '"' && (quote != '\'' || joined())) return at;
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

/// The text with comments and literals blanked out; lines stay where they are.
inline std::string code_of(const std::string& text) {
  std::string code = text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = skip_noncode(text, at);
    for (std::size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

/// An include directive.
struct Include {
  std::string name;
  bool quoted = false;
  std::size_t line = 0;
};

inline std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  const auto lines = lines_of(file.text);
  const auto code = lines_of(code_of(file.text));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::istringstream directive(code[i].substr(0, code[i].find('<')));
    std::string hash, word;
    directive >> hash >> word;
    if (hash == "#") hash += word;
    if (hash != "#include") continue;
    const std::size_t open = lines[i].find_first_of("<\"");
    if (open == std::string::npos) continue;
    const bool quoted = lines[i][open] == '"';
    const std::size_t close = lines[i].find(quoted ? '"' : '>', open + 1);
    includes.push_back({lines[i].substr(open + 1, close - open - 1), quoted, i + 1});
  }
  return includes;
}

}  // namespace tokenyard::layering
