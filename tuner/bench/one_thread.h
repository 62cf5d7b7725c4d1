#pragma once

namespace hyperfd {

// Tells LibTorch to compute what this thread asks for on this thread alone: the caller has work for every core.
void compute_on_one_thread();

}  // namespace hyperfd
