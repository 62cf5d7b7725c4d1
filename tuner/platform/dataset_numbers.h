#pragma once

#include <string>
#include <vector>

#include "tuner/platform/records.h"
#include "tuner/ranker/extractor_input.h"

namespace hyperfd {

// The names, in alphabetical order.
std::vector<std::string> names_of(const std::vector<NamedNumber>& numbers);
// In magnitude: rankers read them as floats, and square them.
inline constexpr double kLargestDatasetNumber = 1e15;

// The values in the order of `names`; empty unless these are exactly the names of `numbers`, and none is withheld or
// larger than kLargestDatasetNumber: a ranker reads a task's numbers all or not at all.
std::vector<double> numbers_in_order(const std::vector<NamedNumber>& numbers, const std::vector<std::string>& names);

// Throws InputError: a name that is empty, too long or there twice, a value that is neither withheld nor at
// most kLargestDatasetNumber in magnitude, more than 1000.
void check_numbers(const std::string& field, const std::vector<NamedNumber>& numbers);

// What an extractor reads of this data set.
ExtractorInput extractor_input(const DatasetRecord& dataset);
// Says how two data sets that no ranker can learn from together differ.
std::string mismatch(const ExtractorInput& own, const ExtractorInput& expected);

}  // namespace hyperfd
