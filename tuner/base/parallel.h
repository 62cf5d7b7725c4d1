#pragma once

#include <cstddef>
#include <functional>

namespace hyperfd {

// Calls work(i) for i = 0 … count − 1 on `threads` threads. Throws what a call throws, after all threads have ended;
// no further call begins then.
void for_each_in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace hyperfd
