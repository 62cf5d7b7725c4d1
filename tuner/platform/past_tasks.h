#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tuner/platform/experience_store.h"
#include "tuner/platform/past_experience.h"

namespace hyperfd {

// The store's tasks as policies see them. Read from the store once; after that only tasks with new results are read
// again, so that an answer does not get slower with experience. Not thread-safe; methods throw StoreError.
class PastTasks {
 public:
  explicit PastTasks(ExperienceStore& store) : store_(store) {}

  // The tasks with results on spaces of this signature, without `task`. The same object until one of them changes.
  // `names`: what PastTask::statistics() are, in their order.
  std::shared_ptr<const PastExperience> others(const SearchSpace& space, std::int64_t task,
                                               const std::vector<std::string>& names = {});

  // The task's results, the sign of its metric, or what is known of its data set may have changed.
  void changed(std::int64_t task);
  // The task does not ask any more for now.
  void forget(std::int64_t task);

 private:
  struct Signature {
    std::vector<std::string> names;
    std::map<std::int64_t, std::shared_ptr<const PastTask>> tasks;  // by number, so oldest first
    std::set<std::int64_t> stale;
    std::map<std::int64_t, std::shared_ptr<const PastExperience>> answers;  // by who asked
  };

  Signature& load(const SearchSpace& space, const std::vector<std::string>& names);
  void read_again(Signature& known, const SearchSpace& space, std::int64_t task);

  ExperienceStore& store_;
  std::map<std::string, Signature> signatures_;
};

}  // namespace hyperfd
