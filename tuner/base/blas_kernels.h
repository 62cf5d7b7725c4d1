#pragma once

namespace hyperfd {

// OpenBLAS falls back to its oldest kernels on processors that are newer than it, and computes far slower than they
// could. Starts this program again, with better ones, where that has happened; call it first in main().
// $OPENBLAS_CORETYPE, which says so to OpenBLAS, is left as it is where the user has set it.
void use_fitting_blas_kernels(char** argv);

}  // namespace hyperfd
