#include "tuner/ranker/task_posterior.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hyperfd {
namespace {

constexpr double kTrusts[] = {0, 0.5, 0.9};
constexpr double kLengths[] = {0.1, 0.3, 1, 3};  // squared, of the mean squared distance
constexpr double kNoises[] = {0.02, 0.2};
constexpr double kEmbeddingShares[] = {0.2, 0.9};
constexpr double kConstantVariance = 1;
constexpr std::size_t kFewResults = 10;  // up to which all models are kept
constexpr std::size_t kMaxModels = 6;    // beyond it
constexpr double kLeastWeight = 0.05;  // of a model, relative to the likeliest

double squared_distance(const float* a, const float* b, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return static_cast<double>(sum);
}

double dot(const float* a, const float* b, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return static_cast<double>(sum);
}

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Cholesky, in place, of a positive definite matrix's lower triangle.
void factorise(std::vector<double>& matrix, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    double* row = &matrix[i * n];
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = &matrix[j * n];
      const double rest = row[j] - dot(row, other, j);
      row[j] = j == i ? std::sqrt(std::max(rest, 1e-10)) : rest / other[j];
    }
  }
}

void solve_lower(const std::vector<double>& factor, std::size_t n, double* x) {
  for (std::size_t i = 0; i < n; ++i) x[i] = (x[i] - dot(&factor[i * n], x, i)) / factor[i * n + i];
}

void solve_upper(const std::vector<double>& factor, std::size_t n, double* x) {  // factorᵀ
  for (std::size_t i = n; i-- > 0;) {
    x[i] /= factor[i * n + i];
    for (std::size_t j = 0; j < i; ++j) x[j] -= factor[i * n + j] * x[i];
  }
}

double normal_density(double z) {
  return std::exp(-z * z / 2) / std::sqrt(2 * M_PI);
}

double normal_distribution(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

// By bisection of the distribution function: exact to double precision, and not in anybody's way.
double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_distribution(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

PosteriorInput posterior_input(const std::vector<EncodedConfiguration>& configurations) {
  PosteriorInput input;
  input.size = configurations.size();
  for (const EncodedConfiguration& row : configurations) {
    input.encodings.insert(input.encodings.end(), row.flat.begin(), row.flat.end());
  }
  return input;
}

std::vector<double> normal_scores(const std::vector<double>& scores) {
  const std::size_t n = scores.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<double> result(n);
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && scores[order[end]] == scores[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + 1 + end) / 2;
    const double quantile = normal_quantile(rank / static_cast<double>(n + 1));
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = quantile;
  }
  return result;
}

double expected_improvement(double mean, double deviation, double best) {
  const double gain = mean - best;
  if (deviation <= 0) return std::max(gain, 0.0);
  const double z = gain / deviation;
  return gain * normal_distribution(z) + deviation * normal_density(z);
}

TaskPosterior::TaskPosterior(const PosteriorInput& population, const PosteriorInput& results,
                             const std::vector<double>& scores) {
  const auto size = static_cast<double>(std::max<std::size_t>(population.size, 1));
  if (population.size > 0) {
    columns_ = population.encodings.size() / population.size;
    units_ = population.embeddings.size() / population.size;
  }
  // Mean squared distance of two members: twice the total variance.
  const auto total_variance = [&](const std::vector<float>& rows, std::size_t columns, std::vector<float>* mean) {
    std::vector<double> sums(columns), squares(columns);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sums[i % columns] += static_cast<double>(rows[i]);
      squares[i % columns] += static_cast<double>(rows[i]) * static_cast<double>(rows[i]);
    }
    double variance = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      const double average = sums[j] / size;
      variance += std::max(squares[j] / size - average * average, 0.0);
      if (mean) mean->push_back(static_cast<float>(average));
    }
    return variance > 1e-12 ? variance : 1;
  };
  distance_scale_ = 2 * total_variance(population.encodings, columns_, nullptr);
  embedding_scale_ = total_variance(population.embeddings, units_, &embedding_mean_);
  if (!population.prior.empty()) {
    double sum = 0, squares = 0;
    for (const double value : population.prior) sum += value;
    prior_mean_ = sum / size;
    for (const double value : population.prior) squares += (value - prior_mean_) * (value - prior_mean_);
    prior_scale_ = squares > 0 ? std::sqrt(squares / size) : 1;
  }

  results_ = centred(results);
  const std::size_t n = results_.size;
  distances_.resize(n * n);
  similarities_.resize(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double distance =
          squared_distance(&results_.encodings[i * columns_], &results_.encodings[j * columns_], columns_);
      const double similarity =
          units_ == 0 ? 0 : dot(&results_.embeddings[i * units_], &results_.embeddings[j * units_], units_);
      distances_[i * n + j] = distances_[j * n + i] = distance;
      similarities_[i * n + j] = similarities_[j * n + i] = similarity;
    }
  }
  const std::vector<double> y = normal_scores(scores);
  for (const double trust : kTrusts) {
    if (trust > 0 && population.prior.empty()) break;  // nothing to trust
    for (const double share : kEmbeddingShares) {
      for (const double length : kLengths) {
        for (const double noise : kNoises) add_model({trust, units_ == 0 ? 0 : share, length, noise, 0, {}, {}}, y);
      }
      if (units_ == 0) break;
    }
  }
  keep_likely_models();
  if (n > 0) {
    const std::vector<double> means = predict(results).mean;
    best_mean_ = *std::max_element(means.begin(), means.end());
  }
}

