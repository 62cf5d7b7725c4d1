#include "tuner/ranker/losses.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

namespace hyperfd {

std::vector<float> relevances(const std::vector<double>& scores, double quantile, double scale) {
  std::vector<float> result(scores.size(), 0.0f);
  if (scores.empty()) return result;
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  const double position = quantile * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double low = sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
  const double range = sorted.back() - low;
  if (!(range > 0) || !std::isfinite(range)) return result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result[i] = static_cast<float>(std::clamp((scores[i] - low) / range, 0.0, 1.0) * scale);
  }
  return result;
}

torch::Tensor delta_ndcg(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid) {
  const torch::NoGradGuard no_grad;
  const auto discounts = [](const torch::Tensor& rank_from_zero) {
    return torch::log2(rank_from_zero.to(torch::kFloat32) + 2).reciprocal();
  };
  // Padding ranks last. The rank of an element is its place in the order, i.e. the inverse permutation.
  const torch::Tensor order =
      std::get<1>(predictions.masked_fill(~valid, -INFINITY).sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
  const torch::Tensor discount = discounts(order.argsort(std::int64_t{1}, false));
  const torch::Tensor gain = (torch::exp2(relevance) - 1).masked_fill(~valid, 0);

  const torch::Tensor ideal_gain = std::get<0>(gain.sort(1, /*descending=*/true));
  const torch::Tensor ideal = (ideal_gain * discounts(torch::arange(gain.size(1)))).sum(1);
  const torch::Tensor normalised_gain = gain / torch::where(ideal > 0, ideal, torch::ones_like(ideal)).unsqueeze(1);

  const auto differences = [](const torch::Tensor& x) { return (x.unsqueeze(2) - x.unsqueeze(1)).abs(); };
  return differences(normalised_gain) * differences(discount);
}

torch::Tensor ranking_loss(const torch::Tensor& predictions, const torch::Tensor& relevance,
                           const torch::Tensor& valid) {
  const torch::Tensor is_pair =
      relevance.unsqueeze(2).gt(relevance.unsqueeze(1)) & valid.unsqueeze(2) & valid.unsqueeze(1);
  const torch::Tensor weight = delta_ndcg(predictions.detach(), relevance, valid) * is_pair;
  const torch::Tensor margin = predictions.unsqueeze(2) - predictions.unsqueeze(1);
  const torch::Tensor loss = (weight * torch::softplus(-margin)).sum({1, 2});
  return loss / is_pair.sum({1, 2}).clamp_min(1);
}

}  // namespace hyperfd
