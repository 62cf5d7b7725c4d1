#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hyperfd {

// Experience of one task: n configurations as SearchSpace::encode gives them, and n scores (higher is better; any scale).
struct TaskExperience {
  std::string task;
  std::vector<std::vector<float>> encodings;
  std::vector<double> scores;
};

struct RankerOptions {
  int hidden_units = 64;  // Table 12
  // Filled in by the ranker's owner: learning rate, iterations, relevance scale, …; each with a comment and its source.
};

// F(c, d) = φᵀ H(c) for one search-space signature, H an MLP, φ a learned vector per task.
// A value with versions: update() makes the next one. Thread-safe for concurrent const calls. No I/O.
class RankingModel {
 public:
  RankingModel(std::size_t encoding_size, const RankerOptions& options, std::uint64_t seed);
  static RankingModel deserialize(const std::string& bytes);  // throws StoreError on anything malformed
  std::string serialize() const;

  RankingModel(RankingModel&&) noexcept;
  RankingModel& operator=(RankingModel&&) noexcept;
  ~RankingModel();

  // Trains H and every task's φ with the ΔNDCG-weighted pairwise loss (Eq. 6) on all experience of the signature.
  // The same model, experience and seed give the same result, bit for bit.
  void update(const std::vector<TaskExperience>& experience, std::uint64_t seed);

  // False until update() has seen a task that tells configurations apart; then score() means nothing.
  bool trained() const;

  // Scores of `candidates` for a task whose own results so far are `own` (may be empty: the average task's φ).
  // φ is fitted to the own results with H frozen; cost is independent of how much other experience there is.
  std::vector<float> score(const TaskExperience& own, const std::vector<std::vector<float>>& candidates) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd
