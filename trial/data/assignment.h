#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace hyperfd {

// The optimal bipartite matching (Hungarian method, O(n³)): pairs rows with columns, each at most once, so that the sum
// of the pairs' values is as large as it can be. All rows of `values` are equally long, values are finite and >= 0;
// pairs of value 0 are not made. One column, or none, a row.
std::vector<std::optional<std::size_t>> best_assignment(const std::vector<std::vector<double>>& values);

}  // namespace hyperfd
