#pragma once

#include <vector>

#include <torch/types.h>

#include "tuner/base/rng.h"

namespace hyperfd {

// Uniform in ±bound, float32. From our Rng: LibTorch's generator is global unless passed to every call.
torch::Tensor uniform_tensor(torch::IntArrayRef shape, double bound, Rng& rng);

// [rows.size(), columns] float32. Every row has `columns` numbers.
torch::Tensor matrix(const std::vector<std::vector<float>>& rows, std::size_t columns);

// The numbers of float32 tensors, one after the other, and back. unflatten() throws InputError for another count.
std::vector<float> flatten(const std::vector<torch::Tensor>& tensors);
void unflatten(const std::vector<float>& numbers, const std::vector<torch::Tensor>& tensors);

}  // namespace hyperfd
