#include "tuner/bench/lookup_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/names.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {
namespace {

struct Line {
  std::string place;  // file:line
  Json value;
};

std::vector<Line> read_lines(const std::string& file) {
  std::istringstream text(read_file(file));
  std::vector<Line> lines;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = file + ":" + std::to_string(number);
    lines.push_back({place, parse_json(line, place)});
    if (!lines.back().value.is_object()) {
      throw InputError(place + ": expected an object, got " + brief(lines.back().value));
    }
  }
  return lines;
}

const Json& member(const Line& line, const std::string& key) {
  const auto found = line.value.find(key);
  if (found == line.value.end()) throw InputError(line.place + ": " + key + ": missing");
  return *found;
}

double precision(const Line& line, const std::string& key) {
  const Json& value = member(line, key);
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1)) {
    throw InputError(line.place + ": " + key + ": expected an AP from 0 to 1, got " + brief(value));
  }
  return value.get<double>();
}

std::string text(const Line& line, const std::string& key) {
  const Json& value = member(line, key);
  if (!value.is_string() || value.get<std::string>().empty()) {
    throw InputError(line.place + ": " + key + ": expected a name, got " + brief(value));
  }
  return value.get<std::string>();
}

// Files as given, and those in folders, sorted.
std::vector<std::string> files_of(const std::vector<std::string>& tables) {
  std::vector<std::string> files;
  for (const std::string& table : tables) {
    if (!std::filesystem::is_directory(table)) {
      files.push_back(table);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : std::filesystem::directory_iterator(table)) {
      if (entry.path().extension() == ".jsonl") files.push_back(entry.path().string());
    }
    if (files.size() == before) throw InputError(table + ": a folder without files *.jsonl");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

class TableBuilder {
 public:
  explicit TableBuilder(const SearchSpace& space) : space_(space) {}

  void add(const Line& line) {
    const std::string name = text(line, "task");
    const Json& configuration = member(line, "configuration");
    const double validation = precision(line, "validation"), test = precision(line, "test");
    try {
      space_.check(configuration);
    } catch (const InputError& error) {
      throw InputError(line.place + ": " + error.what());
    }
    const std::string trial = name + "\n" + fingerprint(configuration);
    const std::string seed = line.value.value("seed", Json()).dump();
    const auto [first, is_new] = places_.emplace(trial + "\n" + seed, line.place);
    if (!is_new) {
      throw InputError(line.place + ": task " + name + " has this configuration and seed at " + first->second +
                       " already");
    }
    TableTask& task = find(name);
    const auto [known, is_first] = entries_.emplace(trial, Place{task.entries.size(), 0});
    if (is_first) task.entries.push_back({configuration, 0, 0});
    TableEntry& entry = task.entries[known->second.entry];
    const double count = ++known->second.seeds;
    entry.validation += (validation - entry.validation) / count;
    entry.test += (test - entry.test) / count;
  }

  std::vector<TableTask> take(const std::vector<std::string>& offline) {
    for (const std::string& name : offline) {
      std::vector<std::string> known;
      for (const TableTask& task : tasks_) known.push_back(task.name);
      if (!by_name_.count(name)) throw InputError("--offline: " + unknown_name_message("task", name, known));
      find(name).offline = true;
    }
    std::stable_partition(tasks_.begin(), tasks_.end(), [](const TableTask& task) { return task.offline; });
    return std::move(tasks_);
  }

 private:
  struct Place {
    std::size_t entry;
    double seeds;
  };

  TableTask& find(const std::string& name) {
    const auto [index, is_new] = by_name_.emplace(name, tasks_.size());
    if (is_new) {
      tasks_.emplace_back();
      tasks_.back().name = name;
    }
    return tasks_[index->second];
  }

  const SearchSpace& space_;
  std::vector<TableTask> tasks_;
  std::map<std::string, std::size_t> by_name_;
  std::unordered_map<std::string, Place> entries_;       // by task and configuration
  std::unordered_map<std::string, std::string> places_;  // by task, configuration and seed: file:line
};

void add_statistics(const std::string& file, std::vector<TableTask>& tasks) {
  const Json all = load_json_or_yaml(file);
  std::size_t size = 0;
  for (TableTask& task : tasks) {
    const auto found = all.find(task.name);
    if (found == all.end()) continue;
    const std::string place = file + ": " + task.name;
    if (!found->is_array() || found->empty()) {
      throw InputError(place + ": expected a list of numbers, got " + brief(*found));
    }
    for (const Json& number : *found) {
      if (!number.is_number()) throw InputError(place + ": expected a number, got " + brief(number));
      task.statistics.push_back(number.get<double>());
    }
    if (size == 0) size = task.statistics.size();
    if (task.statistics.size() != size) {
      throw InputError(place + ": " + std::to_string(task.statistics.size()) + " numbers, other tasks have " +
                       std::to_string(size));
    }
  }
}

// Tasks without a file have no features; those of one extractor may be compared.
void add_features(const std::string& folder, std::vector<TableTask>& tasks) {
  std::string extractor;
  for (TableTask& task : tasks) {
    const std::string file = folder + "/" + task.name + ".features";
    if (!std::filesystem::exists(file)) continue;
    auto features = std::make_shared<DatasetFeatures>(DatasetFeatures::deserialize(read_file(file), file));
    if (extractor.empty()) extractor = features->extractor;
    features->require_extractor(extractor, file);
    if (task.statistics.empty()) {
      std::map<std::string, double> numbers;
      for (std::size_t i = 0; i < features->statistics.size(); ++i) {
        numbers[features->statistic_names[i]] = features->statistics[i];
      }
      for (const auto& [name, value] : numbers) {
        task.statistic_names.push_back(name);
        task.statistics.push_back(value);
      }
    }
    task.features = std::move(features);
  }
  if (extractor.empty()) throw InputError(folder + ": no file TASK.features of any task");
}

}  // namespace

bool TableTask::has_images() const {
  return features && features->images.size(0) > 0;
}

LookupTable load_tables(const TableSource& source) {
  LookupTable table{source.space, SearchSpace::load(source.space), {}, {}};
  table.annotation = Annotation::load("", source.space, table.space);
  TableBuilder builder(table.space);
  for (const std::string& file : files_of(source.tables)) {
    for (const Line& line : read_lines(file)) builder.add(line);
  }
  table.tasks = builder.take(source.offline);
  if (!source.statistics.empty()) add_statistics(source.statistics, table.tasks);
  if (!source.features.empty()) add_features(source.features, table.tasks);
  return table;
}

std::string to_json_lines(const LookupTable& table) {
  std::string lines;
  for (const TableTask& task : table.tasks) {
    for (const TableEntry& entry : task.entries) {
      Json line = {{"task", task.name}, {"configuration", entry.configuration}};
      line["validation"] = entry.validation;
      line["test"] = entry.test;
      lines += line.dump() + "\n";
    }
  }
  return lines;
}

}  // namespace hyperfd
