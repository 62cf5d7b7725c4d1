#include "tuner/ranker/posterior_ensemble.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

constexpr std::uint64_t kMembers = 8;
constexpr double kDropout = 0.2;

template <typename T>
void append_row(const std::vector<T>& from, std::size_t width, std::size_t row, std::vector<T>& to) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * width);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
}

PosteriorInput rows_of(const PosteriorInput& input, const std::vector<std::size_t>& rows) {
  PosteriorInput result;
  result.size = rows.size();
  for (const std::size_t row : rows) {
    append_row(input.encodings, input.encodings.size() / input.size, row, result.encodings);
    append_row(input.embeddings, input.embeddings.size() / input.size, row, result.embeddings);
    if (!input.prior.empty()) result.prior.push_back(input.prior[row]);
  }
  return result;
}

void multiply_rows(std::vector<float>& rows, const std::vector<float>& factors) {
  for (std::size_t i = 0; i < rows.size() && !factors.empty(); ++i) rows[i] *= factors[i % factors.size()];
}

PosteriorInput masked(PosteriorInput input, const std::vector<float>& columns, const std::vector<float>& units) {
  multiply_rows(input.encodings, columns);
  multiply_rows(input.embeddings, units);
  return input;
}

std::vector<float> draw_mask(std::size_t size, Rng& rng) {
  std::vector<float> mask(size);
  for (float& factor : mask) factor = rng.uniform() < kDropout ? 0.0f : 1.0f;
  return mask;
}

}  // namespace

PosteriorEnsemble::PosteriorEnsemble(Uncertainty uncertainty, const PosteriorInput& population,
                                     const PosteriorInput& results, const std::vector<double>& scores,
                                     const EncodingColumns& columns, std::size_t past_tasks)
    : own_(population, results, scores, columns, past_tasks) {
  if (uncertainty == Uncertainty::kBayesian || results.size == 0) return;
  for (std::uint64_t member = 0; member < kMembers; ++member) {
    Rng rng(member);
    if (uncertainty == Uncertainty::kEnsemble) {
      std::vector<std::size_t> rows;
      std::vector<double> drawn;
      for (std::size_t i = 0; i < results.size; ++i) {
        rows.push_back(rng.below(results.size));
        drawn.push_back(scores[rows.back()]);
      }
      members_.push_back({{population, rows_of(results, rows), drawn, columns, past_tasks}, {}, {}});
      continue;
    }
    // A parameter is missed with all of its columns.
    const std::vector<float> features = draw_mask(columns.empty() ? 0 : columns.back().feature + 1, rng);
    std::vector<float> seen;
    for (const EncodingColumn& column : columns) seen.push_back(features[column.feature]);
    const std::vector<float> units = draw_mask(results.embeddings.size() / results.size, rng);
    members_.push_back(
        {{masked(population, seen, units), masked(results, seen, units), scores, columns, past_tasks}, seen, units});
  }
}

TaskPosterior::Prediction PosteriorEnsemble::predict(const PosteriorInput& candidates) const {
  TaskPosterior::Prediction prediction = own_.predict(candidates);
  if (members_.empty()) return prediction;
  std::vector<double> sum(candidates.size), squares(candidates.size);
  for (const Member& member : members_) {
    const std::vector<double> means = member.posterior.predict(masked(candidates, member.columns, member.units)).mean;
    for (std::size_t i = 0; i < means.size(); ++i) {
      sum[i] += means[i];
      squares[i] += means[i] * means[i];
    }
  }
  const auto n = static_cast<double>(members_.size());
  for (std::size_t i = 0; i < sum.size(); ++i) {
    prediction.deviation[i] = std::sqrt(std::max((squares[i] - sum[i] * sum[i] / n) / (n - 1), 0.0));
  }
  return prediction;
}

std::vector<double> PosteriorEnsemble::acquisition(const PosteriorInput& candidates) const {
  return own_.acquisition(predict(candidates));
}

}  // namespace hyperfd
