#include "trial/describe/weights_digest.h"

#include "tuner/base/digest.h"

namespace hyperfd {

std::string weights_digest(const Weights& weights) {
  std::string bytes;
  for (const auto& [name, tensor] : weights.tensors) {
    const torch::Tensor values = tensor.to(torch::kCPU, torch::kDouble).contiguous();
    bytes += name;
    for (const std::int64_t side : values.sizes()) bytes += " " + std::to_string(side);
    bytes += "\n";
    bytes.append(reinterpret_cast<const char*>(values.data_ptr<double>()),
                 static_cast<std::size_t>(values.numel()) * sizeof(double));
  }
  return sha256(bytes);
}

}  // namespace hyperfd
