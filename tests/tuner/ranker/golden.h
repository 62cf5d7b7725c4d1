#pragma once

#include <string>
#include <vector>

#include <torch/types.h>

#include "tuner/base/json.h"
#include "tuner/ranker/tensors.h"

namespace hyperfd {

// A part of golden.json: numbers from an independent calculation (make_golden.py).
inline Json golden(const std::string& part) {
  static const Json all = load_json_or_yaml(HYPERFD_SOURCE_DIR "/tests/tuner/ranker/golden.json");
  return all.at(part);
}

inline std::vector<float> floats(const Json& numbers) {
  return numbers.get<std::vector<float>>();
}

inline std::vector<double> doubles(const Json& numbers) {
  return numbers.get<std::vector<double>>();
}

// Rows of `columns` numbers, float64.
inline torch::Tensor tensor_of(const Json& numbers, std::int64_t columns) {
  return torch::tensor(doubles(numbers), torch::kFloat64).view({-1, columns});
}

// A list of lists, float32 vectors.
inline std::vector<torch::Tensor> vectors_of(const Json& lists) {
  std::vector<torch::Tensor> vectors;
  for (const Json& numbers : lists) vectors.push_back(torch::tensor(floats(numbers)));
  return vectors;
}

inline double largest_difference(const torch::Tensor& tensor, const Json& expected) {
  const torch::Tensor numbers = torch::tensor(doubles(expected), torch::kFloat64);
  return (tensor.detach().to(torch::kFloat64).reshape({-1}) - numbers).abs().max().item<double>();
}

}  // namespace hyperfd
