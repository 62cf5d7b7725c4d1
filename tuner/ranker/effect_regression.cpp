#include "tuner/ranker/effect_regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/base/rng.h"
#include "tuner/ranker/rprop.h"

namespace hyperfd {
namespace {

constexpr std::int64_t kKnots = 9;  // of a number
// Numbers go from 0 to 1; half of that is as far as two values of a choice.
constexpr double kNumberScale = 2;
// Of so many results at most relevances and weights are fitted to, fewer where there are more parameters; and w and P.
constexpr std::int64_t kFitResults = 800, kMostResults = 2000;
constexpr double kFitParameters = 12;     // with which it is so many
constexpr std::size_t kMostNumbers = 64;  // of a task; where there are more, they are not read
constexpr int kFirstSteps = 30, kNextSteps = 8;
// Log-normal priors: medians, and the deviation of the logarithms.
constexpr double kSingles = 0.3, kPairs = 0.7, kOwn = 0.3, kNoise = 0.3, kNumbers = 0.2;
constexpr double kSpread = 2;
constexpr double kLevel = 4;  // variance of a task's mean, which says nothing
constexpr double kLeastNoise = 1e-4;
// A task's standard deviation counts as if so many more results had the median one of all tasks.
constexpr double kScaleResults = 3;
constexpr double kLargestLogScale = 20;                                       // of one task's scores beside another's
enum : std::int64_t { kLogSingles, kLogPairs, kLogOwn, kLogNoise, kShared };  // after the relevances

std::int64_t count_states(const EffectRegression::Parameter& parameter) {
  return parameter.columns > 1 ? parameter.columns : kKnots;
}

// Squared distances of a parameter's states.
torch::Tensor distances_of(const EffectRegression::Parameter& parameter) {
  if (parameter.columns > 1) return 1 - torch::eye(parameter.columns, torch::kFloat64);
  const torch::Tensor knots = torch::linspace(0, kNumberScale, kKnots, torch::kFloat64);
  return (knots.unsqueeze(1) - knots.unsqueeze(0)).square();
}

// 0 and 1 for each group where z is: sums over a group's numbers, divided by how many they are.
torch::Tensor group_means(const std::vector<std::int64_t>& groups) {
  const std::int64_t count = groups.empty() ? 0 : *std::max_element(groups.begin(), groups.end()) + 1;
  torch::Tensor means = torch::zeros({count, static_cast<std::int64_t>(groups.size())}, torch::kFloat64);
  for (std::size_t i = 0; i < groups.size(); ++i) means[groups[i]][static_cast<std::int64_t>(i)] = 1;
  return means / means.sum(1, /*keepdim=*/true).clamp_min(1);
}

// Results of all tasks, one after the other.
struct Results {
  torch::Tensor states;   // [n, states]
  torch::Tensor scores;   // [n]
  torch::Tensor task;     // [n], int64
  torch::Tensor numbers;  // [n, numbers]

