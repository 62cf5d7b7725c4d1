#include "trial/commands/training_profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <vector>

#include "trial/training/initial_weights.h"
#include "trial/training/training_step.h"
#include "tuner/base/rng.h"

namespace hyperfd::commands {
namespace {

// Noise, and faces from the smallest anchor's size to half the crop's, all sizes equally likely on a logarithmic scale.
Batch made_up_batch(const Recipe& recipe, std::size_t faces) {
  Rng rng(1);
  Batch batch;
  batch.pixels.create(std::vector<int>{recipe.batch_size, recipe.crop_size, recipe.crop_size, 3}, CV_8U);
  for (std::size_t i = 0; i < batch.pixels.total(); ++i)
    batch.pixels.data[i] = static_cast<std::uint8_t>(rng.below(256));
  batch.faces.resize(static_cast<std::size_t>(recipe.batch_size));
  const double smallest = std::log(16.0), largest = std::max(smallest, std::log(recipe.crop_size / 2.0));
  for (auto& image : batch.faces) {
    for (std::size_t i = 0; i < faces; ++i) {
      const auto side = static_cast<float>(std::exp(rng.uniform(smallest, largest)));
      const auto place = [&] { return static_cast<float>(rng.uniform(0, recipe.crop_size)) - side / 2; };
      Face face;
      face.box = {place(), place(), side, side};
      face.landmarks = Landmarks();
      for (Point& point : *face.landmarks) point = {face.box.x + side / 2, face.box.y + side / 2};
      image.push_back(face);
    }
  }
  return batch;
}

double median_milliseconds(int runs, const std::function<void()>& run) {
  run();  // the first one allocates
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return times[static_cast<std::size_t>(runs / 2)];
}

torch::Tensor as_leaf(const torch::Tensor& output) {
  return output.detach().requires_grad_(true);
}

}  // namespace

TrainingProfile profile_training(const Recipe& recipe, std::size_t faces, int runs) {
  Weights unused;
  TrainingStep step(initial_network(recipe, 1, unused), recipe, torch::kCPU);
  const Batch batch = made_up_batch(recipe, faces);
  const RawOutput output = step.forward(batch);
  TrainingProfile profile;
  profile.step = median_milliseconds(runs, [&] { step.run(batch, recipe.learning_rate); }) / recipe.batch_size;
  profile.losses =
      median_milliseconds(
          runs,
          [&] {
            const RawOutput leaves{as_leaf(output.logits), as_leaf(output.boxes), as_leaf(output.landmarks)};
            step.losses(leaves, batch.faces).total.backward();
          }) /
      recipe.batch_size;
  return profile;
}

}  // namespace hyperfd::commands
