#pragma once

#include <string>
#include <string_view>

namespace tokenyard {

/// The text in Unicode's Normalization Form C (Unicode Standard Annex 15): characters composed
/// where there is a composed one. Bytes that are not well-formed UTF-8 stay as they are, and
/// nothing is composed across them. At most three times as long as the text (section 9 there);
/// takes n log n time even where a text is one long run of combining marks.
std::string nfc(std::string_view text);

}  // namespace tokenyard
