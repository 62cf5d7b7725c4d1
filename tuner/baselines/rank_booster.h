#pragma once

#include <memory>
#include <vector>

namespace hyperfd {

// Boosted trees that rank rows within groups; XGBoost's rank:ndcg on one thread, so that results do not depend on the
// machine's cores. Throws Error with XGBoost's message.
class RankBooster {
 public:
  // Rows of one size, group after group; `relevance`: whole numbers from 0 to 30.
  RankBooster(const std::vector<std::vector<float>>& rows, const std::vector<float>& relevance,
              const std::vector<unsigned>& groups);
  ~RankBooster();

  // Higher ranks better.
  std::vector<float> predict(const std::vector<std::vector<float>>& rows) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
