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

namespace {

// Mean over pairs with relevance_i > relevance_j of −weight · log σ(prediction_i − prediction_j).
torch::Tensor logistic_loss(const torch::Tensor& predictions, const torch::Tensor& relevance,
                            const torch::Tensor& valid, const torch::Tensor& weight) {
  const torch::Tensor is_pair =
      relevance.unsqueeze(2).gt(relevance.unsqueeze(1)) & valid.unsqueeze(2) & valid.unsqueeze(1);
  const torch::Tensor margin = predictions.unsqueeze(2) - predictions.unsqueeze(1);
  const torch::Tensor loss = (weight * is_pair * torch::softplus(-margin)).sum({1, 2});
  return loss / is_pair.sum({1, 2}).clamp_min(1);
}

}  // namespace

torch::Tensor ranking_loss(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                           RankBy rank_by) {
  const torch::Tensor positions = rank_by == RankBy::kPrediction ? predictions.detach() : -relevance;
  return logistic_loss(predictions, relevance, valid, delta_ndcg(positions, relevance, valid));
}

torch::Tensor pairwise_loss(const torch::Tensor& predictions, const torch::Tensor& relevance,
                            const torch::Tensor& valid) {
  return logistic_loss(predictions, relevance, valid, torch::ones({}));
}

torch::Tensor squared_loss(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                           double scale) {
  const torch::Tensor squares = (predictions - relevance / scale).square().masked_fill(~valid, 0);
  return squares.sum(1) / valid.sum(1).clamp_min(1);
}

torch::Tensor task_losses(const torch::Tensor& predictions, const torch::Tensor& relevance, const torch::Tensor& valid,
                          const RankerOptions& options) {
  switch (options.loss) {
    case LossKind::kPairwise:
      return pairwise_loss(predictions, relevance, valid);
    case LossKind::kMse:
      return squared_loss(predictions, relevance, valid, options.relevance_scale);
    case LossKind::kRanking:
      break;
  }
  return ranking_loss(predictions, relevance, valid, options.rank_by);
}

torch::Tensor triplet_loss(const torch::Tensor& features, const torch::Tensor& twins, double margin) {
  const std::int64_t live = twins.size(0), n = features.size(0);
  if (live == 0 || n < 2) return torch::zeros({});
  const torch::Tensor anchors = features.slice(0, 0, live);
  const torch::Tensor own = (anchors - twins).square().sum(1, /*keepdim=*/true);
  const torch::Tensor other = (anchors.unsqueeze(1) - features.unsqueeze(0)).square().sum(2);  // [live, n]
  const torch::Tensor is_other = ~torch::eye(n, torch::kBool).slice(0, 0, live);
  return (torch::relu(own - other + margin) * is_other).sum() / static_cast<double>(live * (n - 1));
}

}  // namespace hyperfd
