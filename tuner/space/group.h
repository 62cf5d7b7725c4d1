#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tuner/space/dimension.h"

namespace hyperfd {

// Dimensions under their keys: a whole search space, or one branch of a nested choice. Its values are JSON objects.
class Group {
 public:
  // `is_branch`: definition and values carry a "_name", which belongs to the nested choice around the group.
  Group(const Json& definition, bool is_branch, const Path& path, std::size_t& options_left);

  Count size() const;
  // Appends this group's keys to `object`.
  void at(std::uint64_t index, Json& object) const;
  void sample(Rng& rng, Json& object) const;
  // Sampled, except that keys which `old` has with a value of this group keep it.
  void adopt(const Json& old, Rng& rng, Json& object) const;
  std::size_t mutable_parts(const Json& object) const;
  // As Dimension::mutate(), in place.
  void mutate(Json& object, std::size_t part, Rng& rng, double reach) const;
  void check(const Json& object, const Path& path) const;
  std::size_t encoding_size() const { return encoding_size_; }
  void encode(const Json& object, const Path& path, float* out) const;
  void describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const;
  Json canonical() const;

 private:
  struct Member {
    std::string key;
    std::unique_ptr<Dimension> dimension;
    std::size_t offset;  // in the encoding, where keys are sorted
  };

  void check_keys(const Json& object, const Path& path) const;
  // Where `object` has the key of a member, its size if nowhere. Mostly where the definition has it: looked for there
  // first.
  std::size_t place_of(std::size_t member, const Json& object) const;
  const Json& value_of(std::size_t member, const Json& object) const;
  Json& value_of(std::size_t member, Json& object) const;

  std::vector<Member> members_;  // in the order of the definition, which is the order of NNI's answers
  bool is_branch_;
  std::size_t encoding_size_ = 0;
};

}  // namespace hyperfd
