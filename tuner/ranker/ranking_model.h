#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/ranker/extractor_input.h"
#include "tuner/ranker/ranker_options.h"
#include "tuner/ranker/task_experience.h"
#include "tuner/ranker/task_posterior.h"
#include "tuner/space/encoding_column.h"

namespace hyperfd {

// F(c, d) = φ_dᵀ H(c) for one search-space signature; docs/ranker.md. A value with versions: update() makes the next
// one. Thread-safe for concurrent const calls. No I/O. All methods throw InputError for encodings of another shape, as
// many scores as configurations do not match, or numbers that are not finite.
class RankingModel {
 public:
  RankingModel(const EncodingShape& shape, const RankerOptions& options, std::uint64_t seed);
  // Throws StoreError on anything malformed. The number of hidden units comes from the bytes, other options are as
  // given.
  static RankingModel deserialize(const std::string& bytes, const RankerOptions& options = {});
  std::string serialize() const;

  RankingModel(RankingModel&&) noexcept;
  RankingModel& operator=(RankingModel&&) noexcept;
  ~RankingModel();

  EncodingShape shape() const;
  const RankerOptions& options() const;

  // Gives the ranker an extractor G, untrained, for such image features and data-set statistics; does nothing if it has
  // one. `sample`: inputs of some images, features then statistics, by which inputs are standardised.
  void add_extractor(const ExtractorInput& input, const std::vector<std::vector<float>>& sample, std::uint64_t seed);
  // What G reads; nullopt without an extractor.
  std::optional<ExtractorInput> extractor_input() const;
  // G's weights for data-set clients (MetaFeatureExtractor::flat); empty without an extractor.
  std::vector<float> extractor_weights() const;

  // Says what the numbers of a configuration are, by which the ranker learns the effects of parameters; does nothing if
  // it knows, if it does not learn them, or if all parameters together have more than 400 values (9 for each number).
  void add_effects(const EncodingColumns& columns);

  // What the numbers are that TaskExperience::statistics holds, in their order; empty while the ranker has not seen
  // any.
  const std::vector<std::string>& number_names() const;
  // For a ranker that has not seen any.
  void name_numbers(std::vector<std::string> names);

  // Algorithm 1's training on all experience of the signature: H, G through the data sets that can be asked, Z of every
  // past task. The same model, experience and seed give the same result, bit for bit. All or nothing: when it throws,
  // the model is as before.
  void update(const std::vector<TaskExperience>& experience, std::uint64_t seed);

  // False until update() has seen a task that tells configurations apart; then score() means nothing.
  bool trained() const;
  // How many it was trained on so far, without `task` itself: what it says of a task that it has learned from is no
  // news.
  std::size_t tasks_beside(const std::string& task) const;
  // Which version this is: different for every change in this process, for caches of what is computed from it.
  std::uint64_t identity() const;

  // Scores of `candidates` for a task: φᵀ H(c), and from the second own result on the mean of what the ranking and the
  // own results say together (TaskPosterior over the candidates). Cost is independent of how much other experience
  // there is.
  std::vector<float> score(const TaskExperience& own, const std::vector<EncodedConfiguration>& candidates) const;
  // φᵀ H(c) of n configurations of a flat space, [n, shape().flat] row by row.
  std::vector<float> score_flat(const TaskExperience& own, const float* rows, std::size_t n) const;

  // What TaskPosterior reads of some configurations, for `own`'s φ. The embeddings of a fixed set of configurations may
  // be kept while identity() is the same: embed() once, then set_prior() for each task.
  PosteriorInput embed(const std::vector<EncodedConfiguration>& configurations) const;
  // Of `options` those count that say what is read of a ranking: images, numbers, used_network_share().
  void set_prior(const TaskExperience& own, PosteriorInput& configurations, const RankerOptions& options) const;

 private:
  struct Impl;
  explicit RankingModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Indices of at most `limit` results, ascending: the best half and the latest half of that. What is left out says
// least, it is old and not good.
std::vector<std::size_t> most_telling(const std::vector<double>& scores, std::size_t limit);

}  // namespace hyperfd
