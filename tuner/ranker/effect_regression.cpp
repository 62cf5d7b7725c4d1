#include "tuner/ranker/effect_regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <torch/torch.h>

#include "tuner/base/error.h"
#include "tuner/ranker/effect_process.h"
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
// Medians of the kernel's parameters before anything is known, as EffectProcess::Shared has them; the last is a
// group's.
constexpr double kMedians[] = {0.3, 0.7, 0.3, 0.3, 0.2};
// A task's standard deviation counts as if so many more results had the median one of all tasks.
constexpr double kScaleResults = 3;
constexpr double kLargestLogScale = 20;  // of one task's scores beside another's

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

// What a step costs goes with their square and the number of parameters.
std::int64_t fit_results(std::int64_t parameters) {
  const double share = kFitParameters / static_cast<double>(std::max<std::int64_t>(parameters, 1));
  return static_cast<std::int64_t>(kFitResults * std::sqrt(std::min(share, 1.0)));
}

torch::Tensor medians_of(std::int64_t parameters, std::int64_t groups) {
  torch::Tensor medians = torch::zeros({parameters + EffectProcess::kGroups + groups}, torch::kFloat64);
  for (std::int64_t i = 0; i < EffectProcess::kGroups + groups; ++i) {
    medians[parameters + i] = std::log(kMedians[std::min<std::int64_t>(i, EffectProcess::kGroups)]);
  }
  return medians;
}

// The likeliest parameters on the way uphill from `start`.
torch::Tensor climb(const EffectProcess& process, const torch::Tensor& start, const torch::Tensor& medians, int steps) {
  torch::Tensor place = (start - medians).to(torch::kFloat32).clone(), best = start;  // relative to the medians
  Rprop rprop(static_cast<std::size_t>(place.numel()));
  double best_value = -std::numeric_limits<double>::infinity();
  for (int step = 0; step < steps; ++step) {
    const torch::Tensor logarithms = place.to(torch::kFloat64) + medians;
    const EffectProcess::Posterior at = process.log_posterior(logarithms, medians);
    if (at.value > best_value) {
      best_value = at.value;
      best = logarithms;
    }
    rprop.ascend(at.gradient.to(torch::kFloat32).data_ptr<float>(), place.data_ptr<float>());
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
  logarithms_ = torch::zeros({static_cast<std::int64_t>(parameters_.size()) + EffectProcess::kGroups + groups});
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
  return logarithms_.size(0) - static_cast<std::int64_t>(parameters_.size()) - EffectProcess::kGroups;
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
  std::vector<torch::Tensor> distances;
  for (const Parameter& parameter : result.parameters_) distances.push_back(distances_of(parameter));
  const EffectResults all{torch::cat(states), torch::cat(scores), torch::cat(index), torch::cat(numbers)};
  const torch::Tensor logarithms = climb(EffectProcess(all.some(fit_results(parameters)), distances, means), start,
                                         medians, goes_on ? kNextSteps : kFirstSteps);

  const EffectResults known = all.some(kMostResults);
  const EffectProcess process(known, distances, means);
  const torch::Tensor solved = process.solved(logarithms);
  // How much the k-th of z(d) is worth to each result: kernel⁻¹ scores, times its own z by the group's weight.
  const torch::Tensor weight_of_number =
      torch::mv(means.t(), logarithms.slice(0, parameters + EffectProcess::kGroups).exp());
  const torch::Tensor shares =
      torch::cat({torch::ones({solved.size(0), 1}, torch::kFloat64), known.numbers * weight_of_number},
                 1) *
      solved.unsqueeze(1);  // [n, units]
  const torch::Tensor kernel = torch::block_diag(process.state_kernels(logarithms));
  const torch::Tensor smooth = torch::mm(known.states, kernel);  // kⱼ between each result and each state
  const auto value = [&](std::int64_t which) { return logarithms[parameters + which].exp(); };
  result.linear_ =
      (value(EffectProcess::kSingles) / process.singles() * torch::mm(shares.t(), smooth)).to(torch::kFloat32);
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
  result.pairs_ = (value(EffectProcess::kPairs) / process.pairs() * torch::stack(pairs)).to(torch::kFloat32);
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
