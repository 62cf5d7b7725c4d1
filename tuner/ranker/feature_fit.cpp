#include "tuner/ranker/feature_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <torch/torch.h>

namespace hyperfd {
namespace {

double discount(std::size_t rank_from_zero) {
  return 1 / std::log2(static_cast<double>(rank_from_zero) + 2);
}

// discount of every result when the highest value ranks first.
std::vector<double> discounts(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) result[order[rank]] = discount(rank);
  return result;
}

// 2^relevance − 1 over the ideal DCG.
std::vector<double> normalised_gains(const std::vector<float>& relevance) {
  std::vector<double> gains;
  for (const float value : relevance) gains.push_back(std::exp2(static_cast<double>(value)) - 1);
  const std::vector<double> ideal_discounts = discounts(gains);
  const double ideal = std::inner_product(gains.begin(), gains.end(), ideal_discounts.begin(), 0.0);
  if (ideal > 0) {
    for (double& gain : gains) gain /= ideal;
  }
  return gains;
}

// Adam (Kingma & Ba 2015) with its usual constants.
class Adam {
 public:
  Adam(std::size_t size, double learning_rate) : first_(size), second_(size), learning_rate_(learning_rate) {}

  void step(std::vector<double>& values, const std::vector<double>& gradient) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
    ++steps_;
    const double scale = learning_rate_ * std::sqrt(1 - std::pow(kBeta2, steps_)) / (1 - std::pow(kBeta1, steps_));
    for (std::size_t i = 0; i < values.size(); ++i) {
      first_[i] = kBeta1 * first_[i] + (1 - kBeta1) * gradient[i];
      second_[i] = kBeta2 * second_[i] + (1 - kBeta2) * gradient[i] * gradient[i];
      values[i] -= scale * first_[i] / (std::sqrt(second_[i]) + kEpsilon);
    }
  }

 private:
  std::vector<double> first_, second_;
  double learning_rate_;
  int steps_ = 0;
};

std::vector<double> to_doubles(const torch::Tensor& vector) {
  const torch::Tensor flat = vector.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

std::vector<double> ranking_loss_gradient(const std::vector<double>& predictions, const std::vector<float>& relevance) {
  const std::size_t n = predictions.size();
  const std::vector<double> gains = normalised_gains(relevance);
  const std::vector<double> discounted = discounts(predictions);
  std::vector<double> gradient(n);
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (!(relevance[i] > relevance[j])) continue;
      ++pairs;
      const double delta = std::abs((gains[i] - gains[j]) * (discounted[i] - discounted[j]));
      const double pull = delta / (1 + std::exp(predictions[i] - predictions[j]));
      gradient[i] -= pull;
      gradient[j] += pull;
    }
  }
  for (double& slope : gradient) slope /= static_cast<double>(std::max<std::size_t>(pairs, 1));
  return gradient;
}

torch::Tensor fit_feature(const torch::Tensor& mean, const torch::Tensor& embeddings,
                          const std::vector<float>& relevance, const RankerOptions& options) {
  if (relevance.empty() || *std::max_element(relevance.begin(), relevance.end()) <= 0) return mean;
  const std::vector<double> start = to_doubles(mean), rows = to_doubles(embeddings);
  const std::size_t units = start.size();
  std::vector<double> feature = start;
  Adam adam(units, options.fit_learning_rate);
  for (int step = 0; step < options.fit_steps; ++step) {
    std::vector<double> predictions;
    for (auto row = rows.begin(); row != rows.end(); row += static_cast<std::ptrdiff_t>(units)) {
      predictions.push_back(std::inner_product(feature.begin(), feature.end(), row, 0.0));
    }
    const std::vector<double> slopes = ranking_loss_gradient(predictions, relevance);
    std::vector<double> gradient(units);
    for (std::size_t k = 0; k < units; ++k) {
      gradient[k] = 2 * options.fit_penalty * (feature[k] - start[k]);
      for (std::size_t i = 0; i < slopes.size(); ++i) gradient[k] += slopes[i] * rows[i * units + k];
    }
    adam.step(feature, gradient);
  }
  return torch::tensor(feature).to(torch::kFloat32);
}

}  // namespace hyperfd
