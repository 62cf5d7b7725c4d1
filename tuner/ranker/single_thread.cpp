#include "tuner/ranker/single_thread.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace hyperfd {

SingleThread::SingleThread() : before_(at::get_num_threads()) {
  at::set_num_threads(1);
  // Matrix products may come from OpenBLAS, which keeps threads of its own. They wait by spinning.
  using SetThreads = void (*)(int);
  static void* const symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
  if (symbol) reinterpret_cast<SetThreads>(symbol)(1);
}

SingleThread::~SingleThread() {
  at::set_num_threads(before_);
}

}  // namespace hyperfd
