#include "trial/detector/weights.h"

#include <vector>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr const char* kTensors = "tensors";
constexpr const char* kDescription = "description";
constexpr const char* kBatchCounter = "num_batches_tracked";

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

std::string shape_text(const torch::Tensor& tensor) {
  std::string text = "[";
  for (std::int64_t i = 0; i < tensor.dim(); ++i) text += (i ? ", " : "") + std::to_string(tensor.size(i));
  return text + "]";
}

std::map<std::string, torch::Tensor> module_tensors(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) tensors[item.key()] = item.value();
  return tensors;
}

std::map<std::string, torch::Tensor> read_tensors(const c10::impl::GenericDict& dictionary, const std::string& file) {
  std::map<std::string, torch::Tensor> tensors;
  const std::string prefix = "module.";
  for (const auto& item : dictionary) {
    if (!item.key().isString() || !item.value().isTensor())
      throw InputError(file + ": expected a dictionary of named tensors");
    std::string name = item.key().toStringRef();
    if (name.compare(0, prefix.size(), prefix) == 0) name.erase(0, prefix.size());
    tensors[name] = item.value().toTensor();
  }
  return tensors;
}

}  // namespace

Weights weights_of(const torch::nn::Module& module, std::string description) {
  Weights weights;
  weights.description = std::move(description);
  for (const auto& [name, tensor] : module_tensors(module))
    weights.tensors[name] = tensor.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true).contiguous();
  return weights;
}

void load_into(torch::nn::Module& module, const Weights& weights, const std::string& source) {
  torch::NoGradGuard no_gradient;
  const auto own = module_tensors(module);
  for (const auto& [name, tensor] : own) {
    const auto given = weights.tensors.find(name);
    if (given == weights.tensors.end()) {
      if (ends_with(name, kBatchCounter)) continue;
      throw InputError(source + ": tensor " + name + " is missing");
    }
    if (given->second.sizes() != tensor.sizes()) {
      throw InputError(source + ": tensor " + name + ": expected shape " + shape_text(tensor) + ", got " +
                       shape_text(given->second));
    }
  }
  for (const auto& [name, tensor] : weights.tensors) {
    if (!own.count(name)) throw InputError(source + ": tensor " + name + " is not one of this network");
  }
  for (const auto& [name, tensor] : weights.tensors) own.at(name).copy_(tensor);
}

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
        ": expected weights in PyTorch's zip format (PyTorch ≥ 1.6 writes it); older files: load and save them again");
  }
  c10::IValue content;
  try {
    content = torch::pickle_load({bytes.begin(), bytes.end()});
  } catch (const c10::Error& error) {
    throw InputError(file + ": cannot be read as weights: " + error.what_without_backtrace());
  }
  if (!content.isGenericDict()) throw InputError(file + ": expected a dictionary of named tensors");
  const auto dictionary = content.toGenericDict();
  if (!dictionary.contains(kTensors)) return {read_tensors(dictionary, file), ""};
  const c10::IValue tensors = dictionary.at(kTensors);
  const c10::IValue description = dictionary.contains(kDescription) ? dictionary.at(kDescription) : c10::IValue("");
  if (!tensors.isGenericDict() || !description.isString())
    throw InputError(file + ": expected {description: text, tensors: dictionary}");
  return {read_tensors(tensors.toGenericDict(), file), description.toStringRef()};
}

}  // namespace hyperfd
