#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/bench/simulated_tasks.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

struct DatasetFeatures;

// An evaluated configuration. APs from 0 to 1: on the validation split, which tuners see and choose by, and on the test
// split, which they are judged by.
struct TableEntry {
  Configuration configuration;
  double validation = 0;
  double test = 0;

  // What an offline task tells of it. Nobody tunes on such a task, so all images count that were not trained on, of
  // which the test split has three quarters (6 : 1 : 3): a validation split of thirty images ranks hardly anything.
  double held_out() const { return validation + 0.75 * (test - validation); }
};

struct TableTask {
  std::string name;
  bool offline = false;                             // always at hand, not tuned: the source
  std::vector<double> statistics;                   // of the data set; empty: not known
  std::vector<std::string> statistic_names;         // of the statistics, where they have names: in alphabetical order
  std::shared_ptr<const DatasetFeatures> features;  // of its images; nullptr: not known
  std::vector<TableEntry> entries;

  bool has_images() const;  // features of some; a description may hold numbers alone
};

// What stands in for training detectors: results of many configurations on every task.
struct LookupTable {
  std::string space_name;
  SearchSpace space;
  Annotation annotation;
  std::vector<TableTask> tasks;  // the offline ones first, else in the order of the file
};

struct TableSource {
  std::vector<std::string> tables;   // files of JSON lines, and folders of such files (*.jsonl)
  std::string space;                 // file; its annotation stands beside it
  std::vector<std::string> offline;  // names of the offline tasks
  std::string statistics;            // file: an object with a list of numbers for each task; "": those of the features
  std::string features = {};         // folder with a file TASK.features for each task; "": none
};

// Reads what `hyperfd-tuner collect` writes, a line for each trial:
//   {"task": "mask", "configuration": {"optimizer": "adam", …}, "seed": 1, "validation": 0.81, "test": 0.79}
// Results of one configuration with several seeds become their mean; what else a line has is not read. Throws
// InputError that starts with file:line.
LookupTable load_tables(const TableSource& source);

// As load_tables() reads it.
std::string to_json_lines(const LookupTable& table);

struct SimulatedTableOptions {
  SimulatedFamilyOptions family;
  int tasks = 12;  // offline ones included
  int offline = 1;
  int configurations = 200;  // evaluated on each task; of a space of at most 2,000 all are
};

// From `similarity=0.8,tasks=12,…`; throws InputError that suggests the nearest key.
SimulatedTableOptions parse_simulated(const std::string& text);

// Tasks of a made-up family (SimulatedTasks) on the space of this file, or if it is "" on one of 216 configurations.
// With a large space, each task has configurations of its own.
LookupTable simulate_table(const std::string& space_file, const SimulatedTableOptions& options, std::uint64_t seed);

}  // namespace hyperfd
