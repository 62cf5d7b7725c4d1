#include "trial/training/device.h"

#include <limits>

#include <dlfcn.h>
#include <malloc.h>
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

void set_up_computing(int threads) {
  torch::set_num_threads(threads);
  // LibTorch's matrix products may come from OpenBLAS, which keeps threads of its own: as many as the machine has
  // cores.
  using SetThreads = void (*)(int);
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) reinterpret_cast<SetThreads>(symbol)(threads);
  // OpenCV works inside the loader's threads, which are parallel already.
  cv::setNumThreads(1);
  // Numbers this small no longer matter, and computing with them is many times slower.
  at::globalContext().setFlushDenormal(true);
  // cuDNN would take whatever algorithm is fastest at the moment, and one seed would give many runs.
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  // Each step allocates the same tensors again. Left alone, the allocator would give their memory back to the system
  // every time, and get it back page by page, zeroed.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace hyperfd
