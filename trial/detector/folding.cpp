#include "trial/detector/folding.h"

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

const std::string kMean = ".running_mean";

// The name of a batch norm, "fpn.merge1.1", if `tensor` is its running mean, else empty.
std::string norm_of(const std::string& tensor) {
  const bool is_mean =
      tensor.size() > kMean.size() && tensor.compare(tensor.size() - kMean.size(), kMean.size(), kMean) == 0;
  return is_mean ? tensor.substr(0, tensor.size() - kMean.size()) : "";
}

// The layer in front, "fpn.merge1.0"; empty if the name does not end in a number > 0.
std::string layer_before(const std::string& layer) {
  const std::size_t dot = layer.rfind('.') + 1;
  const std::string number = layer.substr(dot);
  if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos) return "";
  const int index = std::stoi(number);
  return index > 0 ? layer.substr(0, dot) + std::to_string(index - 1) : "";
}

}  // namespace

bool has_batch_norms(const Weights& weights) {
  for (const auto& item : weights.tensors) {
    if (!norm_of(item.first).empty()) return true;
  }
  return false;
}

Weights fold(const Weights& weights) {
  constexpr double kEpsilon = 1e-5;  // of torch::nn::BatchNorm2d
  torch::NoGradGuard no_gradient;
  Weights folded = weights;
  for (const auto& [name, mean] : weights.tensors) {
    const std::string norm = norm_of(name);
    if (norm.empty()) continue;
    const auto tensor = [&](const std::string& tensor_name) {
      const auto found = weights.tensors.find(tensor_name);
      if (found == weights.tensors.end()) throw InputError("tensor " + tensor_name + " is missing beside " + name);
      return found->second;
    };
    const std::string convolution = layer_before(norm);
    const torch::Tensor kernel = tensor(convolution + ".weight");
    const torch::Tensor factor = tensor(norm + ".weight") / (tensor(norm + ".running_var") + kEpsilon).sqrt();
    if (kernel.dim() != 4 || kernel.size(0) != factor.numel())
      throw InputError("tensor " + convolution + ".weight: expected a convolution with the channels of " + norm);
    folded.tensors[convolution + ".weight"] = kernel * factor.view({-1, 1, 1, 1});
    folded.tensors[convolution + ".bias"] = tensor(norm + ".bias") - mean * factor;
    for (const char* gone : {".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked"})
      folded.tensors.erase(norm + gone);
  }
  return folded;
}

}  // namespace hyperfd
