#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <torch/torch.h>

namespace hyperfd {

// What a pickled weights file consists of. Objects that weights have no use for are kept as nothing.
class PickledValue {
 public:
  using Dictionary = std::map<std::string, PickledValue>;
  using Tuple = std::vector<PickledValue>;
  struct Global {
    std::string name;  // "torch._utils _rebuild_tensor_v2"
  };
  struct Storage {
    std::string key;  // of the record that holds the numbers
    torch::ScalarType type;
  };

  PickledValue() = default;
  template <typename Value>
  explicit PickledValue(Value value) : value_(std::move(value)) {}

  // Each null unless the value is of that kind.
  const Dictionary* dictionary() const;
  Dictionary* dictionary();
  const Tuple* tuple() const;
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const std::int64_t* number() const { return std::get_if<std::int64_t>(&value_); }
  const torch::Tensor* tensor() const { return std::get_if<torch::Tensor>(&value_); }
  const Global* global() const { return std::get_if<Global>(&value_); }
  const Storage* storage() const { return std::get_if<Storage>(&value_); }

 private:
  // Shared as in Python: a dictionary that was put aside is the one that is filled later.
  std::variant<std::monostate, std::int64_t, double, std::string, torch::Tensor, Global, Storage,
               std::shared_ptr<Dictionary>, std::shared_ptr<Tuple>>
      value_;
};

// Reads the pickle of a PyTorch weights file: dictionaries (collections.OrderedDict too, which LibTorch's own reader
// drops), text, numbers and tensors. Nothing in it is executed. `record` gives the bytes of a storage. Throws
// InputError when the pickle is broken or holds anything else.
PickledValue read_pickle(const std::string& bytes, const std::function<std::string(const std::string& key)>& record);

}  // namespace hyperfd
