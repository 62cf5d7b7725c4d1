#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/space/cost.h"
#include "tuner/space/graph.h"
#include "tuner/space/operators.h"
#include "tuner/space/template_value.h"

namespace hyperfd {

// What architecture a configuration of a search space stands for, as data (docs/search_spaces.md): stages of blocks of
// operators in a chain, with residual connections around operators and blocks. Immutable.
class ArchitectureTemplate {
 public:
  // Throws InputError at `path`, also when one of a number of random configurations has no architecture.
  ArchitectureTemplate(const Json& definition, const SearchSpace& space, const SpaceKeys& keys, const Path& path);

  // Both throw InputError when `configuration` lacks a key that its architecture needs.
  Graph graph(const Configuration& configuration) const;
  Cost cost(const Configuration& configuration, ImageSize size) const;
  Cost cost(const Configuration& configuration) const { return cost(configuration, input_size_); }

  ImageSize input_size() const { return input_size_; }
  std::size_t feature_size() const { return columns_.size() + kNumbers; }
  // The top-level keys of the search space that the architecture depends on, sorted.
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  static constexpr std::size_t kNumbers = 6;  // kernel, expansion, width, stride, stage, block

  // One operator of a block, or alternatives among which a key chooses.
  struct Node {
    const Operator* kind = nullptr;
    std::optional<TemplateNumber> kernel, expansion, width, stride;
    std::optional<Reference> choice;
    std::map<std::string, Node> alternatives;  // by the value of `choice`
  };
  struct Block {
    std::vector<Node> nodes;
    bool adds_input = false;
  };
  struct Stage {
    std::string name;
    std::optional<TemplateNumber> width, stride;
    TemplateNumber repeat = 1;
    std::vector<Block> blocks;  // as many as the largest repeat
  };
  // An operator with all its numbers.
  struct Layer {
    const Operator* kind;
    OperatorSettings settings;
    int stage, block;
    bool opens_residual, closes_residual;
  };
  class Parser;

  std::vector<Layer> layers(const Configuration& configuration) const;
  void measure_scales();

  int channels_ = 3;
  ImageSize input_size_;
  std::vector<Stage> stages_;
  std::vector<std::string> keys_;
  std::map<std::string, std::size_t> columns_;  // of the one-hot, by operator
  OperatorSettings largest_;                    // every number's, for normalisation
  int most_blocks_ = 1;
};

}  // namespace hyperfd
