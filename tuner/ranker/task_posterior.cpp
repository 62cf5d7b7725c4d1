#include "tuner/ranker/task_posterior.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <Eigen/Cholesky>

#include "tuner/ranker/kernel_fit.h"

namespace hyperfd {
namespace {

constexpr float kStarts[] = {1, 0.45f};  // lengths, in those that are usual; beyond a few results the first
constexpr float kTrusts[] = {0, 0.5f, 0.9f};
constexpr float kEmbeddingShares[] = {0, 0.5f};
constexpr std::size_t kFewResults = 10;  // up to which all models are made and kept
constexpr std::size_t kMaxModels = 3;    // beyond it
constexpr float kLeastWeight = 0.05f;    // of a model, relative to the likeliest
constexpr double kGapQuantile = 0.15;    // of scores: at the end of the linear part
constexpr double kLargestGap = 10;       // in its units
constexpr double kShareOfRanks = 0.05;
constexpr float kRankedModels = 5;       // of the grid
// A ranking that was learned from as many tasks is as likely to say something as to say nothing.
constexpr float kEvenTasks = 2;

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

// To mean 0 and variance (n − 1)/(n + 2), which is nearly that of normal_scores().
void standardise(std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double scale = squares > 0 ? std::sqrt(n * (n - 1) / ((n + 2) * squares)) : 0;
  for (double& value : values) value = (value - mean) * scale;
}

void append(Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>& to,
            const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>& from) {
  to.conservativeResize(to.rows() + from.rows(), Eigen::NoChange);
  to.bottomRows(from.rows()) = from;
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

std::vector<double> squashed_scores(const std::vector<double>& scores) {
  if (scores.empty()) return {};
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  // Halves, as the difference of two large numbers overflows.
  const auto gap = [best = sorted.back() / 2](double score) { return best - score / 2; };
  double unit = gap(sorted[static_cast<std::size_t>(kGapQuantile * static_cast<double>(scores.size()))]);
  if (unit <= 0) unit = gap(sorted.front());
  if (unit <= 0) unit = 1;
  std::vector<double> values;
  for (const double score : scores) {
    const double gaps = std::min(gap(score) / unit, kLargestGap);
    values.push_back(gaps <= 1 ? -gaps : -1 - std::log(gaps));
  }
  standardise(values);
  const std::vector<double> ranks = normal_scores(scores);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += kShareOfRanks * (ranks[i] - values[i]);
  return values;
}

double expected_improvement(double mean, double deviation, double best) {
  const double gain = mean - best;
  if (deviation <= 0) return std::max(gain, 0.0);
  const double z = gain / deviation;
  return gain * normal_distribution(z) + deviation * normal_density(z);
}

class TaskPosterior::Impl {
 public:
  Impl(const PosteriorInput& population, const PosteriorInput& results, const std::vector<double>& scores,
       EncodingColumns columns, std::size_t past_tasks);
  void add_pending(const PosteriorInput& pending);
  Prediction predict(const PosteriorInput& candidates) const;
  std::vector<double> acquisition(const Prediction& prediction) const;

 private:
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  // Configurations, scaled.
  struct Input {
    Rows encodings, embeddings;
    Eigen::VectorXf prior;  // zeros where there is none
  };
  struct Model {
    std::size_t fit;     // of fits_
    float trust, share;  // ρ, and the linear kernel's part
    float weight;
    Eigen::MatrixXf factor;  // lower triangle: kernel of results and pending ones + noise
    Eigen::VectorXf solved;  // kernel⁻¹ (y − mean), of the results
  };

  // What kernels are made of: [known, of input].
  struct Comparison {
    std::vector<Eigen::MatrixXf> matern;  // for each fit
    Eigen::MatrixXf similarity;           // of embeddings
  };

  Eigen::Index features() const {
    return columns_.empty() ? 0 : static_cast<Eigen::Index>(columns_.back().feature) + 1;
  }
  Input read(const PosteriorInput& input) const;
  void set_scales(const PosteriorInput& population);
  // Squared distances between pairs of results, by feature (fit_kernel()).
  Eigen::MatrixXf feature_distances() const;
  void add_model(const Comparison& known, Model model, float prior_weight);
  void keep_likely_models();
  Comparison compare(const Input& input) const;
  static Eigen::MatrixXf kernel(const Model& model, const Comparison& comparison);
  // Of each of `input` with itself.
  static Eigen::ArrayXf variance(const Model& model, const Input& input);

  EncodingColumns columns_;
  Eigen::Index units_ = 0;
  Eigen::VectorXf column_scale_;  // [columns]: makes the mean squared distance of a feature 1
  Eigen::VectorXf embedding_mean_;
  float embedding_scale_ = 1;
  double prior_mean_ = 0, prior_scale_ = 1;
  Input known_;               // results, then pending ones
  Eigen::Index results_ = 0;  // how many are results
  Eigen::VectorXf y_;         // of the results
  std::vector<KernelFit> fits_;
  std::vector<Model> models_;
  double best_mean_ = 0;  // among known_
};

TaskPosterior::Impl::Impl(const PosteriorInput& population, const PosteriorInput& results,
                          const std::vector<double>& scores, EncodingColumns columns, std::size_t past_tasks)
    : columns_(std::move(columns)) {
  if (columns_.empty() && population.size > 0) {
    for (std::size_t i = 0; i < population.encodings.size() / population.size; ++i) add_feature(columns_, 1, -1);
  }
  set_scales(population);
  known_ = read(results);
  results_ = static_cast<Eigen::Index>(results.size);
  const std::vector<double> y = squashed_scores(scores);
  y_ = Eigen::Map<const Eigen::VectorXd>(y.data(), results_).cast<float>();

  const Eigen::MatrixXf distances = feature_distances();
  for (const float start : kStarts) {
    if (fits_.empty() || results_ <= static_cast<Eigen::Index>(kFewResults)) {
      fits_.push_back(fit_kernel(distances, y_, start));
    }
  }
  std::stable_sort(fits_.begin(), fits_.end(),
                   [](const KernelFit& a, const KernelFit& b) { return a.log_posterior > b.log_posterior; });
  const Comparison known = compare(known_);
  const auto tasks = static_cast<float>(population.prior.empty() ? 0 : past_tasks);
  const float ranked = tasks / (tasks + kEvenTasks);
  for (std::size_t fit = 0; fit < fits_.size(); ++fit) {
    add_model(known, {fit, 0, 0, 0, {}, {}}, (1 - ranked) / static_cast<float>(fits_.size()));
  }
  for (const float trust : kTrusts) {
    for (const float share : kEmbeddingShares) {
      if (share > 0 && units_ == 0) continue;
      if (trust > 0 || share > 0) add_model(known, {0, trust, share, 0, {}, {}}, ranked / kRankedModels);
    }
  }
  keep_likely_models();
  if (results_ > 0) {
    const std::vector<double> means = predict(results).mean;
    best_mean_ = *std::max_element(means.begin(), means.end());
  }
}

void TaskPosterior::Impl::set_scales(const PosteriorInput& population) {
  const auto n = static_cast<Eigen::Index>(population.size);
  const auto width = static_cast<Eigen::Index>(columns_.size());
  column_scale_ = Eigen::VectorXf::Ones(width);
  if (n == 0) return;
  const Eigen::Map<const Rows> rows(population.encodings.data(), n, width);
  // The mean squared distance of two members is twice the variance; where a feature is active.
  Eigen::ArrayXf distance = Eigen::ArrayXf::Zero(features());
  for (Eigen::Index j = 0; j < width; ++j) {
    const EncodingColumn& column = columns_[static_cast<std::size_t>(j)];
    const float active = column.mask < 0 ? static_cast<float>(n) : rows.col(column.mask).sum();
    if (active <= 0) continue;
    const float mean = rows.col(j).sum() / active;  // what is not active is zero
    distance(static_cast<Eigen::Index>(column.feature)) +=
        2 * std::max(rows.col(j).squaredNorm() / active - mean * mean, 0.0f);
  }
  for (Eigen::Index j = 0; j < width; ++j) {
    const float of_feature = distance(static_cast<Eigen::Index>(columns_[static_cast<std::size_t>(j)].feature));
    if (of_feature > 1e-6f) column_scale_(j) = 1 / std::sqrt(of_feature);
  }
  units_ = static_cast<Eigen::Index>(population.embeddings.size()) / n;
  if (units_ > 0) {
    const Eigen::Map<const Rows> embeddings(population.embeddings.data(), n, units_);
    embedding_mean_ = embeddings.colwise().mean();
    const float variance = (embeddings.rowwise() - embedding_mean_.transpose()).squaredNorm() / static_cast<float>(n);
    if (variance > 1e-12f) embedding_scale_ = 1 / std::sqrt(variance);
  }
  if (!population.prior.empty()) {
    const Eigen::Map<const Eigen::ArrayXd> prior(population.prior.data(), n);
    prior_mean_ = prior.mean();
    const double variance = (prior - prior_mean_).square().mean();
    if (variance > 0) prior_scale_ = std::sqrt(variance);
  }
}

TaskPosterior::Impl::Input TaskPosterior::Impl::read(const PosteriorInput& input) const {
  const auto n = static_cast<Eigen::Index>(input.size);
  const auto width = static_cast<Eigen::Index>(columns_.size());
  const Eigen::Map<const Rows> encodings(input.encodings.data(), n, width);
  Input result;
  result.encodings = encodings;
  for (Eigen::Index j = 0; j < width; ++j) {
    const EncodingColumn& column = columns_[static_cast<std::size_t>(j)];
    if (column.mask >= 0) result.encodings.col(j) += column.middle * (1 - encodings.col(column.mask).array()).matrix();
  }
  result.encodings *= column_scale_.asDiagonal();
  result.embeddings.resize(n, units_);
  if (units_ > 0 && n > 0) {
    result.embeddings = Eigen::Map<const Rows>(input.embeddings.data(), n, units_);
    result.embeddings.rowwise() -= embedding_mean_.transpose();
    result.embeddings *= embedding_scale_;
  }
  result.prior = Eigen::VectorXf::Zero(n);
  if (!input.prior.empty()) {
    const Eigen::Map<const Eigen::ArrayXd> prior(input.prior.data(), n);
    result.prior = ((prior - prior_mean_) / prior_scale_).cast<float>();
  }
  return result;
}

Eigen::MatrixXf TaskPosterior::Impl::feature_distances() const {
  Eigen::MatrixXf distances = Eigen::MatrixXf::Zero(results_ * (results_ - 1) / 2, features());
  const Eigen::MatrixXf by_column = known_.encodings;
  for (Eigen::Index j = 0; j < by_column.cols(); ++j) {
    auto distance = distances.col(static_cast<Eigen::Index>(columns_[static_cast<std::size_t>(j)].feature));
    const auto x = by_column.col(j).array();
    for (Eigen::Index i = 0, pair = 0; i < results_; pair += i++) {
      distance.segment(pair, i).array() += (x.head(i) - x(i)).square();
    }
  }
  return distances;
}

TaskPosterior::Impl::Comparison TaskPosterior::Impl::compare(const Input& input) const {
  Comparison comparison;
  Eigen::VectorXf scale(static_cast<Eigen::Index>(columns_.size()));
  for (const KernelFit& fit : fits_) {
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      scale(static_cast<Eigen::Index>(j)) =
          std::sqrt(fit.parameters.relevance(static_cast<Eigen::Index>(columns_[j].feature)));
    }
    const Eigen::MatrixXf a = known_.encodings * scale.asDiagonal(), b = input.encodings * scale.asDiagonal();
    Eigen::MatrixXf distance = -2 * a * b.transpose();
    distance.colwise() += a.rowwise().squaredNorm();
    distance.rowwise() += b.rowwise().squaredNorm().transpose();
    comparison.matern.push_back(matern(distance.array()));
  }
  if (units_ > 0) comparison.similarity = known_.embeddings * input.embeddings.transpose();
  return comparison;
}

Eigen::MatrixXf TaskPosterior::Impl::kernel(const Model& model, const Comparison& comparison) {
  const float rest = 1 - model.trust;
  Eigen::MatrixXf result = kConstantVariance + rest * (1 - model.share) * comparison.matern[model.fit].array();
  if (model.share > 0) result += rest * model.share * comparison.similarity;
  return result;
}

Eigen::ArrayXf TaskPosterior::Impl::variance(const Model& model, const Input& input) {
  return kConstantVariance + (1 - model.trust) * (1 - model.share +
                                                  model.share * input.embeddings.rowwise().squaredNorm().array());
}

void TaskPosterior::Impl::add_model(const Comparison& known, Model model, float prior_weight) {
  if (prior_weight <= 0) return;
  model.factor = kernel(model, known);
  model.factor.diagonal().array() = variance(model, known_) + fits_[model.fit].parameters.noise;
  const Eigen::LLT<Eigen::MatrixXf> factor(model.factor);
  model.factor = factor.matrixLLT();
  const Eigen::VectorXf rest = y_ - std::sqrt(model.trust) * known_.prior;
  model.solved = factor.solve(rest);
  // Both fits count by their likelihoods alone: their priors hardly differ.
  model.weight = std::log(prior_weight) - rest.dot(model.solved) / 2 - model.factor.diagonal().array().log().sum();
  models_.push_back(std::move(model));
}

// Weights from their logarithms.
void TaskPosterior::Impl::keep_likely_models() {
  std::stable_sort(models_.begin(), models_.end(), [](const Model& a, const Model& b) { return a.weight > b.weight; });
  const float best = models_[0].weight;
  for (Model& model : models_) model.weight = std::exp(model.weight - best);
  std::size_t kept = 1;
  const std::size_t most =
      results_ <= static_cast<Eigen::Index>(kFewResults) ? models_.size() : std::min(kMaxModels, models_.size());
  while (kept < most && models_[kept].weight >= kLeastWeight) ++kept;
  models_.resize(kept);
  float total = 0;
  for (const Model& model : models_) total += model.weight;
  for (Model& model : models_) model.weight /= total;
}

void TaskPosterior::Impl::add_pending(const PosteriorInput& pending) {
  const std::vector<double> means = predict(pending).mean;
  const Input all = read(pending);
  for (Eigen::Index c = 0; c < all.prior.size(); ++c) {
    const double mean = means[static_cast<std::size_t>(c)];
    const Eigen::Index n = known_.prior.size();
    best_mean_ = n == 0 ? mean : std::max(best_mean_, mean);
    const Input one{all.encodings.row(c), all.embeddings.row(c), all.prior.segment(c, 1)};
    const Comparison comparison = compare(one);
    for (Model& model : models_) {
      Eigen::VectorXf row = kernel(model, comparison);
      model.factor.triangularView<Eigen::Lower>().solveInPlace(row);
      const float rest = variance(model, one)(0) + fits_[model.fit].parameters.noise - row.squaredNorm();
      model.factor.conservativeResize(n + 1, n + 1);
      model.factor.row(n).head(n) = row.transpose();
      model.factor(n, n) = std::sqrt(std::max(rest, 1e-6f));
    }
    append(known_.encodings, one.encodings);
    append(known_.embeddings, one.embeddings);
    known_.prior.conservativeResize(n + 1);
    known_.prior(n) = one.prior(0);
  }
}

TaskPosterior::Prediction TaskPosterior::Impl::predict(const PosteriorInput& candidates) const {
  const Input input = read(candidates);
  const Eigen::Index n = input.prior.size();
  const Comparison comparison = compare(input);
  Eigen::ArrayXf mean = Eigen::ArrayXf::Zero(n), square = mean;
  for (const Model& model : models_) {
    Eigen::MatrixXf cross = kernel(model, comparison);
    const Eigen::ArrayXf of_model =
        cross.topRows(results_).transpose() * model.solved + std::sqrt(model.trust) * input.prior;
    model.factor.triangularView<Eigen::Lower>().solveInPlace(cross);
    const Eigen::ArrayXf left = (variance(model, input) - cross.colwise().squaredNorm().transpose().array()).max(0);
    mean += model.weight * of_model;
    square += model.weight * (left + of_model.square());
  }
  const Eigen::ArrayXf deviation = (square - mean.square()).max(0).sqrt();
  return {{mean.begin(), mean.end()}, {deviation.begin(), deviation.end()}};
}

std::vector<double> TaskPosterior::Impl::acquisition(const Prediction& prediction) const {
  if (known_.prior.size() == 0) return prediction.mean;
  std::vector<double> gains;
  for (std::size_t i = 0; i < prediction.mean.size(); ++i) {
    gains.push_back(expected_improvement(prediction.mean[i], prediction.deviation[i], best_mean_));
  }
  return gains;
}

TaskPosterior::TaskPosterior(const PosteriorInput& population, const PosteriorInput& results,
                             const std::vector<double>& scores, EncodingColumns columns, std::size_t past_tasks)
    : impl_(std::make_unique<Impl>(population, results, scores, std::move(columns), past_tasks)) {}
TaskPosterior::TaskPosterior(TaskPosterior&&) noexcept = default;
TaskPosterior::~TaskPosterior() = default;

void TaskPosterior::add_pending(const PosteriorInput& pending) {
  impl_->add_pending(pending);
}
TaskPosterior::Prediction TaskPosterior::predict(const PosteriorInput& candidates) const {
  return impl_->predict(candidates);
}
std::vector<double> TaskPosterior::acquisition(const Prediction& prediction) const {
  return impl_->acquisition(prediction);
}

}  // namespace hyperfd
