#pragma once

#include <cstddef>
#include <vector>

#include "tuner/ranker/encoded_configuration.h"

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
// Results enter as normal scores of their ranks, so that only their order counts. Trust in the ranking ρ, the two
// kernels' shares, length scale and noise are averaged over a grid by their marginal likelihood. Deterministic; no
// tensor library, whose overhead is a hundred times the arithmetic here.
class TaskPosterior {
 public:
  // `population` gives the scales. `results` may be empty; scores.size() == results.size.
  TaskPosterior(const PosteriorInput& population, const PosteriorInput& results, const std::vector<double>& scores);

  // Configurations whose results are awaited, as if each had come out at its mean: means stay, deviations near them
  // shrink.
  void add_pending(const PosteriorInput& pending);

  struct Prediction {
    std::vector<double> mean, deviation;
  };
  Prediction predict(const PosteriorInput& candidates) const;
  // Expected improvement of every candidate over the best mean among results and pending ones; the mean itself where
  // there are none.
  std::vector<double> acquisition(const PosteriorInput& candidates) const;

 private:
  struct Model {
    double trust, share;
    std::size_t length;  // index into the grid
    double noise, weight;
    // Lower triangle, row by row without the zeros: kernel of results and pending ones + noise.
    std::vector<double> factor;
    std::vector<double> solved;  // kernel⁻¹ (y − mean), of the results
  };

  PosteriorInput centred(const PosteriorInput& input) const;
  // A configuration beside all known ones.
  struct Comparison {
    std::vector<double> matern;      // [lengths of the grid, known]
    std::vector<double> similarity;  // [known], of embeddings
    double self = 0;                 // similarity with itself
  };
  // Of row `c` of `input`, which is centred.
  void compare(const PosteriorInput& input, std::size_t c, Comparison& comparison) const;
  static double kernel(const Model& model, double matern, double similarity);
  void kernels(const Model& model, const Comparison& comparison, std::size_t count, std::vector<double>& row) const;
  void add_model(Model model, const std::vector<double>& y, const std::vector<Comparison>& results);
  void keep_likely_models();

  std::size_t columns_ = 0, units_ = 0;
  double distance_scale_ = 1, embedding_scale_ = 1, prior_mean_ = 0, prior_scale_ = 1;
  std::vector<float> embedding_mean_;
  PosteriorInput known_;     // centred; results, then pending ones
  std::size_t results_ = 0;  // how many are results
  std::vector<Model> models_;
  std::vector<double> log_likelihoods_;
  double best_mean_ = 0;  // among known_
};

// Φ⁻¹(rank / (n + 1)) of every score, ranks from the lowest, ties sharing their mean rank.
std::vector<double> normal_scores(const std::vector<double>& scores);

// E[max(f − best, 0)] for f normal.
double expected_improvement(double mean, double deviation, double best);

}  // namespace hyperfd
