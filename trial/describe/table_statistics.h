#pragma once

#include <string>
#include <vector>

#include "trial/describe/dataset_statistics.h"

namespace hyperfd {

// Statistics of a table, for tasks without images. CSV: a first line with the columns' names, commas, double quotes
// where a field needs them. An empty field, NA, nan or ? is missing; a column is numeric if all its other fields are
// numbers. `target`, a column's name or "", adds how many classes it has and how evenly they come.
//
// log1p(rows), log1p(columns), shares of numeric columns and of missing fields, mean share of different values in the
// other columns, mean |skewness|, mean kurtosis (3 for a normal distribution; both logarithmic, log1p), and mean
// |correlation| of the numeric ones. Throws InputError that names file and line.
std::vector<Statistic> table_statistics(const std::string& file, const std::string& target);

}  // namespace hyperfd
