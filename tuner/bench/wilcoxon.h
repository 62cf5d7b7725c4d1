#pragma once

#include <vector>

namespace hyperfd {

// Two-sided p-value of Wilcoxon's signed-rank test on paired differences. Zeros are dropped, ties get their mean rank.
// Exact (all 2^n signs alike likely) up to 50 differences, else the normal approximation with the correction for ties.
// 1 when every difference is zero.
double wilcoxon_p(const std::vector<double>& differences);

}  // namespace hyperfd