PosteriorInput TaskPosterior::centred(const PosteriorInput& input) const {
  PosteriorInput result = input;
  for (double& value : result.prior) value = (value - prior_mean_) / prior_scale_;
  const float scale = static_cast<float>(1 / std::sqrt(embedding_scale_));
  for (std::size_t i = 0; i < result.embeddings.size(); ++i) {
    result.embeddings[i] = (result.embeddings[i] - embedding_mean_[i % units_]) * scale;
  }
  return result;
}

double TaskPosterior::kernel(const Model& model, double squared_distance, double similarity) const {
  const double r = std::sqrt(5 * squared_distance / (model.length * distance_scale_));
  const double matern = (1 + r + r * r / 3) * std::exp(-r);
  return kConstantVariance + (1 - model.trust) * (model.share * similarity + (1 - model.share) * matern);
}

void TaskPosterior::add_model(Model model, const std::vector<double>& y) {
  const std::size_t n = results_.size;
  model.factor.resize(n * n);
  model.solved.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      model.factor[i * n + j] = kernel(model, distances_[i * n + j], similarities_[i * n + j]) + (i == j ? model.noise : 0);
    }
    model.solved[i] = y[i] - (results_.prior.empty() ? 0 : std::sqrt(model.trust) * results_.prior[i]);
  }
  factorise(model.factor, n);
  solve_lower(model.factor, n, model.solved.data());
  double log_likelihood = 0;
  for (std::size_t i = 0; i < n; ++i) {
    log_likelihood -= model.solved[i] * model.solved[i] / 2 + std::log(model.factor[i * n + i]);
  }
  solve_upper(model.factor, n, model.solved.data());
  models_.push_back(std::move(model));
  log_likelihoods_.push_back(log_likelihood);
}

void TaskPosterior::keep_likely_models() {
  const double best = *std::max_element(log_likelihoods_.begin(), log_likelihoods_.end());
  for (std::size_t i = 0; i < models_.size(); ++i) models_[i].weight = std::exp(log_likelihoods_[i] - best);
  log_likelihoods_.clear();
  std::stable_sort(models_.begin(), models_.end(), [](const Model& a, const Model& b) { return a.weight > b.weight; });
  std::size_t kept = 1;
  const std::size_t most = results_.size <= kFewResults ? models_.size() : std::min(kMaxModels, models_.size());
  while (kept < most && models_[kept].weight >= kLeastWeight) ++kept;
  models_.resize(kept);
  double total = 0;
  for (const Model& model : models_) total += model.weight;
  for (Model& model : models_) model.weight /= total;
}

TaskPosterior::Prediction TaskPosterior::predict(const PosteriorInput& candidates) const {
  const PosteriorInput input = centred(candidates);
  const std::size_t n = results_.size;
  Prediction prediction;
  std::vector<double> distances(n), similarities(n), row(n);
  for (std::size_t c = 0; c < input.size; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      distances[i] = squared_distance(&input.encodings[c * columns_], &results_.encodings[i * columns_], columns_);
      if (units_ > 0) {
        similarities[i] = dot(&input.embeddings[c * units_], &results_.embeddings[i * units_], units_);
      }
    }
    const double own = units_ == 0 ? 0 : dot(&input.embeddings[c * units_], &input.embeddings[c * units_], units_);
    double mean = 0, square = 0;
    for (const Model& model : models_) {
      for (std::size_t i = 0; i < n; ++i) row[i] = kernel(model, distances[i], similarities[i]);
      double model_mean = dot(row.data(), model.solved.data(), n);
      if (!input.prior.empty()) model_mean += std::sqrt(model.trust) * input.prior[c];
      solve_lower(model.factor, n, row.data());
      const double variance = std::max(kernel(model, 0, own) - dot(row.data(), row.data(), n), 0.0);
      mean += model.weight * model_mean;
      square += model.weight * (variance + model_mean * model_mean);
    }
    prediction.mean.push_back(mean);
    prediction.deviation.push_back(std::sqrt(std::max(square - mean * mean, 0.0)));
  }
  return prediction;
}

}  // namespace hyperfd
