#include "tuner/ranker/task_posterior.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <type_traits>
#include <utility>

namespace hyperfd {
namespace {

constexpr double kTrusts[] = {0, 0.5, 0.9};
constexpr double kLengths[] = {0.1, 0.3, 1, 3};  // squared, of the mean squared distance
constexpr std::size_t kLengthCount = std::size(kLengths);
constexpr double kNoises[] = {0.02, 0.2};
constexpr double kEmbeddingShares[] = {0.2, 0.9};
constexpr double kConstantVariance = 1;
constexpr std::size_t kFewResults = 10;  // up to which all models are kept
constexpr std::size_t kMaxModels = 3;    // beyond it
constexpr double kLeastWeight = 0.05;    // of a model, relative to the likeliest

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

// Solves factor · x = b in place; the factor's rows have 1, 2, … numbers.
void solve_lower(const std::vector<double>& factor, std::size_t n, double* x) {
  const double* row = factor.data();
  for (std::size_t i = 0; i < n; row += ++i) x[i] = (x[i] - dot(row, x, i)) / row[i];
}

// factorᵀ · x = b.
void solve_upper(const std::vector<double>& factor, std::size_t n, double* x) {
  for (std::size_t i = n; i-- > 0;) {
    const double* row = &factor[i * (i + 1) / 2];
    x[i] /= row[i];
    for (std::size_t j = 0; j < i; ++j) x[j] -= row[j] * x[i];
  }
}

// Appends a row to a Cholesky factor of n rows: kernel values with what is there, and with itself.
void extend(std::vector<double>& factor, std::size_t n, const std::vector<double>& kernels, double self) {
  std::vector<double> row(kernels.begin(), kernels.begin() + static_cast<std::ptrdiff_t>(n));
  solve_lower(factor, n, row.data());
  const double rest = self - dot(row.data(), row.data(), n);
  factor.insert(factor.end(), row.begin(), row.end());
  factor.push_back(std::sqrt(std::max(rest, 1e-10)));
}

void append(PosteriorInput& to, const PosteriorInput& from) {
  to.size += from.size;
  to.encodings.insert(to.encodings.end(), from.encodings.begin(), from.encodings.end());
  to.embeddings.insert(to.embeddings.end(), from.embeddings.begin(), from.embeddings.end());
  to.prior.insert(to.prior.end(), from.prior.begin(), from.prior.end());
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

  known_ = centred(results);
  results_ = results.size;
  std::vector<Comparison> comparisons(results_);
  for (std::size_t i = 0; i < results_; ++i) compare(known_, i, comparisons[i]);
  const std::vector<double> y = normal_scores(scores);
  for (const double trust : kTrusts) {
    if (trust > 0 && population.prior.empty()) break;  // nothing to trust
    for (const double share : kEmbeddingShares) {
      for (std::size_t length = 0; length < kLengthCount; ++length) {
        for (const double noise : kNoises) {
          add_model({trust, units_ == 0 ? 0 : share, length, noise, 0, {}, {}}, y, comparisons);
        }
      }
      if (units_ == 0) break;
    }
  }
  keep_likely_models();
  if (results_ > 0) {
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

void TaskPosterior::compare(const PosteriorInput& input, std::size_t c, Comparison& comparison) const {
  comparison.matern.resize(kLengthCount * known_.size);
  comparison.similarity.assign(known_.size, 0);
  const float* const embedding = input.embeddings.data() + c * units_;
  for (std::size_t i = 0; i < known_.size; ++i) {
    const double distance =
        squared_distance(&input.encodings[c * columns_], &known_.encodings[i * columns_], columns_) / distance_scale_;
    for (std::size_t k = 0; k < kLengthCount; ++k) {
      const double r = std::sqrt(5 * distance / kLengths[k]);
      comparison.matern[k * known_.size + i] = (1 + r + r * r / 3) * std::exp(-r);
    }
    if (units_ > 0) comparison.similarity[i] = dot(embedding, known_.embeddings.data() + i * units_, units_);
  }
  comparison.self = dot(embedding, embedding, units_);
}

double TaskPosterior::kernel(const Model& model, double matern, double similarity) {
  return kConstantVariance + (1 - model.trust) * (model.share * similarity + (1 - model.share) * matern);
}

void TaskPosterior::kernels(const Model& model, const Comparison& comparison, std::size_t count,
                            std::vector<double>& row) const {
  const double* const matern = comparison.matern.data() + model.length * comparison.similarity.size();
  row.resize(count);
  for (std::size_t i = 0; i < count; ++i) row[i] = kernel(model, matern[i], comparison.similarity[i]);
}

void TaskPosterior::add_model(Model model, const std::vector<double>& y, const std::vector<Comparison>& results) {
  std::vector<double> row;
  double log_likelihood = 0;
  for (std::size_t i = 0; i < results_; ++i) {
    kernels(model, results[i], i, row);
    extend(model.factor, i, row, kernel(model, 1, results[i].self) + model.noise);
    log_likelihood -= std::log(model.factor.back());
    model.solved.push_back(y[i] - (known_.prior.empty() ? 0 : std::sqrt(model.trust) * known_.prior[i]));
  }
  solve_lower(model.factor, results_, model.solved.data());
  log_likelihood -= dot(model.solved.data(), model.solved.data(), results_) / 2;
  solve_upper(model.factor, results_, model.solved.data());
  models_.push_back(std::move(model));
  log_likelihoods_.push_back(log_likelihood);
}

void TaskPosterior::add_pending(const PosteriorInput& pending) {
  const std::vector<double> means = predict(pending).mean;
  const PosteriorInput input = centred(pending);
  const auto part = [](const auto& all, std::size_t c, std::size_t width) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(c * width);
    return std::decay_t<decltype(all)>(begin, begin + static_cast<std::ptrdiff_t>(width));
  };
  Comparison comparison;
  std::vector<double> row;
  for (std::size_t c = 0; c < means.size(); ++c) {
    best_mean_ = known_.size == 0 ? means[c] : std::max(best_mean_, means[c]);
    compare(input, c, comparison);
    for (Model& model : models_) {
      kernels(model, comparison, known_.size, row);
      extend(model.factor, known_.size, row, kernel(model, 1, comparison.self) + model.noise);
    }
    append(known_, {1, part(input.encodings, c, columns_), part(input.embeddings, c, units_),
                    input.prior.empty() ? std::vector<double>() : part(input.prior, c, 1)});
  }
}

void TaskPosterior::keep_likely_models() {
  const double best = *std::max_element(log_likelihoods_.begin(), log_likelihoods_.end());
  for (std::size_t i = 0; i < models_.size(); ++i) models_[i].weight = std::exp(log_likelihoods_[i] - best);
  log_likelihoods_.clear();
  std::stable_sort(models_.begin(), models_.end(), [](const Model& a, const Model& b) { return a.weight > b.weight; });
  std::size_t kept = 1;
  const std::size_t most = results_ <= kFewResults ? models_.size() : std::min(kMaxModels, models_.size());
  while (kept < most && models_[kept].weight >= kLeastWeight) ++kept;
  models_.resize(kept);
  double total = 0;
  for (const Model& model : models_) total += model.weight;
  for (Model& model : models_) model.weight /= total;
}

TaskPosterior::Prediction TaskPosterior::predict(const PosteriorInput& candidates) const {
  const PosteriorInput input = centred(candidates);
  Prediction prediction;
  Comparison comparison;
  std::vector<double> row;
  for (std::size_t c = 0; c < input.size; ++c) {
    compare(input, c, comparison);
    double mean = 0, square = 0;
    for (const Model& model : models_) {
      kernels(model, comparison, known_.size, row);
      double model_mean = dot(row.data(), model.solved.data(), results_);
      if (!input.prior.empty()) model_mean += std::sqrt(model.trust) * input.prior[c];
      solve_lower(model.factor, known_.size, row.data());
      const double variance =
          std::max(kernel(model, 1, comparison.self) - dot(row.data(), row.data(), known_.size), 0.0);
      mean += model.weight * model_mean;
      square += model.weight * (variance + model_mean * model_mean);
    }
    prediction.mean.push_back(mean);
    prediction.deviation.push_back(std::sqrt(std::max(square - mean * mean, 0.0)));
  }
  return prediction;
}

std::vector<double> TaskPosterior::acquisition(const PosteriorInput& candidates) const {
  const Prediction prediction = predict(candidates);
  if (known_.size == 0) return prediction.mean;
  std::vector<double> gains;
  for (std::size_t i = 0; i < candidates.size; ++i) {
    gains.push_back(expected_improvement(prediction.mean[i], prediction.deviation[i], best_mean_));
  }
  return gains;
}

}  // namespace hyperfd
