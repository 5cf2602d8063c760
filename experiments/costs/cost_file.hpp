#pragma once
// Cost model files of kind "table", as `profile` writes them (docs/file-formats.md).

#include <string>

#include "models/table_cost_model.hpp"

namespace tokenyard {

/// A table and what goes with it. A value type.
struct CostFile {
  CostTable table;
  std::string beyond;        ///< the JSON of the form beyond it
  bool use_table = true;     ///< else the form beyond charges alone
  std::string quality = "";  ///< the JSON of how well it predicts; may be empty
};

/// The file's text. Equal content gives equal bytes.
std::string cost_file_text(const CostFile& file);

/// Writes a cost model file aside and renames it, so that there is a whole file or none. Throws
/// `InputError`.
void write_cost_file(const std::string& path, const std::string& text);

}  // namespace tokenyard
