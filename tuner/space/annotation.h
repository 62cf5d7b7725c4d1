#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tuner/space/architecture_template.h"
#include "tuner/space/constraint.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// Which encoder H reads the configurations of a space: an MLP its numbers, a GIN the graph of its architecture, or
// both.
enum class EncoderKind { kMlp, kGin, kJoint };

// What we know of a search space beyond NNI's types, in a file beside it (docs/search_spaces.md): encoder,
// architecture, constraints. A value; copies share what they hold.
class Annotation {
 public:
  // Of a space without one: kMlp, no architecture, no constraints.
  Annotation();
  static const Annotation& none();
  // Throws InputError whose message starts with the path of the offending value.
  static Annotation parse(const Json& definition, const SearchSpace& space);
  // From JSON text; "" gives none().
  static Annotation parse(const std::string& text, const SearchSpace& space);
  // From a .json or .yaml file; errors name the file first.
  static Annotation load(const std::string& file, const SearchSpace& space);
  // From `file`; if that is "", from the file beside `space_file`, or none() if there is none.
  static Annotation load(const std::string& file, const std::string& space_file, const SearchSpace& space);
  // The file that annotates a search space by its name: `nas.hyperfd.yaml` beside `nas.yaml` (or .yml, .json). "" if
  // there is none.
  static std::string find_beside(const std::string& space_file);

  const Json& definition() const;  // null if there is none
  std::string text() const;        // of the definition, as parse() reads it back
  EncoderKind encoder() const;
  const ArchitectureTemplate* architecture() const;  // nullptr: none; never for kGin and kJoint

  const std::vector<std::unique_ptr<const Constraint>>& constraints() const;
  // The first constraint that a configuration of the space violates; nullptr if it satisfies all.
  const Constraint* find_violated(const Configuration& configuration) const;
  // Throws InputError that names the violated constraint.
  void check(const Configuration& configuration) const;

 private:
  struct Impl;
  explicit Annotation(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace hyperfd
