#include "trial/training/device.h"

#include <opencv2/core/utility.hpp>

#include "tuner/base/error.h"

namespace hyperfd {

torch::Device choose_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name == "auto") return torch::cuda::is_available() ? torch::kCUDA : torch::kCPU;
  if (name != "cuda") throw InputError("--device: expected auto, cpu or cuda, got \"" + name + "\"");
  if (!torch::cuda::is_available())
    throw InputError("--device: cuda: this machine or this LibTorch has no CUDA device");
  return torch::kCUDA;
}

void set_compute_threads(int threads) {
  torch::set_num_threads(threads);
  // OpenCV works inside the loader's threads, which are parallel already.
  cv::setNumThreads(1);
  // Numbers this small no longer matter, and computing with them is many times slower.
  at::globalContext().setFlushDenormal(true);
}

}  // namespace hyperfd
