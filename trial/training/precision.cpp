#include "trial/training/precision.h"

#include <mutex>

#include <ATen/autocast_mode.h>

#include "tuner/base/log.h"

namespace hyperfd {
namespace {

// LibTorch computes in bfloat16 for the lifetime of this object.
class MixedPrecision {
 public:
  explicit MixedPrecision(torch::Device device) : cuda_(device.is_cuda()) { set(true); }
  ~MixedPrecision() {
    at::autocast::clear_cache();
    set(false);
  }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  void set(bool on) const {
    if (cuda_) {
      at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
      at::autocast::set_enabled(on);
    } else {
      at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
      at::autocast::set_cpu_enabled(on);
    }
  }

  bool cuda_;
};

void warn_where_slow(torch::Device device) {
#ifdef __x86_64__
  static std::once_flag once;
  if (device.is_cpu() && !__builtin_cpu_supports("avx512bf16")) {
    std::call_once(
        once, [] { spdlog::warn("precision: this processor has no bfloat16 instructions; float32 is faster on it"); });
  }
#endif
}

}  // namespace

RawOutput network_output(RetinaFace& network, const torch::Tensor& images, const std::string& precision,
                         torch::Device device) {
  if (precision != "bfloat16") return network->forward(normalise_pixels(images, device));
  warn_where_slow(device);
  const MixedPrecision mixed(device);
  const RawOutput output = network->forward(normalise_pixels(images, device));
  return {output.logits.to(torch::kFloat), output.boxes.to(torch::kFloat), output.landmarks.to(torch::kFloat)};
}

}  // namespace hyperfd
