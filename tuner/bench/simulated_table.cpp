#include <algorithm>
#include <string>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/bench/lookup_table.h"
#include "tuner/platform/policy_options.h"

namespace hyperfd {
namespace {

// As large as the paper's space of hyper-parameters, so that a first look needs no file.
constexpr char kBuiltInSpace[] = R"({
  "optimizer": {"_type": "choice", "_value": ["sgd", "adam"]},
  "learning_rate": {"_type": "choice", "_value": [0.0003, 0.001, 0.003]},
  "min_crop_ratio": {"_type": "choice", "_value": [0.3, 0.55]},
  "iou_threshold": {"_type": "choice", "_value": [0.4, 0.5, 0.6]},
  "location_weight": {"_type": "choice", "_value": [2, 4, 8]},
  "negative_ratio": {"_type": "choice", "_value": [2, 7]}})";

}  // namespace

SimulatedTableOptions parse_simulated(const std::string& text) {
  SimulatedTableOptions options;
  if (text.empty()) return options;
  std::string form = "simulated:" + text;
  std::replace(form.begin(), form.end(), ',', ':');
  std::string name;
  PolicyOptions values = PolicyOptions::parse(form, &name);
  try {
    options.family.similarity = values.number("similarity", options.family.similarity, 0, 1);
    options.family.factors = static_cast<int>(values.integer("factors", options.family.factors, 1, 16));
    options.family.noise = values.number("noise", options.family.noise, 0, 10);
    options.family.statistics_noise = values.number("statistics_noise", options.family.statistics_noise, 0, 100);
    options.tasks = static_cast<int>(values.integer("tasks", options.tasks, 2, 1000));
    options.offline = static_cast<int>(values.integer("offline", options.offline, 0, options.tasks - 1));
    options.configurations = static_cast<int>(values.integer("configurations", options.configurations, 2, 2000));
    values.check_all_known();
  } catch (const InputError& error) {
    throw InputError(name + ": " + error.what());
  }
  return options;
}

LookupTable simulate_table(const std::string& space_file, const SimulatedTableOptions& options, std::uint64_t seed) {
  const bool is_built_in = space_file.empty();
  LookupTable table{
      is_built_in ? "built-in" : space_file,
      is_built_in ? SearchSpace::parse(parse_json(kBuiltInSpace, "space")) : SearchSpace::load(space_file),
      {},
      {}};
  if (!is_built_in) table.annotation = Annotation::load("", space_file, table.space);
  Rng rng(seed);
  const auto tasks = static_cast<std::size_t>(options.tasks);
  const auto share = static_cast<std::size_t>(options.configurations);
  const std::vector<Configuration> points = simulated_points(table.space, table.annotation, tasks * share, rng);
  const auto size = table.space.size();
  const bool is_shared = size && *size <= kEnumeratedPoints;
  SimulatedTasks family(points, options.family, rng.bits());
  for (std::size_t t = 0; t < tasks; ++t) {
    const SimulatedTasks::Task simulated = family.make_task();
    TableTask task;
    task.offline = t < static_cast<std::size_t>(options.offline);
    task.name = (task.offline ? "offline " : "online ") + std::to_string(t);
    task.statistics = simulated.statistics;
    const std::size_t begin = is_shared ? 0 : t * points.size() / tasks;
    const std::size_t end = is_shared ? points.size() : (t + 1) * points.size() / tasks;
    for (std::size_t i = begin; i < end; ++i) {
      const double value = simulated.values[i];
      const double validation = family.report(value), test = family.report(value);
      task.entries.push_back({points[i], validation, task.offline ? validation : test});  // it is known by one number
    }
    table.tasks.push_back(std::move(task));
  }
  return table;
}

}  // namespace hyperfd
