#include "tuner/space/group.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

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
  for (std::size_t i = 0; i < members_.size(); ++i) {
    parts += members_[i].dimension->mutable_parts(value_of(i, object));
  }
  return parts;
}

void Group::mutate(Json& object, std::size_t part, Rng& rng, double reach) const {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    Json& value = value_of(i, object);
    const std::size_t parts = member.dimension->mutable_parts(value);
    if (part < parts) {
      value = member.dimension->mutate(value, part, rng, reach);
      return;
    }
    part -= parts;
  }
}

std::size_t Group::place_of(std::size_t member, const Json& object) const {
  const auto& entries = object.get_ref<const Json::object_t&>();
  const std::string& key = members_[member].key;
  const auto usual = static_cast<std::ptrdiff_t>(member + (is_branch_ ? 1 : 0));
  if (usual < std::distance(entries.begin(), entries.end()) && entries.begin()[usual].first == key) {
    return static_cast<std::size_t>(usual);
  }
  return static_cast<std::size_t>(std::distance(entries.begin(), entries.find(key)));
}

const Json& Group::value_of(std::size_t member, const Json& object) const {
  const std::size_t place = place_of(member, object);
  if (place == object.size()) throw std::out_of_range("configuration: no " + members_[member].key);
  return object.get_ref<const Json::object_t&>().begin()[static_cast<std::ptrdiff_t>(place)].second;
}

Json& Group::value_of(std::size_t member, Json& object) const {
  return const_cast<Json&>(value_of(member, std::as_const(object)));
}

void Group::check_keys(const Json& object, const Path& path) const {
  if (!object.is_object()) path.fail("expected an object of parameters, got " + brief(object));
  const auto fail_without = [&](const std::string& key) { path.fail("missing key \"" + key + "\""); };
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (place_of(i, object) == object.size()) fail_without(members_[i].key);
  }
  if (is_branch_ && !object.contains(kName)) fail_without(kName);
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
  for (std::size_t i = 0; i < members_.size(); ++i) {
    members_[i].dimension->check(value_of(i, object), Path(path, members_[i].key));
  }
}

void Group::encode(const Json& object, const Path& path, float* out) const {
  check_keys(object, path);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    member.dimension->encode(value_of(i, object), Path(path, member.key), out + member.offset);
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