  Results select(const torch::Tensor& rows) const {
    return {states.index_select(0, rows), scores.index_select(0, rows), task.index_select(0, rows),
            numbers.index_select(0, rows)};
  }
  // At most so many, drawn at random, in their order.
  Results some(std::int64_t most) const {
    const std::int64_t n = scores.size(0);
    if (n <= most) return *this;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    Rng rng(static_cast<std::uint64_t>(n));
    rng.shuffle(rows);
    rows.resize(static_cast<std::size_t>(most));
    std::sort(rows.begin(), rows.end());
    return select(torch::tensor(rows, torch::kInt64));
  }
};

// Half the range, as the difference of two large numbers overflows. 0 for none and for equal ones.
double half_range(const std::vector<double>& scores) {
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  return scores.empty() ? 0 : *most / 2 - *least / 2;
}

// The scores of every task with mean 0, in units of its standard deviation; what few results say of that is drawn to
// the median of all tasks. Every task has a range.
std::vector<torch::Tensor> standardised(const std::vector<EffectTask>& tasks) {
  std::vector<torch::Tensor> scores;  // in ranges, from −1 to 1
  std::vector<double> logarithms, log_ranges;
  for (const EffectTask& task : tasks) {
    const double range = half_range(task.scores),
                 middle = *std::max_element(task.scores.begin(), task.scores.end()) - range;
    torch::Tensor own = torch::tensor(task.scores, torch::kFloat64).sub(middle).div(range);
    own -= own.mean();
    log_ranges.push_back(std::log(range));
    logarithms.push_back(log_ranges.back() + own.std(/*unbiased=*/false).log().item<double>());
    scores.push_back(own);
  }
  std::vector<double> sorted = logarithms;
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto free = static_cast<double>(tasks[i].scores.size() - 1);
    const double scale = (free * logarithms[i] + kScaleResults * median) / (free + kScaleResults);
    scores[i] *= std::exp(std::clamp(log_ranges[i] - scale, -kLargestLogScale, kLargestLogScale));
  }
  return scores;
}

// The Gaussian process of some results. Kernels are float64 and depend on the logarithms of its parameters.
class Process {
 public:
  Process(Results results, const std::vector<EffectRegression::Parameter>& parameters, const torch::Tensor& means)
      : results_(std::move(results)), means_(means), same_task_(same(results_.task)) {
    std::int64_t begin = 0;
    for (const EffectRegression::Parameter& parameter : parameters) {
      blocks_.push_back(results_.states.slice(1, begin, begin + count_states(parameter)));
      distances_.push_back(distances_of(parameter));
      begin += count_states(parameter);
    }
    for (std::int64_t g = 0; g < means_.size(0); ++g) {
      similar_.push_back(torch::mm(results_.numbers * means_[g], results_.numbers.t()));
    }
  }

  // kⱼ between the states of each parameter.
  std::vector<torch::Tensor> state_kernels(const torch::Tensor& logarithms) const {
    std::vector<torch::Tensor> kernels;
    for (std::size_t j = 0; j < distances_.size(); ++j) {
      const torch::Tensor r = (5 * distances_[j] * logarithms[static_cast<std::int64_t>(j)].exp() + 1e-12).sqrt();
      kernels.push_back((1 + r + r.square() / 3) * (-r).exp());
    }
    return kernels;
  }

  // What s and p are divided by.
  double singles() const { return static_cast<double>(std::max<std::size_t>(blocks_.size(), 1)); }
  double pairs() const { return std::max(singles() * (singles() - 1) / 2, 1.0); }

  // The lower factor of kernel and noise.
  torch::Tensor factor(const torch::Tensor& logarithms) const {
    const auto count = static_cast<std::int64_t>(blocks_.size());
    const auto value = [&](std::int64_t which) { return logarithms[count + which].exp(); };
    const std::vector<torch::Tensor> kernels = state_kernels(logarithms);
    torch::Tensor sum = torch::zeros_like(same_task_), squares = sum;
    for (std::size_t j = 0; j < blocks_.size(); ++j) {
      const torch::Tensor kernel = torch::mm(torch::mm(blocks_[j], kernels[j]), blocks_[j].t());
      sum = sum + kernel;
      squares = squares + kernel.square();
    }
    const torch::Tensor of_configurations =
        value(kLogSingles) / singles() * sum + value(kLogPairs) / (2 * pairs()) * (sum.square() - squares);
    torch::Tensor of_tasks = 1 + value(kLogOwn) * same_task_;
    for (std::size_t g = 0; g < similar_.size(); ++g) {
      of_tasks = of_tasks + value(kShared + static_cast<std::int64_t>(g)) * similar_[g];
    }
    const torch::Tensor noise = (value(kLogNoise) + kLeastNoise) * torch::eye(same_task_.size(0), torch::kFloat64);
    return torch::linalg_cholesky(of_configurations * of_tasks + kLevel * same_task_ + noise);
  }

