#include "tuner/baselines/rgpe_policy.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "tuner/baselines/surrogate.h"
#include "tuner/ranker/task_posterior.h"

namespace hyperfd {
namespace {

constexpr int kSamples = 256;
constexpr std::size_t kMaxOwn = 100;

struct Own {
  std::vector<std::vector<float>> encodings;
  std::vector<double> scores;
};

Own own_results(const TaskView& task) {
  Own own;
  for (std::size_t i = task.results.size() - std::min(task.results.size(), kMaxOwn); i < task.results.size(); ++i) {
    own.encodings.push_back(task.space.encode(task.results[i].configuration));
    own.scores.push_back(task.results[i].score);
  }
  return own;
}

Eigen::VectorXd draw_normal(Eigen::Index n, Rng& rng) {
  Eigen::VectorXd draw(n);
  for (double& x : draw) x = rng.normal();
  return draw;
}

// Pairs of results that `values` orders differently, each result being compared as `values` has it with the others as
// `others` has them.
double ranking_loss(const Eigen::VectorXd& values, const Eigen::VectorXd& others, const std::vector<double>& scores) {
  double loss = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      const bool is_below = values(static_cast<Eigen::Index>(i)) < others(static_cast<Eigen::Index>(j));
      if (i != j && is_below != (scores[i] < scores[j])) ++loss;
    }
  }
  return loss;
}

std::vector<double> losses_of_past(const GaussianProcess& model, const Eigen::MatrixXd& inputs, const Own& own,
                                   Rng& rng) {
  const Eigen::VectorXd mean = model.predict(inputs).mean;
  Eigen::MatrixXd covariance = model.covariance(inputs);
  covariance.diagonal().array() += 1e-6;
  const Eigen::MatrixXd factor = covariance.llt().matrixL();
  std::vector<double> losses;
  for (int s = 0; s < kSamples; ++s) {
    const Eigen::VectorXd sample = mean + factor * draw_normal(mean.size(), rng);
    losses.push_back(ranking_loss(sample, sample, own.scores));
  }
  return losses;
}

// By what the others say of each result: the model has seen them, so its fit says nothing.
std::vector<double> losses_of_own(const GaussianProcess& model, const Eigen::VectorXd& targets, const Own& own,
                                  Rng& rng) {
  const GaussianProcess::Prediction left_out = model.leave_one_out();
  std::vector<double> losses;
  for (int s = 0; s < kSamples; ++s) {
    const Eigen::VectorXd sample =
        left_out.mean + left_out.variance.cwiseSqrt().cwiseProduct(draw_normal(targets.size(), rng));
    losses.push_back(ranking_loss(sample, targets, own.scores));
  }
  return losses;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace

std::vector<double> rgpe_weights(const std::vector<std::vector<double>>& losses) {
  const std::size_t models = losses.size(), own = models - 1, samples = losses[own].size();
  std::vector<bool> is_used(models, true);
  const double limit = quantile(losses[own], 0.95);
  for (std::size_t m = 0; m < own; ++m) is_used[m] = quantile(losses[m], 0.5) <= limit;
  std::vector<double> weights(models);
  for (std::size_t s = 0; s < samples; ++s) {
    double smallest = losses[own][s], winners = 0;
    for (std::size_t m = 0; m < models; ++m) {
      if (is_used[m]) smallest = std::min(smallest, losses[m][s]);
    }
    for (std::size_t m = 0; m < models; ++m) winners += is_used[m] && losses[m][s] == smallest ? 1 : 0;
    for (std::size_t m = 0; m < models; ++m) {
      if (is_used[m] && losses[m][s] == smallest) weights[m] += 1 / winners / static_cast<double>(samples);
    }
  }
  return weights;
}

std::vector<double> RgpePolicy::score(const TaskView& task, const Candidates& candidates, Rng& rng) const {
  std::vector<std::shared_ptr<const GaussianProcess>> models;
  for (const auto& past : task.past.tasks()) models.push_back(surrogate_of(*past));
  const Own own = own_results(task);
  const Eigen::MatrixXd own_inputs = as_matrix(own.encodings);
  std::vector<double> weights(models.size(), models.empty() ? 0.0 : 1.0 / static_cast<double>(models.size()));
  if (own.scores.size() >= 2) {
    const std::vector<double> ranks = relative_ranks(own.scores);
    const auto own_model = std::make_shared<const GaussianProcess>(make_surrogate(own.encodings, ranks));
    std::vector<std::vector<double>> losses;
    for (const auto& model : models) losses.push_back(losses_of_past(*model, own_inputs, own, rng));
    losses.push_back(losses_of_own(*own_model, as_vector(normal_scores_of_ranks(ranks)), own, rng));
    models.push_back(own_model);
    weights = rgpe_weights(losses);
  }

  const Eigen::MatrixXd points = as_matrix(candidates.encodings);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(points.rows()), variance = mean;
  Eigen::VectorXd own_mean = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(own.scores.size()));
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (weights[m] == 0) continue;
    const GaussianProcess::Prediction prediction = models[m]->predict(points);
    mean += weights[m] * prediction.mean;
    variance += weights[m] * weights[m] * prediction.variance;
    if (own_mean.size() > 0) own_mean += weights[m] * models[m]->predict(own_inputs).mean;
  }
  if (own_mean.size() == 0) return {mean.begin(), mean.end()};
  const double best = own_mean.maxCoeff();
  std::vector<double> scores;
  for (Eigen::Index i = 0; i < mean.size(); ++i) {
    scores.push_back(expected_improvement(mean(i), std::sqrt(variance(i)), best));
  }
  return scores;
}

}  // namespace hyperfd
