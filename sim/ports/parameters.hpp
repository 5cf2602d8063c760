#pragma once
// A policy's parameters, declared once, where they are read.

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenyard {

/// The `key=value` settings of one policy (or predictor). The constructor that needs a setting
/// reads it here, and by reading declares its name, default, range and help: that is the whole
/// registration. Errors are `InputError`s that name the owner, the parameter and the range.
class Parameters {
 public:
  /// What a read declared; `list policies` prints it.
  struct Declared {
    std::string name, type, fallback, range, help;
  };

  Parameters() = default;
  /// `owner` is for messages ("policy mlfq").
  Parameters(std::string owner, std::vector<std::pair<std::string, std::string>> values);

  /// Parses "key=value,key=value"; an empty text has no settings.
  static Parameters parse(std::string owner, std::string_view text);

  /// A number in [least, most].
  double number(std::string_view name, double fallback, double least, double most,
                std::string_view help);
  /// An integer in [least, most].
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most, std::string_view help);
  /// One of `options`, of which the first is the default; returns its position.
  std::size_t choice(std::string_view name, std::initializer_list<std::string_view> options,
                     std::string_view help);

  /// Numbers in [least, most], at least one, with a slash between them ("2/30"). `fallback` is
  /// such a text.
  std::vector<double> numbers(std::string_view name, std::string_view fallback, double least,
                              double most, std::string_view help);
  /// Any text, which ends at a comma; `what` it is ("path") stands where a type does.
  std::string text(std::string_view name, std::string_view fallback, std::string_view what,
                   std::string_view help);

  /// Whether a value was given for `name`.
  bool given(std::string_view name) const;

  /// Refuses by name what was given but read by nobody. Called once, after construction.
  void refuse_unread() const;

  const std::vector<Declared>& declared() const { return declared_; }

  /// An `InputError` about `name` in the words of this owner.
  [[noreturn]] void refuse(std::string_view name, std::string_view message) const;

 private:
  const std::string* find(std::string_view name) const;

  std::string owner_;
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<Declared> declared_;
};

inline constexpr double kNoUpperBound = std::numeric_limits<double>::max();

}  // namespace tokenyard