  // log p(scores | parameters) + log p(parameters), up to a constant.
  torch::Tensor log_posterior(const torch::Tensor& logarithms, const torch::Tensor& medians) const {
    const torch::Tensor lower = factor(logarithms);
    const torch::Tensor rest = torch::linalg_solve_triangular(lower, results_.scores.unsqueeze(1), /*upper=*/false);
    return -rest.square().sum() / 2 - lower.diagonal().log().sum() -
           (logarithms - medians).square().sum() / (2 * kSpread * kSpread);
  }

  // kernel⁻¹ scores
  torch::Tensor solved(const torch::Tensor& logarithms) const {
    return torch::cholesky_solve(results_.scores.unsqueeze(1), factor(logarithms)).squeeze(1);
  }

 private:
  static torch::Tensor same(const torch::Tensor& task) {
    return task.unsqueeze(1).eq(task.unsqueeze(0)).to(torch::kFloat64);
  }

  Results results_;
  torch::Tensor means_, same_task_;
  std::vector<torch::Tensor> blocks_, distances_;  // of each parameter
  std::vector<torch::Tensor> similar_;             // of each group of numbers
};

// What a step costs goes with their square and the number of parameters.
std::int64_t fit_results(std::int64_t parameters) {
  const double share = kFitParameters / static_cast<double>(std::max<std::int64_t>(parameters, 1));
  return static_cast<std::int64_t>(kFitResults * std::sqrt(std::min(share, 1.0)));
}

torch::Tensor medians_of(std::int64_t parameters, std::int64_t groups) {
  torch::Tensor medians = torch::zeros({parameters + kShared + groups}, torch::kFloat64);
  const double shared[] = {kSingles, kPairs, kOwn, kNoise};
  for (std::int64_t i = 0; i < kShared; ++i) medians[parameters + i] = std::log(shared[i]);
  medians.slice(0, parameters + kShared).fill_(std::log(kNumbers));
  return medians;
}

// The likeliest parameters on the way uphill from `start`.
torch::Tensor climb(const Process& process, const torch::Tensor& start, const torch::Tensor& medians, int steps) {
  torch::Tensor place = (start - medians).to(torch::kFloat32).clone(), best = start;  // relative to the medians
  Rprop rprop(static_cast<std::size_t>(place.numel()));
  double best_value = -std::numeric_limits<double>::infinity();
  for (int step = 0; step < steps; ++step) {
    const torch::AutoGradMode with_graph(true);
    const torch::Tensor logarithms = (place.to(torch::kFloat64) + medians).detach().requires_grad_();
    const torch::Tensor value = process.log_posterior(logarithms, medians);
    value.backward();
    if (value.item<double>() > best_value) {
      best_value = value.item<double>();
      best = logarithms.detach();
    }
    rprop.ascend(logarithms.grad().to(torch::kFloat32).data_ptr<float>(), place.data_ptr<float>());
  }
  return best;
}

}  // namespace

EffectRegression::EffectRegression(std::vector<Parameter> parameters, std::int64_t width, std::int64_t numbers,
                                   std::int64_t groups)
    : parameters_(std::move(parameters)), width_(width) {
  for (const Parameter& parameter : parameters_) {
    if (parameter.column < 0 || parameter.columns < 1 || parameter.columns > width - parameter.column ||
        parameter.mask < -1 || parameter.mask >= width) {
      throw InputError("a parameter of " + std::to_string(parameter.columns) + " columns at " +
                       std::to_string(parameter.column) + " of " + std::to_string(width));
    }
  }
  const std::int64_t states = states_of(parameters_);
  logarithms_ = torch::zeros({static_cast<std::int64_t>(parameters_.size()) + kShared + groups});
  linear_ = torch::zeros({1 + numbers, states});
  pairs_ = torch::zeros({1 + numbers, states, states});
}

