#include "tuner/space/group.h"

#include <algorithm>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {
namespace {

constexpr char kName[] = "_name";

bool is_value(const Dimension& dimension, const Json& value) {
  try {
    dimension.check(value, Path("configuration"));
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

Group::Group(const Json& definition, bool is_branch, const Path& path, std::size_t& options_left)
    : is_branch_(is_branch) {
  if (!definition.is_object()) path.fail("expected an object of parameters, got " + brief(definition));
  for (const auto& [key, value] : definition.items()) {
    const Path member_path(path, key);
    if (key == kName) {
      if (is_branch) continue;
      member_path.fail("this key is only for the branches of a nested choice");
    }
    count_option(options_left, member_path);
    members_.push_back({key, parse_dimension(value, member_path, options_left), 0});
  }

  std::vector<Member*> sorted;
  for (Member& member : members_) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->key < b->key; });
  for (Member* member : sorted) {
    member->offset = encoding_size_;
    encoding_size_ += member->dimension->encoding_size();
  }
}

Count Group::size() const {
  Count total = 1;
  for (const Member& member : members_) total = product(total, member.dimension->size());
  return total;
}

void Group::at(std::uint64_t index, Json& object) const {
  // The last key varies fastest.
  std::vector<std::uint64_t> digits(members_.size());
  for (std::size_t i = members_.size(); i-- > 0;) {
    const std::uint64_t radix = *members_[i].dimension->size();
    digits[i] = index % radix;
    index /= radix;
  }
  for (std::size_t i = 0; i < members_.size(); ++i) object[members_[i].key] = members_[i].dimension->at(digits[i]);
}

void Group::sample(Rng& rng, Json& object) const {
  for (const Member& member : members_) object[member.key] = member.dimension->sample(rng);
}

void Group::adopt(const Json& old, Rng& rng, Json& object) const {
  for (const Member& member : members_) {
    const auto kept = old.find(member.key);
    object[member.key] =
        kept != old.end() && is_value(*member.dimension, *kept) ? *kept : member.dimension->sample(rng);
  }
}

std::size_t Group::mutable_parts(const Json& object) const {
  std::size_t parts = 0;
  for (const Member& member : members_) parts += member.dimension->mutable_parts(object.at(member.key));
  return parts;
}

void Group::mutate(Json& object, std::size_t part, Rng& rng) const {
  for (const Member& member : members_) {
    Json& value = object.at(member.key);
    const std::size_t parts = member.dimension->mutable_parts(value);
    if (part < parts) {
      value = member.dimension->mutate(value, part, rng);
      return;
    }
    part -= parts;
  }
}

void Group::check_keys(const Json& object, const Path& path) const {
  if (!object.is_object()) path.fail("expected an object of parameters, got " + brief(object));
  const auto demand = [&](const std::string& key) {
    if (!object.contains(key)) path.fail("missing key \"" + key + "\"");
  };
  for (const Member& member : members_) demand(member.key);
  if (is_branch_) demand(kName);
  if (object.size() == members_.size() + (is_branch_ ? 1 : 0)) return;
  std::vector<std::string> known;
  for (const Member& member : members_) known.push_back(member.key);
  if (is_branch_) known.push_back(kName);
  for (const auto& entry : object.items()) {
    if (std::find(known.begin(), known.end(), entry.key()) == known.end()) {
      path.fail(unknown_name_message("key", entry.key(), known));
    }
  }
}

void Group::check(const Json& object, const Path& path) const {
  check_keys(object, path);
  for (const Member& member : members_) member.dimension->check(object[member.key], Path(path, member.key));
}

void Group::encode(const Json& object, const Path& path, float* out) const {
  check_keys(object, path);
  for (const Member& member : members_) {
    member.dimension->encode(object[member.key], Path(path, member.key), out + member.offset);
  }
}

void Group::describe_encoding(std::ptrdiff_t mask, EncodingColumns& columns) const {
  std::vector<const Member*> sorted;
  for (const Member& member : members_) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->offset < b->offset; });
  for (const Member* member : sorted) member->dimension->describe_encoding(mask, columns);
}

Json Group::canonical() const {
  Json object = Json::object();
  for (const Member& member : members_) object[member.key] = member.dimension->canonical();
  return object;
}

}  // namespace hyperfd
