#include "trial/describe/table_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_set>

#include "tuner/base/csv.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

using Row = std::vector<std::string>;

struct Table {
  Row names;
  std::vector<Row> columns;
  std::size_t rows = 0;
};

Table read_table(const std::string& file) {
  std::vector<CsvRecord> records = parse_csv(read_file(file), file);
  Table table;
  if (!records.empty()) table.names = std::move(records[0].fields);
  table.columns.resize(table.names.size());
  for (std::size_t r = 1; r < records.size(); ++r) {
    Row& row = records[r].fields;
    if (records[r].is_empty_line() && table.names.size() > 1) continue;
    if (row.size() != table.names.size()) {
      throw InputError(file + ": line " + std::to_string(records[r].line) + ": " + std::to_string(row.size()) +
                       " fields, expected " + std::to_string(table.names.size()) + " as in the first line");
    }
    for (std::size_t i = 0; i < row.size(); ++i) table.columns[i].push_back(std::move(row[i]));
    ++table.rows;
  }
  if (table.rows == 0) throw InputError(file + ": expected a line of names and lines of values, it has no values");
  return table;
}

bool is_missing(const std::string& field) {
  return field.empty() || field == "NA" || field == "nan" || field == "NaN" || field == "?";
}

// The column's numbers, NaN where missing; empty unless it is numeric.
std::vector<double> numbers_of(const Row& column) {
  std::vector<double> numbers;
  bool any = false;
  for (const std::string& field : column) {
    double number = std::numeric_limits<double>::quiet_NaN();
    if (!is_missing(field)) {
      char* end = nullptr;
      number = std::strtod(field.c_str(), &end);
      if (*end != '\0' || !std::isfinite(number)) return {};
      any = true;
    }
    numbers.push_back(number);
  }
  return any ? numbers : std::vector<double>();
}

// To mean 0 and deviation 1; missing ones stay NaN.
void standardise(std::vector<double>& numbers) {
  double sum = 0, count = 0, squares = 0;
  for (const double x : numbers) {
    if (std::isnan(x)) continue;
    sum += x;
    ++count;
  }
  const double mean = sum / count;
  for (double& x : numbers) {
    x -= mean;
    if (!std::isnan(x)) squares += x * x;
  }
  const double deviation = std::sqrt(squares / count);
  for (double& x : numbers) x = deviation > 0 ? x / deviation : x;
}

// Of standardised numbers: skewness for power 3, kurtosis for power 4.
double mean_power(const std::vector<double>& numbers, int power) {
  double sum = 0, count = 0;
  for (const double x : numbers) {
    if (std::isnan(x)) continue;
    sum += std::pow(x, power);
    ++count;
  }
  return sum / count;
}

double mean_correlation(const std::vector<std::vector<double>>& columns) {
  constexpr std::size_t kMost = 64;  // columns; pairs grow with their square
  const std::size_t count = std::min(columns.size(), kMost);
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j, ++pairs) {
      sum += std::abs(std::inner_product(columns[i].begin(), columns[i].end(), columns[j].begin(), 0.0)) /
             static_cast<double>(columns[i].size());
    }
  }
  return sum / std::max(pairs, 1.0);
}

std::vector<Statistic> target_statistics(const Row& column) {
  std::map<std::string, double> counts;
  for (const std::string& field : column) ++counts[field];
  double entropy = 0;
  for (const auto& [field, count] : counts) {
    const double share = count / static_cast<double>(column.size());
    entropy -= share * std::log(share);
  }
  const auto classes = static_cast<double>(counts.size());
  return {{"log1p(classes)", std::log1p(classes)},
          {"evenness of classes", classes > 1 ? entropy / std::log(classes) : 0}};
}

}  // namespace

std::vector<Statistic> table_statistics(const std::string& file, const std::string& target) {
  const Table table = read_table(file);
  double missing = 0, different = 0, others = 0, skewness = 0, kurtosis = 0;
  std::vector<std::vector<double>> numeric;
  for (const Row& column : table.columns) {
    missing += static_cast<double>(std::count_if(column.begin(), column.end(), is_missing));
    std::vector<double> numbers = numbers_of(column);
    if (numbers.empty()) {
      ++others;
      different += static_cast<double>(std::unordered_set<std::string>(column.begin(), column.end()).size());
      continue;
    }
    standardise(numbers);
    skewness += std::abs(mean_power(numbers, 3));
    kurtosis += mean_power(numbers, 4);
    for (double& x : numbers) x = std::isnan(x) ? 0 : x;  // missing: at the mean
    numeric.push_back(std::move(numbers));
  }
  const auto rows = static_cast<double>(table.rows), columns = static_cast<double>(table.names.size());
  const double numeric_columns = std::max(1.0, columns - others);
  std::vector<Statistic> statistics = {{"log1p(rows)", std::log1p(rows)},
                                       {"log1p(columns)", std::log1p(columns)},
                                       {"numeric columns", (columns - others) / columns},
                                       {"missing fields", missing / (rows * columns)},
                                       {"different texts", different / (rows * std::max(1.0, others))},
                                       {"log1p(skewness)", std::log1p(skewness / numeric_columns)},
                                       {"log1p(kurtosis)", std::log1p(kurtosis / numeric_columns)},
                                       {"correlation", mean_correlation(numeric)}};
  if (target.empty()) return statistics;
  const auto found = std::find(table.names.begin(), table.names.end(), target);
  if (found == table.names.end())
    throw InputError(file + ": --target: " + unknown_name_message("column", target, table.names));
  for (Statistic& statistic : target_statistics(table.columns[static_cast<std::size_t>(found - table.names.begin())])) {
    statistics.push_back(std::move(statistic));
  }
  return statistics;
}

}  // namespace hyperfd
