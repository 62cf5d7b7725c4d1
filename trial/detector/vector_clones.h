#pragma once

// In front of a function whose loops the compiler can vectorise: it is compiled for newer processors, too, and the best
// version is taken when the program starts. (The sanitizers cannot cope with how that is done.)
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HYPERFD_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HYPERFD_VECTOR_CLONES
#endif
