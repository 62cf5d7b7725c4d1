#include "trial/data/assignment.h"

#include <algorithm>
#include <limits>

namespace hyperfd {
namespace {

// For rows <= columns: the cheapest way to give every row a column of its own. Rows are added one by one, each by a
// shortest augmenting path (Jonker & Volgenant 1987); potentials keep all reduced costs >= 0. Index 0 of columns and
// rows is the path's start.
std::vector<std::size_t> cheapest_columns(const std::vector<std::vector<double>>& costs) {
  const std::size_t rows = costs.size(), columns = costs.front().size();
  std::vector<double> row_potential(rows + 1), column_potential(columns + 1);
  std::vector<std::size_t> row_of(columns + 1), previous(columns + 1);
  for (std::size_t added = 1; added <= rows; ++added) {
    row_of[0] = added;
    std::size_t column = 0;
    std::vector<double> distance(columns + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> reached(columns + 1);
    do {
      reached[column] = true;
      const std::size_t row = row_of[column];
      double step = std::numeric_limits<double>::infinity();
      std::size_t nearest = 0;
      for (std::size_t j = 1; j <= columns; ++j) {
        if (reached[j]) continue;
        const double reduced = costs[row - 1][j - 1] - row_potential[row] - column_potential[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          previous[j] = column;
        }
        if (distance[j] < step) {
          step = distance[j];
          nearest = j;
        }
      }
      for (std::size_t j = 0; j <= columns; ++j) {
        if (reached[j]) {
          row_potential[row_of[j]] += step;
          column_potential[j] -= step;
        } else {
          distance[j] -= step;
        }
      }
      column = nearest;
    } while (row_of[column] != 0);
    for (; column != 0; column = previous[column]) row_of[column] = row_of[previous[column]];
  }
  std::vector<std::size_t> column_of(rows);
  for (std::size_t j = 1; j <= columns; ++j) {
    if (row_of[j] != 0) column_of[row_of[j] - 1] = j - 1;
  }
  return column_of;
}

}  // namespace

std::vector<std::optional<std::size_t>> best_assignment(const std::vector<std::vector<double>>& values) {
  const std::size_t rows = values.size(), columns = rows == 0 ? 0 : values.front().size();
  std::vector<std::optional<std::size_t>> column_of(rows);
  if (columns == 0) return column_of;
  const bool transposed = rows > columns;
  std::vector<std::vector<double>> costs(std::min(rows, columns), std::vector<double>(std::max(rows, columns)));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) (transposed ? costs[j][i] : costs[i][j]) = -values[i][j];
  }
  const std::vector<std::size_t> partner = cheapest_columns(costs);
  for (std::size_t k = 0; k < partner.size(); ++k) {
    const std::size_t row = transposed ? partner[k] : k, column = transposed ? k : partner[k];
    if (values[row][column] > 0) column_of[row] = column;
  }
  return column_of;
}

}  // namespace hyperfd
