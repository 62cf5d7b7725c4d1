#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperfd {

// Everything that can be set about the ranker. Table 12's values where they can work with a learned φ and a handful of
// tasks; a deviation says why.
struct RankerOptions {
  std::int64_t hidden_units = 64;  // of H and of φ; Table 12

  // Relevance of a result within its task: clip((score − quantile) / (max − quantile), 0, 1) · scale, gain 2^relevance
  // − 1.
  double relevance_quantile = 0.2;
  double relevance_scale = 20;

  // Adam. Table 12 has 1e-4 for fine-tuning after a long warm-up; without one the ranker starts from noise and must get
  // somewhere within iterations_per_update.
  double learning_rate = 1e-2;
  double weight_decay = 1e-2;  // decoupled (AdamW)
  int iterations_per_update = 200;
  int tasks_per_iteration = 4;     // Table 12: batch size
  int results_per_iteration = 64;  // of one task, drawn anew each time

  // Weight of |φ_task − mean φ|² in the loss: a task with few results stays near the average task.
  double deviation_penalty = 1e-2;

  // Fitting φ to a task's own results, with H frozen.
  int fit_steps = 40;
  double fit_learning_rate = 5e-2;
  double fit_penalty = 1e-2;
  // More results than this cost more time than they tell; the best half and the latest half of them count.
  std::size_t fit_results = 256;
};

}  // namespace hyperfd
