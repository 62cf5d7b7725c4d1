#include "trial/training/weights_file.h"

#include <sstream>
#include <vector>

#include <caffe2/serialize/inline_container.h>

#include "trial/training/pickle.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr const char* kTensors = "tensors";
constexpr const char* kDescription = "description";
constexpr const char* kParallelPrefix = "module.";  // of networks that were trained by torch.nn.DataParallel

std::map<std::string, torch::Tensor> named_tensors(const PickledValue& value, const std::string& file) {
  const auto* dictionary = value.dictionary();
  if (!dictionary) throw InputError(file + ": expected a dictionary of named tensors");
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& [key, item] : *dictionary) {
    if (!item.tensor()) throw InputError(file + ": " + key + ": expected a tensor");
    const std::string prefix = kParallelPrefix;
    tensors[key.compare(0, prefix.size(), prefix) == 0 ? key.substr(prefix.size()) : key] = *item.tensor();
  }
  return tensors;
}

PickledValue read_archive(const std::string& bytes) {
  std::istringstream stream(bytes);
  caffe2::serialize::PyTorchStreamReader archive(&stream);
  const auto record = [&](const std::string& name) {
    const auto [data, size] = archive.getRecord(name);
    return std::string(static_cast<const char*>(data.get()), size);
  };
  return read_pickle(record("data.pkl"), [&](const std::string& key) { return record("data/" + key); });
}

}  // namespace

void save_weights(const std::string& file, const Weights& weights) {
  c10::impl::GenericDict tensors(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : weights.tensors) tensors.insert(name, tensor);
  c10::impl::GenericDict content(c10::StringType::get(), c10::AnyType::get());
  content.insert(kDescription, weights.description);
  content.insert(kTensors, tensors);
  const std::vector<char> bytes = torch::pickle_save(content);
  write_file_atomically(file, {bytes.data(), bytes.size()});
}

Weights load_weights(const std::string& file) {
  const std::string bytes = read_file(file);
  if (bytes.compare(0, 2, "PK") != 0) {
    throw InputError(
        file +
        ": expected weights in PyTorch's zip format, which PyTorch writes since 1.6; load and save older files there");
  }
  PickledValue content;
  try {
    content = read_archive(bytes);
  } catch (const InputError& error) {
    throw InputError(file + ": " + error.what());
  } catch (const c10::Error& error) {
    throw InputError(file + ": cannot be read as weights: " + error.what_without_backtrace());
  }
  const auto* dictionary = content.dictionary();
  if (!dictionary || !dictionary->count(kTensors)) return {named_tensors(content, file), ""};
  const auto description = dictionary->find(kDescription);
  return {named_tensors(dictionary->at(kTensors), file),
          description != dictionary->end() && description->second.text() ? *description->second.text() : ""};
}

}  // namespace hyperfd
