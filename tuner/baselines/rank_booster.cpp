#include "tuner/baselines/rank_booster.h"

#include <limits>
#include <string>
#include <utility>

#include <xgboost/c_api.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr int kTrees = 100;

void check(int status) {
  if (status != 0) throw Error(std::string("XGBoost: ") + XGBGetLastError());
}

// Owns a DMatrixHandle.
class Matrix {
 public:
  explicit Matrix(const std::vector<std::vector<float>>& rows) {
    std::vector<float> values;
    for (const std::vector<float>& row : rows) values.insert(values.end(), row.begin(), row.end());
    const std::size_t columns = rows.empty() ? 0 : rows[0].size();
    check(
        XGDMatrixCreateFromMat(values.data(), rows.size(), columns, std::numeric_limits<float>::quiet_NaN(), &handle_));
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { XGDMatrixFree(handle_); }

  DMatrixHandle handle() const { return handle_; }

 private:
  DMatrixHandle handle_ = nullptr;
};

}  // namespace

struct RankBooster::Impl {
  BoosterHandle booster = nullptr;
  ~Impl() {
    if (booster) XGBoosterFree(booster);
  }
};

RankBooster::RankBooster(const std::vector<std::vector<float>>& rows, const std::vector<float>& relevance,
                         const std::vector<unsigned>& groups)
    : impl_(std::make_unique<Impl>()) {
  const Matrix data(rows);
  check(XGDMatrixSetFloatInfo(data.handle(), "label", relevance.data(), relevance.size()));
  check(XGDMatrixSetUIntInfo(data.handle(), "group", groups.data(), groups.size()));
  const DMatrixHandle handles[] = {data.handle()};
  check(XGBoosterCreate(handles, 1, &impl_->booster));
  // ΔNDCG makes gradients and second derivatives small, so that XGBoost's default regularisation would leave nothing.
  const std::vector<std::pair<const char*, const char*>> parameters = {{"objective", "rank:ndcg"},
                                                                       {"eta", "0.1"},
                                                                       {"max_depth", "4"},
                                                                       {"nthread", "1"},
                                                                       {"seed", "0"},
                                                                       {"tree_method", "exact"},
                                                                       {"lambda", "0.001"},
                                                                       {"min_child_weight", "0.001"},
                                                                       {"verbosity", "0"}};
  for (const auto& [name, value] : parameters) check(XGBoosterSetParam(impl_->booster, name, value));
  for (int tree = 0; tree < kTrees; ++tree) check(XGBoosterUpdateOneIter(impl_->booster, tree, data.handle()));
}

RankBooster::~RankBooster() = default;

std::vector<float> RankBooster::predict(const std::vector<std::vector<float>>& rows) const {
  if (rows.empty()) return {};
  const Matrix data(rows);
  bst_ulong size = 0;
  const float* values = nullptr;
  check(XGBoosterPredict(impl_->booster, data.handle(), /*option_mask=*/0, /*ntree_limit=*/0, /*training=*/0, &size,
                         &values));
  return {values, values + size};
}

}  // namespace hyperfd
