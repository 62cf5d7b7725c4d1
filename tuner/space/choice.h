#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tuner/space/configuration.h"
#include "tuner/space/dimension.h"
#include "tuner/space/group.h"

namespace hyperfd {

// `choice`: nested when its options are objects with a "_name", else flat.
std::unique_ptr<Dimension> make_choice(const DimensionSource& source);

// One of a list of JSON values. An option that is listed twice is drawn twice as often, but is one value.
// Encoding: one-hot; if all options are numbers, also the normalised value (logarithmic when they span a decade or
// more).
class FlatChoice : public Dimension {
 public:
  explicit FlatChoice(const DimensionSource& source);

  Count size() const override { return options_.size(); }
  Json at(std::uint64_t index) const override { return options_[index].value; }
  Json sample(Rng& rng) const override;
  Json mutate(const Json& value, std::size_t part, Rng& rng, double reach) const override;
  void check(const Json& value, const Path& path) const override;
  std::size_t encoding_size() const override { return one_hot_size_ + (is_numeric_ ? 1 : 0); }
  void encode(const Json& value, const Path& path, float* out) const override;
  void describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const override;
  Json canonical() const override;

 private:
  struct Option {
    Json value;
    std::size_t position;  // in canonical order
    float normalised;
  };

  const Option& find(const Json& value, const Path& path) const;
  void sort_options();
  void normalise_options();

  std::vector<Option> options_;     // distinct, as first listed
  std::vector<std::size_t> draws_;  // index into options_ of every listed one
  std::unordered_map<ConfigurationKey, std::size_t> by_key_;
  bool is_numeric_ = true;
  std::size_t one_hot_size_ = 0;
};

// One of several named branches, each with parameters of its own: `{"_name": "conv", "kernel": 3}`.
// Encoding: one-hot of the branch, then every branch's parameters. A branch that is not chosen is all zeros and its bit
// of the one-hot is the mask that tells "inactive" from "lowest value".
class NestedChoice : public Dimension {
 public:
  explicit NestedChoice(const DimensionSource& source);

  Count size() const override;
  Json at(std::uint64_t index) const override;
  Json sample(Rng& rng) const override;
  // Another branch keeps the values of the keys that it shares with the old one.
  std::size_t mutable_parts(const Json& value) const override;
  Json mutate(const Json& value, std::size_t part, Rng& rng, double reach) const override;
  void check(const Json& value, const Path& path) const override;
  std::size_t encoding_size() const override { return encoding_size_; }
  void encode(const Json& value, const Path& path, float* out) const override;
  void describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const override;
  Json canonical() const override;

 private:
  struct Branch {
    std::string name;
    Group group;
    std::size_t position;  // when branches are sorted by name
    std::size_t offset;    // of the group in the encoding
  };

  const Branch& find(const Json& value, const Path& path) const;

  std::vector<Branch> branches_;
  std::size_t encoding_size_ = 0;
};

}  // namespace hyperfd
