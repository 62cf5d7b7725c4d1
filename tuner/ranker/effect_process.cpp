#include "tuner/ranker/effect_process.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr double kSpread = 2;  // of the log-normal priors: the deviation of the logarithms
constexpr double kLevel = 4;   // variance of a task's mean, which says nothing
constexpr double kLeastNoise = 1e-4;

// √5 × the distances, with a relevance.
torch::Tensor scaled(const torch::Tensor& squared_distances, double relevance) {
  return (5 * relevance * squared_distances + 1e-12).sqrt();
}

double product(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::dot(a.flatten(), b.flatten()).item<double>();
}

}  // namespace

EffectResults EffectResults::select(const torch::Tensor& rows) const {
  return {states.index_select(0, rows), scores.index_select(0, rows), task.index_select(0, rows),
          numbers.index_select(0, rows)};
}

EffectResults EffectResults::some(std::int64_t most) const {
  const std::int64_t n = scores.size(0);
  if (n <= most) return *this;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  Rng rng(static_cast<std::uint64_t>(n));
  rng.shuffle(rows);
  rows.resize(static_cast<std::size_t>(most));
  std::sort(rows.begin(), rows.end());
  return select(torch::tensor(rows, torch::kInt64));
}

EffectProcess::EffectProcess(EffectResults results, std::vector<torch::Tensor> distances, const torch::Tensor& means)
    : results_(std::move(results)),
      same_task_(results_.task.unsqueeze(1).eq(results_.task.unsqueeze(0)).to(torch::kFloat64)),
      distances_(std::move(distances)) {
  std::int64_t begin = 0;
  for (const torch::Tensor& distance : distances_) {
    blocks_.push_back(results_.states.slice(1, begin, begin + distance.size(0)).contiguous());
    begin += distance.size(0);
  }
  for (std::int64_t g = 0; g < means.size(0); ++g) {
    similar_.push_back(torch::mm(results_.numbers * means[g], results_.numbers.t()));
  }
}

double EffectProcess::singles() const {
  return static_cast<double>(std::max<std::size_t>(blocks_.size(), 1));
}

double EffectProcess::pairs() const {
  return std::max(singles() * (singles() - 1) / 2, 1.0);
}

std::vector<torch::Tensor> EffectProcess::state_kernels(const torch::Tensor& logarithms) const {
  const torch::Tensor relevances = logarithms.exp();
  std::vector<torch::Tensor> kernels;
  for (std::size_t j = 0; j < distances_.size(); ++j) {
    const torch::Tensor r = scaled(distances_[j], relevances[static_cast<std::int64_t>(j)].item<double>());
    kernels.push_back((1 + r + r.square() / 3) * (-r).exp());
  }
  return kernels;
}

EffectProcess::Kernel EffectProcess::kernel(const torch::Tensor& logarithms) const {
  const torch::Tensor shared = logarithms.slice(0, static_cast<std::int64_t>(blocks_.size())).exp();
  const auto value = [&](std::int64_t which) { return shared[which].item<double>(); };
  const std::vector<torch::Tensor> states = state_kernels(logarithms);
  Kernel result;
  result.sum = torch::zeros_like(same_task_);
  result.pairs = torch::zeros_like(same_task_);
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    result.of_parameters.push_back(torch::mm(torch::mm(blocks_[j], states[j]), blocks_[j].t()));
    result.pairs.addcmul_(result.sum, result.of_parameters.back());  // with all before it
    result.sum += result.of_parameters.back();
  }
  result.of_configurations = (result.sum * (value(kSingles) / singles())).add_(result.pairs, value(kPairs) / pairs());
  result.of_tasks = (same_task_ * value(kOwn)).add_(1);
  for (std::size_t g = 0; g < similar_.size(); ++g) {
    result.of_tasks.add_(similar_[g], value(kGroups + static_cast<std::int64_t>(g)));
  }
  torch::Tensor whole = (same_task_ * kLevel).addcmul_(result.of_configurations, result.of_tasks);
  whole.diagonal().add_(value(kNoise) + kLeastNoise);
  result.factor = torch::linalg_cholesky(whole);
  return result;
}

EffectProcess::Posterior EffectProcess::log_posterior(const torch::Tensor& logarithms,
                                                      const torch::Tensor& medians) const {
  const torch::NoGradGuard no_gradient;
  const Kernel now = kernel(logarithms);
  const torch::Tensor rest = torch::linalg_solve_triangular(now.factor, results_.scores.unsqueeze(1), /*upper=*/false);
  const torch::Tensor solved = torch::linalg_solve_triangular(now.factor.t(), rest, /*upper=*/true).squeeze(1);
  Posterior result;
  result.value = (-rest.square().sum() / 2 - now.factor.diagonal().log().sum() -
                  (logarithms - medians).square().sum() / (2 * kSpread * kSpread))
                     .item<double>();

  // ∂ log p(scores) / ∂ kernel, and by the factors of its first term.
  const torch::Tensor by_kernel = torch::cholesky_inverse(now.factor).neg_().addr_(solved, solved).div_(2);
  const torch::Tensor by_configurations = by_kernel * now.of_tasks, by_tasks = by_kernel * now.of_configurations;

  std::vector<double> gradient;
  const torch::Tensor values = logarithms.exp();
  const auto count = static_cast<std::int64_t>(blocks_.size());
  const auto value = [&](std::int64_t which) { return values[count + which].item<double>(); };
  const double of_single = value(kSingles) / singles(), of_pair = value(kPairs) / pairs();
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    // ∂ of_configurations / ∂ kⱼ: what it counts alone and with the others.
    const torch::Tensor by_parameter =
        (now.sum - now.of_parameters[j]).mul_(of_pair).add_(of_single).mul_(by_configurations);
    const torch::Tensor by_states = torch::mm(blocks_[j].t(), torch::mm(by_parameter, blocks_[j]));
    const double relevance = values[static_cast<std::int64_t>(j)].item<double>();
    const torch::Tensor r = scaled(distances_[j], relevance);
    // d Matérn / d squared distance = −5/6 (1 + r) e⁻ʳ
    gradient.push_back(product(by_states, distances_[j] * (1 + r) * (-r).exp()) * (-5.0 / 6) * relevance);
  }
  gradient.push_back(product(by_configurations, now.sum) * of_single);
  gradient.push_back(product(by_configurations, now.pairs) * of_pair);
  gradient.push_back(product(by_tasks, same_task_) * value(kOwn));
  gradient.push_back(by_kernel.trace().item<double>() * value(kNoise));
  for (std::size_t g = 0; g < similar_.size(); ++g) {
    gradient.push_back(product(by_tasks, similar_[g]) * value(kGroups + static_cast<std::int64_t>(g)));
  }
  result.gradient = torch::tensor(gradient, torch::kFloat64) - (logarithms - medians) / (kSpread * kSpread);
  return result;
}

torch::Tensor EffectProcess::solved(const torch::Tensor& logarithms) const {
  return torch::cholesky_solve(results_.scores.unsqueeze(1), kernel(logarithms).factor).squeeze(1);
}

}  // namespace hyperfd
