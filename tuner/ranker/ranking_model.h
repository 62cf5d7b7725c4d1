#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tuner/ranker/ranker_options.h"

namespace hyperfd {

// Experience of one task: n configurations as SearchSpace::encode gives them, and n finite scores (higher is better;
// any scale).
struct TaskExperience {
  std::string task;
  std::vector<std::vector<float>> encodings;
  std::vector<double> scores;
};

// F(c, d) = φᵀ H(c) for one search-space signature, H an MLP, φ a learned vector per task.
// A value with versions: update() makes the next one. Thread-safe for concurrent const calls. No I/O.
// update() and score() throw InputError for encodings of another size, as many scores as configurations do not match,
// or numbers that are not finite.
class RankingModel {
 public:
  RankingModel(std::size_t encoding_size, const RankerOptions& options, std::uint64_t seed);
  // Throws StoreError on anything malformed. The number of hidden units comes from the bytes, other options are as
  // given.
  static RankingModel deserialize(const std::string& bytes, const RankerOptions& options = {});
  std::string serialize() const;

  RankingModel(RankingModel&&) noexcept;
  RankingModel& operator=(RankingModel&&) noexcept;
  ~RankingModel();

  // Trains H and every task's φ with the ΔNDCG-weighted pairwise loss (Eq. 6) on all experience of the signature.
  // The same model, experience and seed give the same result, bit for bit. When it throws, the model is as before.
  void update(const std::vector<TaskExperience>& experience, std::uint64_t seed);

  // False until update() has seen a task that tells configurations apart; then score() means nothing.
  bool trained() const;

  // Scores of `candidates` for a task whose own results so far are `own` (may be empty: the average task's φ).
  // φ is fitted to the own results with H frozen; cost is independent of how much other experience there is.
  std::vector<float> score(const TaskExperience& own, const std::vector<std::vector<float>>& candidates) const;

 private:
  struct Impl;
  explicit RankingModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
