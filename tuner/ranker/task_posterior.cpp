#include "tuner/ranker/task_posterior.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <utility>
#include <Eigen/Cholesky>

namespace hyperfd {
namespace {

double env(const char* name, double other) {
  const char* text = std::getenv(name);
  return text ? std::atof(text) : other;
}

double normal_density(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * M_PI); }
double normal_distribution(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }
double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_distribution(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::vector<double> standard(std::vector<double> v) {
  double m = 0, s = 0;
  for (double x : v) m += x;
  m /= std::max<double>(1, v.size());
  for (double x : v) s += (x - m) * (x - m);
  s = s > 0 ? std::sqrt(s / v.size()) : 1;
  for (double& x : v) x = (x - m) / s;
  return v;
}

// 0 at the quantile, 1 at the best, logarithmic below
std::vector<double> squashed(const std::vector<double>& scores, double quantile) {
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  const double best = sorted.back(), middle = sorted[static_cast<std::size_t>(quantile * (sorted.size() - 1))];
  double scale = best - middle;
  if (!(scale > 0)) scale = best - sorted.front();
  if (!(scale > 0)) return std::vector<double>(scores.size(), 0.0);
  std::vector<double> r;
  for (double s : scores) {
    const double gap = (best - s) / scale;
    r.push_back(gap <= 1 ? -gap : -1 - std::log(gap));
  }
  return standard(r);
}

std::vector<double> targets(const std::vector<double>& scores) {
  const int mode = static_cast<int>(env("Y", 0));
  if (scores.empty()) return {};
  const std::vector<double> ranks = normal_scores(scores);
  if (mode == 0) return ranks;
  const std::vector<double> values = squashed(scores, env("YQ", 0.5));
  if (mode == 1) return values;
  std::vector<double> both;
  for (std::size_t i = 0; i < ranks.size(); ++i) both.push_back((ranks[i] + values[i]) / 2);
  return both;
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
                             const std::vector<double>& scores, const EncodingColumns& columns)
    : columns_(columns) {
  const auto n = static_cast<Eigen::Index>(population.size);
  const std::size_t width = population.size ? population.encodings.size() / population.size : 0;
  if (columns_.empty())
    for (std::size_t i = 0; i < width; ++i) columns_.push_back({i, -1, 0.5f});
  features_ = columns_.empty() ? 0 : columns_.back().feature + 1;
  units_ = population.size ? population.embeddings.size() / population.size : 0;
  if (units_) {
    Eigen::Map<const Matrix> e(population.embeddings.data(), n, static_cast<Eigen::Index>(units_));
    embedding_mean_ = e.colwise().mean();
    const float variance = (e.rowwise() - embedding_mean_.transpose()).squaredNorm() / static_cast<float>(n);
    embedding_scale_ = variance > 1e-12f ? 1 / std::sqrt(variance) : 1;
  }
  if (!population.prior.empty()) {
    double sum = 0, squares = 0;
    for (const double value : population.prior) sum += value;
    prior_mean_ = sum / static_cast<double>(n);
    for (const double value : population.prior) squares += (value - prior_mean_) * (value - prior_mean_);
    prior_scale_ = squares > 0 ? std::sqrt(squares / static_cast<double>(n)) : 1;
  }
  // mean squared distance of two members in which the feature means anything, by feature
  const Rows all = read(population);
  feature_scale_ = Vector::Zero(static_cast<Eigen::Index>(features_));
  const bool conditional = env("CONDSCALE", 1) > 0;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    float sum = 0, squares = 0, count = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      if (conditional && columns_[j].mask >= 0 &&
          population.encodings[static_cast<std::size_t>(i) * width + static_cast<std::size_t>(columns_[j].mask)] == 0) continue;
      const float x = all.encodings(i, static_cast<Eigen::Index>(j));
      sum += x; squares += x * x; ++count;
    }
    if (count > 0) feature_scale_(static_cast<Eigen::Index>(columns_[j].feature)) += 2 * std::max(squares / count - sum / count * sum / count, 0.0f);
  }
  for (auto& s : feature_scale_) s = s > 1e-9f ? 1 / s : 0;

  known_ = read(results);
  results_ = static_cast<Eigen::Index>(results.size);
  const std::vector<double> y = targets(scores);
  y_.resize(results_);
  for (Eigen::Index i = 0; i < results_; ++i) y_(i) = static_cast<float>(y[static_cast<std::size_t>(i)]);

