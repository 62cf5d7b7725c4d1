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

namespace hyperfd {
namespace {

const std::vector<std::string> kKeys = {"task", "configuration", "val", "test", "offline", "info"};

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

bool names_space(const Line& line) {
  return line.value.contains("space") && !line.value.contains("task");
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

// The one space that the files, or `space_file`, name.
std::string find_space(const std::vector<std::vector<Line>>& files, const std::string& space_file) {
  if (!space_file.empty()) return space_file;
  std::string found;
  for (const std::vector<Line>& lines : files) {
    for (const Line& line : lines) {
      if (!names_space(line)) continue;
      const std::filesystem::path folder = std::filesystem::path(line.place).parent_path();
      const std::string named = (folder / text(line, "space")).lexically_normal().string();
      if (!found.empty() && found != named) {
        throw InputError(line.place + ": space: " + named + ", but another table has " + found);
      }
      found = named;
    }
  }
  if (found.empty()) throw InputError("--space: needed, since no table has a line {\"space\": …}");
  return found;
}

class TableBuilder {
 public:
  explicit TableBuilder(const SearchSpace& space) : space_(space) {}

  void add(const Line& line) {
    for (const auto& entry : line.value.items()) {
      if (std::find(kKeys.begin(), kKeys.end(), entry.key()) == kKeys.end()) {
        throw InputError(line.place + ": " + unknown_name_message("key", entry.key(), kKeys));
      }
    }
    TableEntry entry{member(line, "configuration"), precision(line, "val"), precision(line, "test")};
    const std::string name = text(line, "task");
    try {
      space_.check(entry.configuration);
    } catch (const InputError& error) {
      throw InputError(line.place + ": " + error.what());
    }
    const auto [first, is_new] = places_.emplace(name + "\n" + fingerprint(entry.configuration), line.place);
    if (!is_new) {
      throw InputError(line.place + ": task " + name + " has this configuration at " + first->second + " already");
    }
    TableTask& task = find(name);
    task.entries.push_back(std::move(entry));
    const auto offline = line.value.find("offline");
    if (offline == line.value.end()) return;
    if (!offline->is_boolean()) {
      throw InputError(line.place + ": offline: expected true or false, got " + brief(*offline));
    }
    task.offline = task.offline || offline->get<bool>();
  }

  std::vector<TableTask> take() {
    std::stable_partition(tasks_.begin(), tasks_.end(), [](const TableTask& task) { return task.offline; });
    return std::move(tasks_);
  }

 private:
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
  std::unordered_map<std::string, std::string> places_;  // of task and configuration
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

}  // namespace

LookupTable load_tables(const std::vector<std::string>& files, const std::string& space_file,
                        const std::string& statistics_file) {
  std::vector<std::vector<Line>> lines;
  for (const std::string& file : files) lines.push_back(read_lines(file));
  const std::string space_name = find_space(lines, space_file);
  LookupTable table{space_name, SearchSpace::load(space_name), {}};
  TableBuilder builder(table.space);
  for (const std::vector<Line>& file : lines) {
    for (const Line& line : file) {
      if (!names_space(line)) builder.add(line);
    }
  }
  table.tasks = builder.take();
  if (!statistics_file.empty()) add_statistics(statistics_file, table.tasks);
  return table;
}

std::string to_json_lines(const LookupTable& table) {
  std::string lines;
  for (const TableTask& task : table.tasks) {
    for (const TableEntry& entry : task.entries) {
      Json line = {{"task", task.name}, {"configuration", entry.configuration}};
      line["val"] = entry.validation;
      line["test"] = entry.test;
      if (task.offline) line["offline"] = true;
      lines += line.dump() + "\n";
    }
  }
  return lines;
}

}  // namespace hyperfd
