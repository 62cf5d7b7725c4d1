#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/base/vocabulary.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// Results that another program has written.
struct ForeignResults {
  struct Row {
    Configuration configuration;
    double metric = 0;
  };
  std::vector<Row> rows;
  std::vector<std::string> skipped;           // why, one for each trial left out; each names file and place
  std::optional<OptimizeMode> optimize_mode;  // where the file says it
};

struct ForeignSource {
  std::string file;
  std::string metric;  // CSV: the column that holds it; "": default, reward, value, metric or score, the first that
                       // there is and that is no parameter
  std::string study;   // Optuna: which; "": the only one
};

// Reads, by what the file begins with:
// - Optuna's storage, an SQLite file: completed trials of a study with one objective;
// - what `nnictl experiment export --type json` writes;
// - CSV with a header: a column for each parameter (`nnictl experiment export --type csv` writes such files), other
//   columns are not read; a cell is read as JSON, and as text where it is none.
// A byte order mark at the beginning is passed over. Trials without a finite result, and those that are no point of
// `space`, are skipped. Throws InputError that names the file when it is none of these; of Optuna's journal it says so.
ForeignResults read_foreign_results(const ForeignSource& source, const SearchSpace& space);

}  // namespace hyperfd
