#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hyperfd {

enum class LossKind { kRanking, kPairwise, kMse };  // Eq. 6; the same without ΔNDCG; squared error of the relevance
enum class RankBy { kPrediction, kLabel };  // positions in ΔNDCG: by predicted score, or AceNAS's by true label
enum class TransformationKind { kNone, kSgd, kClosedForm, kOracle };

// Everything that can be set about the ranker. Where a default is not Table 12's, paper_options() has Table 12's and a
// comment here says why.
struct RankerOptions {
  std::int64_t hidden_units = 64;  // of H and of φ; Table 12

  // ---- Effects ----
  // The ranking is E's (effect_regression.h), learned exactly, and the network φᵀ H(c) counts network_share of it.
  // False: the network alone, which is the paper's.
  bool effects = true;
  double network_share = 0.2;
  double used_network_share() const { return effects ? network_share : 1; }

  // ---- Loss ----
  LossKind loss = LossKind::kRanking;
  RankBy rank_by = RankBy::kPrediction;
  // Relevance of a result within its task: clip((score − quantile) / (max − quantile), 0, 1) · scale, gain 2^relevance
  // − 1. By the paper's scale of 20 a result counts half as much as one that is a twentieth of the task's range
  // better, so the ranking hangs on very few, which noise chooses; by 6 it is a sixth of the range.
  double relevance_quantile = 0.2;
  double relevance_scale = 6;

  // ---- Update ----
  // Adam. Table 12 has 50 iterations at 1e-4, by which a ranker hardly moves from what its first update found.
  double learning_rate = 1e-3;
  double weight_decay = 0;  // decoupled (AdamW)
  int iterations_per_update = 200;
  int tasks_per_iteration = 4;     // Table 12: batch size
  int results_per_iteration = 64;  // of one task, drawn anew each time
  // The first update of a ranker, which starts from noise; 0: as any other.
  int warm_up_iterations = 1000;
  double warm_up_learning_rate = 3e-3;
  // How often a batch draws from offline, past and current tasks, where there are some.
  double offline_share = 5, past_share = 1, current_share = 1;  // Table 12
  double dropout = 0.2;                                         // of the GIN; Appendix B.5

  // ---- What is read of data sets, where it is known ----
  bool images = true;   // G's meta-feature
  bool numbers = true;  // their statistics, apart from G

  // ---- What tasks say beyond their data sets ----
  // Every task has a deviation of its own from what is known of its data set. False: the paper's φ = G(d) alone.
  bool deviations = true;
  // Weight of |deviation|² in the loss: a task with few results stays near the average task.
  double deviation_penalty = 1e-2;
  // Weight of |φ|² in the loss, φ being what G reads from images: a data set stays near what its numbers say. Table 12
  // has none, by which images of a few tasks are learned by heart.
  double image_penalty = 0.01;

  // ---- Meta-features from images ----
  bool train_extractor = true;   // false: G stays as it is
  bool attention = true;         // false: G's images do not see each other, φ is the mean over them (Table 5)
  double triplet_weight = 0.03;  // λ_sim of Eq. 11; Table 12
  double triplet_margin = 0.5;   // α of Eq. 7; Table 12
  double si_weight = 10000;      // λ_reg of Eq. 11; Table 12
  double si_damping = 0.1;       // ξ of Eq. 9
  TransformationKind transformation = TransformationKind::kClosedForm;
  int transformation_steps = 20;               // N_trans, of `sgd`; Table 12
  double transformation_learning_rate = 1e-4;  // η_z, of `sgd`; Table 12
  // Iterations between two fits of Z within an update. G moves little in a few, and each fit asks all reference data
  // sets; Algorithm 1 has 1.
  int transformation_interval = 5;
  std::size_t reference_sets = 256;  // offline data sets that Z is fitted to

  // ---- A task's own results, with H frozen ----
  // More results than this cost more time than they tell; the best half and the latest half of them count.
  std::size_t fit_results = 64;
};

// Table 12, and a warm-up for a ranker that starts from noise.
RankerOptions paper_options();

// `defaults` changed by options as users write them, e.g. {"loss", "mse"}. Throws InputError that names key and value.
RankerOptions parse_ranker_options(const std::map<std::string, std::string>& values, RankerOptions defaults = {});
// The keys that parse_ranker_options() knows.
std::vector<std::string> ranker_option_names();
// What parse_ranker_options() makes these options of, but for those that have no key.
std::map<std::string, std::string> ranker_option_values(const RankerOptions& options);

}  // namespace hyperfd