  std::vector<float> likelihoods;
  static const int starts = static_cast<int>(env("STARTS", 2));
  const float start_values[] = {0.0f, 1.6f, -1.2f, 2.5f};
  for (int s = 0; s < starts; ++s) {
    Model model;
    model.relevance = Vector::Constant(static_cast<Eigen::Index>(features_), start_values[s]);
    model.trust = model.share = 0;
    model.noise = model.signal = 0;
    likelihoods.push_back(fit(model));
    models_.push_back(model);
  }
  // turn logs into values
  const float best = *std::max_element(likelihoods.begin(), likelihoods.end());
  float total = 0;
  for (std::size_t i = 0; i < models_.size(); ++i) total += models_[i].weight = std::exp(likelihoods[i] - best);
  for (Model& m : models_) m.weight /= total;
  if (results_ > 0) {
    const std::vector<double> means = predict(results).mean;
    best_mean_ = *std::max_element(means.begin(), means.end());
  }
}

TaskPosterior::Rows TaskPosterior::read(const PosteriorInput& input) const {
  Rows rows;
  const auto n = static_cast<Eigen::Index>(input.size);
  const auto width = static_cast<Eigen::Index>(columns_.size());
  rows.encodings = n ? Matrix(Eigen::Map<const Matrix>(input.encodings.data(), n, width)) : Matrix(0, width);
  static const bool impute = env("IMPUTE", 1) > 0;
  if (impute)
    for (Eigen::Index j = width; j-- > 0;) {
      const auto mask = columns_[static_cast<std::size_t>(j)].mask;
      if (mask < 0) continue;
      for (Eigen::Index i = 0; i < n; ++i)
        if (input.encodings[static_cast<std::size_t>(i * width + mask)] == 0) rows.encodings(i, j) = columns_[static_cast<std::size_t>(j)].middle;
    }
  rows.embeddings = Matrix(n, static_cast<Eigen::Index>(units_));
  if (units_ && n) {
    rows.embeddings = Eigen::Map<const Matrix>(input.embeddings.data(), n, static_cast<Eigen::Index>(units_));
    rows.embeddings.rowwise() -= embedding_mean_.transpose();
    rows.embeddings *= embedding_scale_;
  }
  rows.prior = Vector::Zero(n);
  for (std::size_t i = 0; i < input.prior.size(); ++i) rows.prior(static_cast<Eigen::Index>(i)) = static_cast<float>((input.prior[i] - prior_mean_) / prior_scale_);
  return rows;
}

// log posterior of parameters; fills the model
float TaskPosterior::fit(Model& model) const {
  const Eigen::Index n = results_, pairs = n * (n - 1) / 2, f = static_cast<Eigen::Index>(features_);
  static const float prior_sd = env("RSD", 1.5), noise_mean = std::log(env("NOISE", 0.05)), noise_sd = env("NSD", 1.5), signal_sd = env("SSD", 0.5);
  static const float rel0 = std::log(env("REL", 1.5));
  static const int steps = static_cast<int>(env("STEPS", 15));
  static const float constant = env("CONST", 1);
  Eigen::MatrixXf p(pairs, f);
  p.setZero();
  {
    Eigen::Index row = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < i; ++j, ++row)
        for (std::size_t c = 0; c < columns_.size(); ++c) {
          const float d = known_.encodings(i, static_cast<Eigen::Index>(c)) - known_.encodings(j, static_cast<Eigen::Index>(c));
          p(row, static_cast<Eigen::Index>(columns_[c].feature)) += d * d;
        }
  }
  const Vector base = feature_scale_ / std::max<float>(1, static_cast<float>((feature_scale_.array() > 0).count()));
  for (Eigen::Index k = 0; k < f; ++k) p.col(k) *= base(k);

  // θ: log relevances minus rel0, log noise minus mean, log signal
  Vector theta = Vector::Zero(f + 2);
  theta.head(f) = model.relevance;
  Vector step = Vector::Constant(f + 2, 0.5f), last = Vector::Zero(f + 2), gradient(f + 2);
  Vector best_theta = theta;
  float best_value = -1e30f;
  Matrix best_factor; Vector best_solved;
  const auto evaluate = [&](bool with_gradient) {
    const Vector w = (theta.head(f).array() + rel0).exp();
    const float noise = std::exp(theta(f) + noise_mean), signal = std::exp(theta(f + 1));
    const Eigen::ArrayXf r = (5 * (p * w).array()).sqrt(), e = (-r).exp();
    const Eigen::ArrayXf k = (1 + r + r * r / 3) * e;
    Eigen::MatrixXf kernel(n, n);
    Eigen::Index row = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      for (Eigen::Index j = 0; j < i; ++j) kernel(i, j) = constant + signal * k(row++);
      kernel(i, i) = constant + signal + noise;
    }
    const Eigen::LLT<Eigen::MatrixXf> llt(kernel);
    Vector alpha = llt.solve(y_);
    float value = -y_.dot(alpha) / 2 - llt.matrixLLT().diagonal().array().log().sum();
    Vector prior_gradient(f + 2);
    prior_gradient.head(f) = -theta.head(f) / (prior_sd * prior_sd);
    prior_gradient(f) = -theta(f) / (noise_sd * noise_sd);
    prior_gradient(f + 1) = -theta(f + 1) / (signal_sd * signal_sd);
    value += prior_gradient.dot(theta) / 2;
    if (value > best_value) {
      best_value = value; best_theta = theta; best_factor = llt.matrixL(); best_solved = alpha;
    }
    if (!with_gradient) return;
    const Eigen::MatrixXf inverse = llt.solve(Eigen::MatrixXf::Identity(n, n));
    Eigen::VectorXf g(pairs);
    row = 0;
    float gs = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < i; ++j, ++row) {
        const float m = alpha(i) * alpha(j) - inverse(i, j);
        gs += m * k(row);
        g(row) = m * signal * (-5.0f / 6) * (1 + r(row)) * e(row);
      }
    float trace = 0;
    for (Eigen::Index i = 0; i < n; ++i) trace += alpha(i) * alpha(i) - inverse(i, i);
    gradient.head(f) = (p.transpose() * g).cwiseProduct(w);
    gradient(f) = trace * noise / 2;
    gradient(f + 1) = signal * (gs + trace / 2);
    gradient += prior_gradient;
  };
  for (int s = 0; s < steps && n > 1; ++s) {
    evaluate(true);
    for (Eigen::Index k = 0; k < f + 2; ++k) {
      const float agree = gradient(k) * last(k);
      if (agree > 0) step(k) = std::min(step(k) * 1.3f, 1.5f);
      if (agree < 0) { step(k) = std::max(step(k) * 0.5f, 0.02f); gradient(k) = 0; }
      if (gradient(k) != 0) theta(k) += gradient(k) > 0 ? step(k) : -step(k);
      last(k) = gradient(k);
    }
    theta = theta.cwiseMax(-6).cwiseMin(6);
  }
  evaluate(false);
  const Vector w = (best_theta.head(f).array() + rel0).exp();
  model.relevance.resize(static_cast<Eigen::Index>(columns_.size()));
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const auto k = static_cast<Eigen::Index>(columns_[c].feature);
    model.relevance(static_cast<Eigen::Index>(c)) = std::sqrt(w(k) * base(k));
  }
  model.noise = std::exp(best_theta(f) + noise_mean);
  model.signal = std::exp(best_theta(f + 1));
  model.factor = best_factor;
  model.solved = best_solved;
  if (n == 0) { model.factor.resize(0, 0); model.solved.resize(0); }
  return best_value;
}

