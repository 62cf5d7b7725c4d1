#include "tuner/base/blas_kernels.h"

#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <unistd.h>

namespace hyperfd {
namespace {

constexpr const char* kVariable = "OPENBLAS_CORETYPE";
constexpr const char* kFallback = "Prescott";

// The newest kernels that this processor has the instructions for, or nullptr.
const char* fitting_kernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return nullptr;
}

}  // namespace

void use_fitting_blas_kernels(char** argv) {
  using Name = const char* (*)();
  const auto kernels_in_use = reinterpret_cast<Name>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  if (!kernels_in_use || std::getenv(kVariable) || std::strcmp(kernels_in_use(), kFallback) != 0) return;
  const char* fitting = fitting_kernels();
  if (!fitting) return;
  setenv(kVariable, fitting, /*overwrite=*/1);  // read when the library is loaded
  execv("/proc/self/exe", argv);                // returns where it fails: slow kernels compute as well
}

}  // namespace hyperfd
