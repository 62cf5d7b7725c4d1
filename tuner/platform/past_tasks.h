#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tuner/platform/experience_store.h"
#include "tuner/platform/past_experience.h"

namespace hyperfd {

// The store's tasks as policies see them. Read from the store once; after that only tasks with new results are read
// again, so that an answer does not get slower with experience. Not thread-safe; methods throw StoreError.
class PastTasks {
 public:
  explicit PastTasks(ExperienceStore& store) : store_(store) {}

  // The tasks with results on spaces of this signature, without `task`. The same object until one of them changes.
  std::shared_ptr<const PastExperience> others(const SearchSpace& space, std::int64_t task);

  // The task's results, or the sign of its metric, may have changed.
  void changed(std::int64_t task);
  // The task does not ask any more for now.
  void forget(std::int64_t task);

 private:
  struct Signature {
    std::map<std::int64_t, std::shared_ptr<const PastTask>> tasks;  // by number, so oldest first
    std::set<std::int64_t> stale;
    std::map<std::int64_t, std::shared_ptr<const PastExperience>> answers;  // by who asked
  };

  Signature& load(const SearchSpace& space);
  void read_again(Signature& known, const SearchSpace& space, std::int64_t task);

  ExperienceStore& store_;
  std::map<std::string, Signature> signatures_;
};

}  // namespace hyperfd
