#pragma once

#include <string>

#include <torch/torch.h>

namespace hyperfd {

// auto (CUDA if there is one), cpu or cuda. Throws InputError for another word, or when there is no CUDA device.
torch::Device choose_device(const std::string& name);

// Prepares this process for computing with `threads` threads: LibTorch, its BLAS, cuDNN, OpenCV and the memory
// allocator.
void set_up_computing(int threads);

}  // namespace hyperfd
