#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/space/architecture_template.h"
#include "tuner/space/space_keys.h"

namespace hyperfd {

// What a configuration must satisfy to be suggested. Immutable.
class Constraint {
 public:
  explicit Constraint(std::string name) : name_(std::move(name)) {}
  virtual ~Constraint() = default;

  const std::string& name() const { return name_; }  // the user's, or its place in the annotation
  // What is wrong with a configuration of the space: `multiply_adds is 745280000, at most 730000000`. nullopt: nothing.
  virtual std::optional<std::string> violation(const Configuration& configuration) const = 0;

 private:
  std::string name_;
};

// The `constraints` of an annotation (docs/search_spaces.md): bounds on the architecture's cost, sums of numbers,
// tables of combinations. Throws InputError at `path`. `architecture` may be nullptr; it must live as long as the
// constraints.
std::vector<std::unique_ptr<const Constraint>> parse_constraints(const Json& definition, const SpaceKeys& keys,
                                                                 const ArchitectureTemplate* architecture,
                                                                 const Path& path);

}  // namespace hyperfd
