#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/space/search_space.h"

namespace hyperfd {

class Dimension;
class Path;

// A key of a search space at any depth: `learning_rate`, `layer._name`, `layer.kernel`. Branches of a nested choice may
// share a key.
class SpaceKey {
 public:
  const std::string& text() const { return text_; }
  // The key at the top of the configuration that it is, or is below of.
  const std::string& top() const { return steps_.front(); }

  // The value in a configuration; nullptr where the key is not active.
  const Json* find(const Configuration& configuration) const;

  // Whether some configuration has this value here.
  bool may_be(const Json& value) const;
  // All values, if they are finitely many and at most a few thousand.
  std::optional<std::vector<Json>> values() const;
  bool is_numeric() const;
  // Smallest and largest value; nullopt unless they are numbers and there are both.
  std::optional<std::pair<double, double>> range() const;

 private:
  friend class SpaceKeys;
  std::string text_;
  std::vector<std::string> steps_;
  bool is_ambiguous_ = false;                                 // other steps have the same text
  std::vector<std::string> branches_;                         // of a `_name`
  std::vector<std::shared_ptr<const Dimension>> dimensions_;  // of any other key: one for each branch that has it
};

// All keys of a space. Keeps nothing of the space it was made from.
class SpaceKeys {
 public:
  explicit SpaceKeys(const SearchSpace& space);

  // Throws InputError at `path` that suggests the nearest key, or when `text` stands for two.
  std::shared_ptr<const SpaceKey> find(const std::string& text, const Path& path) const;

 private:
  void add_group(const Json& definition, const std::vector<std::string>& steps);
  SpaceKey& entry(std::vector<std::string> steps, const std::string& key);

  std::map<std::string, std::shared_ptr<SpaceKey>> keys_;
};

}  // namespace hyperfd
