#include "tuner/bench/one_thread.h"

#include <ATen/Parallel.h>

namespace hyperfd {

void compute_on_one_thread() {
  at::set_num_threads(1);
}

}  // namespace hyperfd
