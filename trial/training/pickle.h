#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <torch/torch.h>

namespace hyperfd {

// A run of numbers that a pickle refers to and that lies elsewhere in the file.
struct PickledStorage {
  std::string key;  // names the storage within the file
  torch::ScalarType type = torch::kFloat;
  std::int64_t first = 0;  // element at which this view of the storage begins
};

// A tensor as a pickle describes it. All numbers are ≥ 0; nobody has checked that it lies within its storage.
struct PickledTensor {
  PickledStorage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes, strides;
};

// What a pickled weights file consists of. Objects that weights have no use for are kept as nothing. Containers belong
// to the Pickle: a value is a small handle, so that a hostile pickle that repeats or nests them costs no more memory
// than its own length, and cycles do no harm.
class PickledValue {
 public:
  using Dictionary = std::map<std::string, PickledValue>;
  using List = std::vector<PickledValue>;  // tuples too
  struct Global {
    const std::string* name;  // "torch._utils _rebuild_tensor_v2"
  };

  PickledValue() = default;
  template <typename Value>
  explicit PickledValue(Value value) : value_(value) {}

  // Each null unless the value is of that kind.
  Dictionary* dictionary() const { return pointer<Dictionary>(); }
  List* list() const { return pointer<List>(); }
  const std::string* text() const { return pointer<const std::string>(); }
  const PickledTensor* tensor() const { return pointer<const PickledTensor>(); }
  const PickledStorage* storage() const { return pointer<const PickledStorage>(); }
  const std::int64_t* number() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* global() const {
    const auto* found = std::get_if<Global>(&value_);
    return found ? found->name : nullptr;
  }

 private:
  template <typename Kind>
  Kind* pointer() const {
    const auto* found = std::get_if<Kind*>(&value_);
    return found ? *found : nullptr;
  }

  std::variant<std::monostate, std::int64_t, double, const std::string*, Global, const PickledStorage*,
               const PickledTensor*, Dictionary*, List*>
      value_;
};

// A pickle that was read: its value, and everything that the value refers to.
struct Pickle {
  PickledValue value;
  std::size_t end = 0;                             // position after the pickle
  std::map<std::string, torch::ScalarType> types;  // of every storage that it mentions, by key

  // Deques, because they never move what they hold.
  std::deque<std::string> texts;
  std::deque<PickledStorage> storages;
  std::deque<PickledTensor> tensors;
  std::deque<PickledValue::Dictionary> dictionaries;
  std::deque<PickledValue::List> lists;
};

// Reads the pickle of a PyTorch weights file that begins at `at`: dictionaries (collections.OrderedDict too, which
// LibTorch's own reader drops), lists, text, numbers and tensors. Keys that are numbers become text. Nothing in it is
// executed. Throws InputError when the pickle is broken or holds anything else.
std::unique_ptr<Pickle> read_pickle(std::string_view bytes, std::size_t at = 0);

}  // namespace hyperfd
