#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tuner/ranker/encoded_configuration.h"
#include "tuner/space/encoding_column.h"

namespace hyperfd {

// Some configurations as the posterior sees them, row by row.
struct PosteriorInput {
  std::size_t size = 0;
  std::vector<float> encodings;   // [size, columns]: SearchSpace::encode()
  std::vector<float> embeddings;  // [size, units]: H, or empty without a trained ranker
  std::vector<double> prior;      // [size]: what the ranker says without results, or empty
};

// Encodings alone. All rows have as many numbers.
PosteriorInput posterior_input(const std::vector<EncodedConfiguration>& configurations);

// What a task's own results add to the ranking: the Bayesian last layer in its dual form, a Gaussian process.
//
//   f(c) = √ρ · m(c) + √(1 − ρ) · g(c) + constant
//
// m is the prior ranking, standardised over a population of configurations; the kernel of g is a mean of a linear one
// on embeddings (weights of a last layer over H) and a Matérn-5/2 one on encodings (for what H does not tell apart).
// What is not active in a configuration of a nested space counts as the middle of its range, so that configurations of
// a branch are compared by what they have, and as equals with another branch.
// Results enter by squashed_scores(). The Matérn's relevances and noise are fitted (kernel_fit.h), from two starts where
// results are few; trust in the ranking ρ and the two kernels' shares are averaged over a grid by their marginal
// likelihood. Deterministic; no tensor library, whose overhead is a hundred times the arithmetic here.
class TaskPosterior {
 public:
  // `population` gives the scales. `results` may be empty; scores.size() == results.size. `columns` says what the
  // encodings are; none: each is a number by itself. `past_tasks`: how many the ranking was learned from. The fewer
  // they are, the sooner results may overrule it; none: it says nothing.
  TaskPosterior(const PosteriorInput& population, const PosteriorInput& results, const std::vector<double>& scores,
                EncodingColumns columns = {}, std::size_t past_tasks = 0);
  TaskPosterior(TaskPosterior&&) noexcept;
  ~TaskPosterior();

  // Configurations whose results are awaited, as if each had come out at its mean: means stay, deviations near them
  // shrink.
  void add_pending(const PosteriorInput& pending);

  struct Prediction {
    std::vector<double> mean, deviation;
  };
  Prediction predict(const PosteriorInput& candidates) const;
  // Expected improvement of every candidate over the best mean among results and pending ones; the mean itself where
  // there are none.
  std::vector<double> acquisition(const PosteriorInput& candidates) const { return acquisition(predict(candidates)); }
  std::vector<double> acquisition(const Prediction& prediction) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Scores as the posterior reads them: gaps to the best, in units of the gap of one that most results beat, beyond that
// their logarithm; a twentieth of it normal_scores(), which keep their distances where some results are worse by
// magnitudes. Differences among the best stay as small as they are: ranks alone would make any of them worth a trial.
// Mean 0, variance at most 1, less for few.
std::vector<double> squashed_scores(const std::vector<double>& scores);

// Φ⁻¹(rank / (n + 1)) of every score, ranks from the lowest, ties sharing their mean rank.
std::vector<double> normal_scores(const std::vector<double>& scores);

// E[max(f − best, 0)] for f normal.
double expected_improvement(double mean, double deviation, double best);

}  // namespace hyperfd
