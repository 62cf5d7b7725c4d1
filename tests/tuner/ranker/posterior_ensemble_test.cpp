#include "tuner/ranker/posterior_ensemble.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

struct Data {
  Data() {
    Rng rng(3);
    for (PosteriorInput* input : {&population, &results}) {
      input->size = input == &population ? 40 : 12;
      for (std::size_t i = 0; i < 3 * input->size; ++i) input->encodings.push_back(static_cast<float>(rng.uniform()));
      for (std::size_t i = 0; i < 4 * input->size; ++i) input->embeddings.push_back(static_cast<float>(rng.normal()));
      for (std::size_t i = 0; i < input->size; ++i) input->prior.push_back(rng.normal());
    }
    for (std::size_t i = 0; i < results.size; ++i) scores.push_back(static_cast<double>(results.encodings[3 * i]));
    for (std::size_t feature = 0; feature < 3; ++feature) add_feature(columns, 1, -1);
  }

  PosteriorEnsemble ensemble(Uncertainty uncertainty) const {
    return {uncertainty, population, results, scores, columns, 2};
  }
  TaskPosterior posterior() const { return {population, results, scores, columns, 2}; }

  PosteriorInput population, results;
  std::vector<double> scores;
  EncodingColumns columns;
};

TEST(PosteriorEnsemble, IsThePosteriorUnlessToldOtherwise) {
  const Data data;
  PosteriorEnsemble ensemble = data.ensemble(Uncertainty::kBayesian);
  TaskPosterior posterior = data.posterior();
  EXPECT_EQ(ensemble.predict(data.population).deviation, posterior.predict(data.population).deviation);
  ensemble.add_pending(data.results);
  posterior.add_pending(data.results);
  EXPECT_EQ(ensemble.acquisition(data.population), posterior.acquisition(data.population));
}

TEST(PosteriorEnsemble, OthersKeepItsMeansAndDifferInTheirDeviations) {
  const Data data;
  const TaskPosterior::Prediction own = data.posterior().predict(data.population);
  for (const Uncertainty uncertainty : {Uncertainty::kEnsemble, Uncertainty::kDropout}) {
    const PosteriorEnsemble ensemble = data.ensemble(uncertainty);
    const TaskPosterior::Prediction prediction = ensemble.predict(data.population);
    EXPECT_EQ(prediction.mean, own.mean);
    EXPECT_NE(prediction.deviation, own.deviation);
    EXPECT_GE(*std::min_element(prediction.deviation.begin(), prediction.deviation.end()), 0);
    EXPECT_GT(*std::max_element(prediction.deviation.begin(), prediction.deviation.end()), 0.01);
    EXPECT_EQ(prediction.deviation, data.ensemble(uncertainty).predict(data.population).deviation)
        << "not deterministic";
    // The improvement is expected by these deviations.
    EXPECT_EQ(ensemble.acquisition(data.population), data.posterior().acquisition(prediction));
  }
}

TEST(PosteriorEnsemble, HasThePosteriorsDeviationsBeforeThereAreResults) {
  const Data data;
  const PosteriorEnsemble ensemble(Uncertainty::kDropout, data.population, {}, {}, data.columns, 2);
  EXPECT_EQ(ensemble.predict(data.population).deviation,
            TaskPosterior(data.population, {}, {}, data.columns, 2).predict(data.population).deviation);
}

}  // namespace
}  // namespace hyperfd
