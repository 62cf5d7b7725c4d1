#include "tuner/platform/dataset_numbers.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tuner/base/error.h"

namespace hyperfd {

std::vector<std::string> names_of(const std::vector<NamedNumber>& numbers) {
  std::vector<std::string> names;
  for (const NamedNumber& number : numbers) names.push_back(number.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<double> numbers_in_order(const std::vector<NamedNumber>& numbers, const std::vector<std::string>& names) {
  if (names_of(numbers) != names) return {};
  std::vector<NamedNumber> sorted = numbers;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::vector<double> values;
  for (const NamedNumber& number : sorted) {
    if (!(std::abs(number.value) <= kLargestDatasetNumber)) return {};
    values.push_back(number.value);
  }
  return values;
}

void check_numbers(const std::string& field, const std::vector<NamedNumber>& numbers) {
  constexpr std::size_t kMost = 1000, kLongestName = 128;
  if (numbers.size() > kMost) {
    throw InputError(field + ": expected at most " + std::to_string(kMost) + " numbers, got " +
                     std::to_string(numbers.size()));
  }
  for (const NamedNumber& number : numbers) {
    if (number.name.empty() || number.name.size() > kLongestName) {
      throw InputError(field + ": expected names of 1 to " + std::to_string(kLongestName) + " bytes, got " +
                       std::to_string(number.name.size()));
    }
    if (std::abs(number.value) > kLargestDatasetNumber) {
      std::ostringstream text;  // JSON has no infinity
      text << field << '.' << number.name << ": expected at most 1e15 in magnitude, got " << number.value;
      throw InputError(text.str());
    }
  }
  const std::vector<std::string> names = names_of(numbers);
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw InputError(field + ": " + *twice + " is there twice");
}

ExtractorInput extractor_input(const DatasetRecord& dataset) {
  return {dataset.extractor, static_cast<std::size_t>(dataset.image_features), dataset.statistics.size()};
}

std::string mismatch(const ExtractorInput& own, const ExtractorInput& expected) {
  const auto text = [](const ExtractorInput& input) {
    return input.frozen.substr(0, 12) + " (" + std::to_string(input.image_features) + " numbers an image, " +
           std::to_string(input.statistics) + " statistics)";
  };
  return "extractor: this search space's ranker learns from image features of " + text(expected) + ", these are of " +
         text(own) + "; features of different extractors are never mixed";
}

}  // namespace hyperfd
