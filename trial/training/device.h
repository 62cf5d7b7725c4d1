#pragma once

#include <string>

#include <torch/torch.h>

namespace hyperfd {

// auto (CUDA if there is one), cpu or cuda. Throws InputError for another word, or when there is no CUDA device.
torch::Device choose_device(const std::string& name);

// Threads of this process that compute, for LibTorch and OpenCV together.
void set_compute_threads(int threads);

}  // namespace hyperfd
