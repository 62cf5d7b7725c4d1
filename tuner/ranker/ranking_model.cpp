#include "tuner/ranker/ranking_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/feature_fit.h"
#include "tuner/ranker/learner.h"
#include "tuner/ranker/losses.h"
#include "tuner/ranker/ranker.h"
#include "tuner/ranker/ranking_model_bytes.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {
namespace {

// One thread while it lives: sums then have one order, and problems this small gain nothing from more.
class SingleThread {
 public:
  SingleThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~SingleThread() { at::set_num_threads(before_); }
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

void check_rows(const std::vector<std::vector<float>>& rows, std::size_t columns, const std::string& what) {
  for (const std::vector<float>& row : rows) {
    if (row.size() != columns) {
      throw InputError(what + ": an encoding of " + std::to_string(row.size()) + " numbers, expected " +
                       std::to_string(columns));
    }
    if (!std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) {
      throw InputError(what + ": an encoding with a number that is not finite");
    }
  }
}

void check_experience(const TaskExperience& experience, std::size_t columns) {
  const std::string what = "task " + experience.task;
  check_rows(experience.encodings, columns, what);
  if (experience.scores.size() != experience.encodings.size()) {
    throw InputError(what + ": " + std::to_string(experience.scores.size()) + " scores for " +
                     std::to_string(experience.encodings.size()) + " configurations");
  }
  if (!std::all_of(experience.scores.begin(), experience.scores.end(), [](double x) { return std::isfinite(x); })) {
    throw InputError(what + ": a score that is not finite");
  }
}

// The best half and the latest half of `limit` results, in their order; all of them when there are no more. What is
// left out says least: it is old and not good.
TaskExperience most_telling(const TaskExperience& own, std::size_t limit) {
  const std::size_t n = own.scores.size();
  if (n <= limit) return own;
  std::vector<std::size_t> order(n - limit / 2);  // all but the latest half
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return own.scores[a] > own.scores[b]; });
  order.resize(limit - limit / 2);
  std::sort(order.begin(), order.end());
  for (std::size_t i = n - limit / 2; i < n; ++i) order.push_back(i);

  TaskExperience kept;
  kept.task = own.task;
  for (const std::size_t i : order) {
    kept.encodings.push_back(own.encodings[i]);
    kept.scores.push_back(own.scores[i]);
  }
  return kept;
}

}  // namespace

struct RankingModel::Impl {
  RankingModelState state;
};

RankingModel::RankingModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RankingModel::RankingModel(RankingModel&&) noexcept = default;
RankingModel& RankingModel::operator=(RankingModel&&) noexcept = default;
RankingModel::~RankingModel() = default;

RankingModel::RankingModel(std::size_t encoding_size, const RankerOptions& options, std::uint64_t seed) {
  Rng rng(seed);
  impl_ = std::make_unique<Impl>(
      Impl{{options, Ranker(static_cast<std::int64_t>(encoding_size), options.hidden_units, rng), false}});
}

RankingModel RankingModel::deserialize(const std::string& bytes, const RankerOptions& options) {
  return RankingModel(std::make_unique<Impl>(Impl{ranking_model_from_bytes(bytes, options)}));
}

std::string RankingModel::serialize() const {
  return ranking_model_to_bytes(impl_->state);
}

void RankingModel::update(const std::vector<TaskExperience>& experience, std::uint64_t seed) {
  RankingModelState& state = impl_->state;
  for (const TaskExperience& task : experience) check_experience(task, state.encoding_size());
  const SingleThread single_thread;
  Rng rng(seed);
  Ranker next = state.ranker.clone();
  if (!learn(next, experience, state.options, rng)) return;
  for (const torch::Tensor& weights : next.parameters()) {
    if (!weights.isfinite().all().item<bool>()) throw Error("the ranker's training diverged; the last version stays");
  }
  state.ranker = std::move(next);
  state.trained = true;
}

bool RankingModel::trained() const {
  return impl_->state.trained;
}

std::vector<float> RankingModel::score(const TaskExperience& own,
                                       const std::vector<std::vector<float>>& candidates) const {
  const RankingModelState& state = impl_->state;
  check_experience(own, state.encoding_size());
  check_rows(candidates, state.encoding_size(), "candidates");

  const Ranker& ranker = state.ranker;
  torch::Tensor feature = ranker.mean_feature;
  if (own.scores.size() >= 2) {
    const TaskExperience kept = most_telling(own, state.options.fit_results);
    feature = fit_feature(feature, ranker.encoder.forward(matrix(kept.encodings, state.encoding_size())),
                          relevances(kept.scores, state.options.relevance_quantile, state.options.relevance_scale),
                          state.options);
  }
  const torch::Tensor scores =
      torch::mv(ranker.encoder.forward(matrix(candidates, state.encoding_size())), feature).contiguous();
  return {scores.data_ptr<float>(), scores.data_ptr<float>() + scores.numel()};
}

}  // namespace hyperfd