std::vector<EffectRegression::Parameter> EffectRegression::parameters_of(const EncodingColumns& columns) {
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].repeats) continue;
    if (i > 0 && columns[i].feature == columns[i - 1].feature) {
      ++parameters.back().columns;
    } else {
      parameters.push_back({static_cast<std::int64_t>(i), 1, static_cast<std::int64_t>(columns[i].mask)});
    }
  }
  return parameters;
}

std::int64_t EffectRegression::states_of(const std::vector<Parameter>& parameters) {
  std::int64_t states = 0;
  for (const Parameter& parameter : parameters) states += count_states(parameter);
  return states;
}

std::int64_t EffectRegression::groups() const {
  return logarithms_.size(0) - static_cast<std::int64_t>(parameters_.size()) - kShared;
}

EffectRegression EffectRegression::clone() const {
  EffectRegression copy = *this;
  for (torch::Tensor* tensor : {&copy.logarithms_, &copy.linear_, &copy.pairs_}) *tensor = tensor->clone();
  return copy;
}

torch::Tensor EffectRegression::states_of(const float* encodings, std::int64_t n) const {
  torch::Tensor result = torch::zeros({n, states()});
  float* out = result.data_ptr<float>();
  for (std::int64_t row = 0; row < n; ++row, encodings += width_) {
    for (const Parameter& parameter : parameters_) {
      const float* in = encodings + parameter.column;
      if (parameter.columns > 1) {  // zeros where it is not active
        out = std::copy(in, in + parameter.columns, out);
        continue;
      }
      if (parameter.mask < 0 || encodings[parameter.mask] > 0) {
        const float place = std::clamp(*in, 0.0f, 1.0f) * static_cast<float>(kKnots - 1);
        const auto below = std::min(static_cast<std::int64_t>(place), kKnots - 2);
        out[below + 1] = place - static_cast<float>(below);
        out[below] = 1 - out[below + 1];
      }
      out += kKnots;
    }
  }
  return result;
}

