#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// What to collect: every data set with every configuration and seed, by real trials.
struct CollectionPlan {
  std::vector<std::string> data;  // data set folders; a folder's last name is the task's name
  std::int64_t configurations = 0;
  std::int64_t seeds = 1;          // seeds 1, 2, …
  bool spread = false;             // configurations of its own for every data set, instead of the same for all
  std::uint64_t choice_seed = 0;   // of the configurations
  std::vector<std::string> trial;  // further arguments of `hyperfd-trial train`
};

// One trial of a plan.
struct CollectionJob {
  std::string task, data;
  Configuration configuration;
  std::int64_t seed = 1;
};

// In the order in which they are run: all data sets and seeds of the first configuration, then of the second, so that a
// collection that is cut short is a smaller collection. A plan for more configurations begins with those of one for
// fewer. All satisfy the annotation's constraints. Throws InputError when two folders have one name or the space has
// fewer configurations.
std::vector<CollectionJob> jobs_of(const CollectionPlan& plan, const SearchSpace& space,
                                   const Annotation& annotation = Annotation::none());

// Results of trials as lines of JSON in `<folder>/<task>.jsonl`; collection.cpp has their keys. Lines are
// flushed to disk one by one; a last line that a crash cut off is dropped.
class CollectionFolder {
 public:
  explicit CollectionFolder(std::string folder) : folder_(std::move(folder)) {}

  // Those of `jobs` that have no line yet. Throws InputError that names file and line for lines that are malformed or of
  // other `trial` arguments.
  std::vector<CollectionJob> missing(const std::vector<CollectionJob>& jobs,
                                     const std::vector<std::string>& trial) const;
  void append(const std::string& task, const Json& line) const;

 private:
  std::string file_of(const std::string& task) const { return folder_ + "/" + task + ".jsonl"; }

  std::string folder_;
};

// Runs one trial pinned to a core and gives its line. Throws Error with the end of its log when it fails. Returns null
// when `stopped` became true meanwhile: the trial was killed.
Json run_trial(const std::string& program, const CollectionJob& job, const std::vector<std::string>& trial, int core,
               const std::function<bool()>& stopped);

}  // namespace hyperfd
