#pragma once

#include <cstddef>
#include <vector>
#include <Eigen/Core>
#include "tuner/ranker/encoded_configuration.h"
#include "tuner/space/encoding_column.h"

namespace hyperfd {

struct PosteriorInput {
  std::size_t size = 0;
  std::vector<float> encodings;   // [size, columns]: SearchSpace::encode()
  std::vector<float> embeddings;  // [size, units]: H, or empty without a trained ranker
  std::vector<double> prior;      // [size]: what the ranker says without results, or empty
};
PosteriorInput posterior_input(const std::vector<EncodedConfiguration>& configurations);

class TaskPosterior {
 public:
  TaskPosterior(const PosteriorInput& population, const PosteriorInput& results, const std::vector<double>& scores,
                const EncodingColumns& columns = {});
  void add_pending(const PosteriorInput& pending);
  struct Prediction {
    std::vector<double> mean, deviation;
  };
  Prediction predict(const PosteriorInput& candidates) const;
  std::vector<double> acquisition(const PosteriorInput& candidates) const;

 private:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::VectorXf;
  struct Rows {
    Matrix encodings, embeddings;
    Vector prior;
  };
  struct Model {
    Vector relevance;  // [columns], square roots
    float trust, share, noise, signal;
    float weight = 0;
    Matrix factor;  // lower
    Vector solved;
  };
  Rows read(const PosteriorInput& input) const;
  Matrix cross(const Model& model, const Rows& a, const Rows& b) const;
  Vector self(const Model& model, const Rows& a) const;
  float fit(Model& model) const;

  EncodingColumns columns_;
  std::size_t features_ = 0, units_ = 0;
  Vector feature_scale_;
  double prior_mean_ = 0, prior_scale_ = 1;
  float embedding_scale_ = 1;
  Vector embedding_mean_;
  Rows known_;
  Eigen::Index results_ = 0;
  Vector y_;
  std::vector<Model> models_;
  double best_mean_ = 0;
};

std::vector<double> normal_scores(const std::vector<double>& scores);
double expected_improvement(double mean, double deviation, double best);

}  // namespace hyperfd
