#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tuner/space/cost.h"
#include "tuner/space/space_keys.h"

namespace hyperfd {

class Path;

// What `{key: …}` in a template stands for: a value of the configuration, through a table `values` or as it is.
// `{stage}` and `{block}` in the key are the stage's name and the block's number, from 1.
class Reference {
 public:
  struct Scope {
    const SpaceKeys& keys;
    std::string stage;
    int block = 0;  // 0: outside of blocks
  };

  // `definition` is an object; throws InputError at `path`.
  Reference(const Json& definition, const Scope& scope, const Path& path);

  const SpaceKey& key() const { return *key_; }
  // Every value it may have; nullopt if they cannot be listed.
  std::optional<std::vector<Json>> values() const;
  std::optional<std::pair<double, double>> range() const;
  // The key's value, and what it stands for. Both throw InputError when it is not active in `configuration`.
  const Json& value(const Configuration& configuration) const;
  const Json& read(const Configuration& configuration) const;

 private:
  std::shared_ptr<const SpaceKey> key_;
  std::map<std::string, Json> table_;  // by the value's text; empty: the value itself
};

// A whole number of a template: written out, or a Reference.
class TemplateNumber {
 public:
  struct Bounds {
    int low, high;
  };

  TemplateNumber(int value) : value_(value), largest_(value) {}  // NOLINT: a number is one
  // Throws InputError at `path` when it is no whole number within `bounds`, or may be none.
  TemplateNumber(const Json& definition, const Reference::Scope& scope, const Path& path, Bounds bounds);

  int read(const Configuration& configuration) const;
  int largest() const { return largest_; }
  const Reference* reference() const { return reference_.get(); }

 private:
  int value_ = 0;
  int largest_ = 0;
  std::shared_ptr<const Reference> reference_;
};

// [width, height] in pixels. Throws InputError at `path`.
ImageSize parse_image_size(const Json& definition, const Path& path);

// A value as it is written as a key of `values`.
std::string value_text(const Json& value);

// Throws InputError at `path` unless `object` is one and has no other keys than these.
void check_keys(const Json& object, const std::vector<std::string>& known, const Path& path);

}  // namespace hyperfd
