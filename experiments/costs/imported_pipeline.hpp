#pragma once

#include <string>

#include "experiments/costs/operator_tables.hpp"

namespace tokenyard {

/// Fills `to_next`: from the network folder's send_recv.csv (pairs of devices, the rows with the
/// most devices a node), or where no folder is given from the device file, and notes which. Throws
/// `InputError` as `import_operator_tables` does.
void add_stage_links(const OperatorTables& from, ImportedCosts& costs);

/// The text of the cost model file: a table, or a pipeline of one a stage, each with its share of
/// the layers' times and the roofline of its stage beyond. The embedding's time is shared out as
/// the layers are.
std::string imported_cost_text(const OperatorTables& from, const ImportedCosts& costs);

}  // namespace tokenyard
