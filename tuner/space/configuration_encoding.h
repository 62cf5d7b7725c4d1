#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/space/annotation.h"
#include "tuner/space/graph.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// What the encoder H that an annotation names reads of configurations: numbers, a graph, or both. Keeps references to
// both arguments. Thread-safe.
class ConfigurationEncoding {
 public:
  ConfigurationEncoding(const SearchSpace& space, const Annotation& annotation);

  // SearchSpace::encode() of all keys (kMlp), of those that the architecture does not depend on (kJoint), nothing
  // (kGin).
  std::size_t flat_size() const;
  std::vector<float> flat(const Configuration& configuration) const;

  // Graph::feature_size of the graphs; 0 for kMlp, which has none.
  std::size_t node_feature_size() const;
  std::optional<Graph> graph(const Configuration& configuration) const;

 private:
  const SearchSpace& space_;
  const Annotation& annotation_;
  std::unique_ptr<const SearchSpace> rest_;  // of kJoint: the keys that the architecture does not depend on
};

}  // namespace hyperfd
