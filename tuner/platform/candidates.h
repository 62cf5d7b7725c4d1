#pragma once

#include <functional>
#include <vector>

#include "tuner/platform/selection_policy.h"

namespace hyperfd {

class Untaken;

// What a ranking chooses from: all feasible configurations that the task has not taken, if the space has at most 2,000,
// else 200 draws (Table 12), or `count` if that is more; fewer if the space has no more.
std::vector<Configuration> make_candidates(const TaskView& task, std::size_t count, Rng& rng);
// The same, of what `untaken` of the space has left; draws are taken from it.
std::vector<Configuration> make_candidates(const SearchSpace& space, Untaken& untaken, std::size_t count, Rng& rng);

// Whether make_candidates() gives everything.
bool is_enumerated(const SearchSpace& space);

// The higher the better, one for each configuration.
using ScoreBatch = std::function<std::vector<float>(const std::vector<Configuration>&)>;

// Adds mutants to `candidates`, and their scores to `scores`: ten of each of the task's three best results, half of
// them changed twice, then five rounds of ten of each of the ten best candidates. Feasible, not taken, distinct. Does
// nothing where make_candidates() gives everything.
void improve_candidates(const TaskView& task, std::vector<Configuration>& candidates, std::vector<float>& scores,
                        const ScoreBatch& score, Rng& rng);

}  // namespace hyperfd