EffectRegression EffectRegression::fitted(const std::vector<EffectTask>& tasks,
                                          const std::vector<std::int64_t>& all_groups) const {
  const torch::NoGradGuard no_grad;
  std::vector<EffectTask> telling;
  for (const EffectTask& task : tasks) {
    for (const EncodedConfiguration& configuration : task.configurations) {
      if (static_cast<std::int64_t>(configuration.flat.size()) == width_) continue;
      throw InputError("an encoding of " + std::to_string(configuration.flat.size()) + " numbers, expected " +
                       std::to_string(width_));
    }
    if (half_range(task.scores) > 0) telling.push_back(task);
  }
  if (telling.empty()) return *this;

  const bool reads_numbers = all_groups.size() <= kMostNumbers;
  const std::vector<std::int64_t> groups = reads_numbers ? all_groups : std::vector<std::int64_t>();
  const torch::Tensor means = group_means(groups);
  EffectRegression result(parameters_, width_, static_cast<std::int64_t>(groups.size()), means.size(0));
  const auto parameters = static_cast<std::int64_t>(result.parameters_.size());
  const torch::Tensor medians = medians_of(parameters, means.size(0));
  const bool goes_on = logarithms_.sizes() == result.logarithms_.sizes() && logarithms_.any().item<bool>();
  const torch::Tensor start = goes_on ? logarithms_.to(torch::kFloat64) : medians;
  std::vector<torch::Tensor> states, scores, index, numbers;
  scores = standardised(telling);
  for (std::size_t t = 0; t < telling.size(); ++t) {
    const auto n = static_cast<std::int64_t>(telling[t].scores.size());
    std::vector<float> rows;
    for (const EncodedConfiguration& configuration : telling[t].configurations) {
      rows.insert(rows.end(), configuration.flat.begin(), configuration.flat.end());
    }
    states.push_back(result.states_of(rows.data(), n).to(torch::kFloat64));
    index.push_back(torch::full({n}, static_cast<std::int64_t>(t), torch::kInt64));
    numbers.push_back((reads_numbers ? telling[t].numbers : torch::zeros({0})).to(torch::kFloat64).expand({n, -1}));
  }
  const Results all{torch::cat(states), torch::cat(scores), torch::cat(index), torch::cat(numbers)};
  const torch::Tensor logarithms = climb(Process(all.some(fit_results(parameters)), result.parameters_, means), start,
                                         medians, goes_on ? kNextSteps : kFirstSteps);

  const Results known = all.some(kMostResults);
  const Process process(known, result.parameters_, means);
  const torch::Tensor solved = process.solved(logarithms);
  // How much the k-th of z(d) is worth to each result: kernel⁻¹ scores, times its own z by the group's weight.
  const torch::Tensor weight_of_number = torch::mv(means.t(), logarithms.slice(0, parameters + kShared).exp());
  const torch::Tensor shares =
      torch::cat({torch::ones({solved.size(0), 1}, torch::kFloat64), known.numbers * weight_of_number},
                 1) *
      solved.unsqueeze(1);  // [n, units]
  const torch::Tensor kernel = torch::block_diag(process.state_kernels(logarithms));
  const torch::Tensor smooth = torch::mm(known.states, kernel);  // kⱼ between each result and each state
  const auto value = [&](std::int64_t which) { return logarithms[parameters + which].exp(); };
  result.linear_ = (value(kLogSingles) / process.singles() * torch::mm(shares.t(), smooth)).to(torch::kFloat32);
  std::vector<torch::Tensor> blocks;
  for (const Parameter& parameter : result.parameters_) {
    const std::int64_t size = count_states(parameter);
    blocks.push_back(torch::ones({size, size}, torch::kFloat64));
  }
  const torch::Tensor between = 1 - torch::block_diag(blocks);
  std::vector<torch::Tensor> pairs;
  for (std::int64_t k = 0; k < shares.size(1); ++k) {
    pairs.push_back(torch::mm((smooth * shares.slice(1, k, k + 1)).t(), smooth) * between);
  }
  result.pairs_ = (value(kLogPairs) / process.pairs() * torch::stack(pairs)).to(torch::kFloat32);
  result.logarithms_ = logarithms.to(torch::kFloat32);
  return result;
}

std::vector<float> EffectRegression::scores(const float* encodings, std::size_t n, const torch::Tensor& numbers) const {
  constexpr std::int64_t kRows = 4096;  // at a time: they stay in the cache
  const torch::NoGradGuard no_grad;
  const bool are_known = numbers.size(0) == this->numbers();
  const torch::Tensor z = torch::cat({torch::ones({1}), are_known ? numbers : torch::zeros({this->numbers()})});
  const torch::Tensor linear = torch::mv(linear_.t(), z);
  const torch::Tensor half_pairs = torch::mv(pairs_.flatten(1).t(), z).view({states(), states()}) / 2;
  std::vector<float> result(n);
  const auto count = static_cast<std::int64_t>(n);
  for (std::int64_t begin = 0; begin < count; begin += kRows) {
    const std::int64_t rows = std::min(kRows, count - begin);
    const torch::Tensor some = states_of(encodings + begin * width_, rows);
    torch::Tensor out = torch::from_blob(result.data() + begin, {rows}, torch::kFloat32);
    torch::sum_out(out, torch::addmm(linear.unsqueeze(0), some, half_pairs).mul_(some), 1);
  }
  return result;
}

std::vector<std::int64_t> groups_by_name(const std::vector<std::string>& names, std::int64_t count) {
  std::vector<std::int64_t> groups(static_cast<std::size_t>(count), 0);
  if (names.size() != groups.size()) return groups;
  std::map<std::string, std::int64_t> known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    groups[i] =
        known.emplace(names[i].substr(0, names[i].find(' ')), static_cast<std::int64_t>(known.size())).first->second;
  }
  return groups;
}

}  // namespace hyperfd