TaskPosterior::Matrix TaskPosterior::cross(const Model& model, const Rows& a, const Rows& b) const {
  static const float constant = env("CONST", 1);
  const Matrix x = a.encodings * model.relevance.asDiagonal(), z = b.encodings * model.relevance.asDiagonal();
  Matrix d = -2 * x * z.transpose();
  d.colwise() += x.rowwise().squaredNorm();
  d.rowwise() += z.rowwise().squaredNorm().transpose();
  const auto r = (5 * d.array().max(0)).sqrt().eval();
  return constant + model.signal * (1 + r + r * r / 3) * (-r).exp();
}

void TaskPosterior::add_pending(const PosteriorInput& pending) {
  (void)pending;  // TODO
}

TaskPosterior::Prediction TaskPosterior::predict(const PosteriorInput& candidates) const {
  static const float constant = env("CONST", 1);
  const Rows rows = read(candidates);
  const auto n = static_cast<Eigen::Index>(candidates.size);
  Eigen::ArrayXf mean = Eigen::ArrayXf::Zero(n), square = mean;
  for (const Model& model : models_) {
    Eigen::MatrixXf k = cross(model, known_, rows);
    const Eigen::ArrayXf m = (k.topRows(results_).transpose() * model.solved).array();
    model.factor.triangularView<Eigen::Lower>().solveInPlace(k);
    const Eigen::ArrayXf v = (constant + model.signal - k.colwise().squaredNorm().transpose().array()).max(0);
    mean += model.weight * m;
    square += model.weight * (v + m * m);
  }
  Prediction prediction;
  for (Eigen::Index i = 0; i < n; ++i) {
    prediction.mean.push_back(static_cast<double>(mean(i)));
    prediction.deviation.push_back(std::sqrt(std::max(static_cast<double>(square(i) - mean(i) * mean(i)), 0.0)));
  }
  return prediction;
}

std::vector<double> TaskPosterior::acquisition(const PosteriorInput& candidates) const {
  const Prediction prediction = predict(candidates);
  if (known_.encodings.rows() == 0) return prediction.mean;
  std::vector<double> gains;
  for (std::size_t i = 0; i < candidates.size; ++i) {
    gains.push_back(expected_improvement(prediction.mean[i], prediction.deviation[i], best_mean_));
  }
  return gains;
}

}  // namespace hyperfd
