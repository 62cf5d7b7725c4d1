#include "trial/detector/weights.h"

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

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

void store_channels_last(torch::nn::Module& module) {
  for (torch::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

}  // namespace hyperfd
