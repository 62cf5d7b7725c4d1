#pragma once

#include <string>
#include <vector>

#include "tuner/space/layers.h"

namespace hyperfd {

// What an architecture template may say of an operator. 0 where the operator does not take it.
struct OperatorSettings {
  int kernel = 0, expansion = 0, width = 0, stride = 1;
};

// A kind of node of an architecture. A new one is a line in the table of operators.cpp.
struct Operator {
  std::string name;
  bool takes_kernel, takes_expansion, takes_width, takes_stride;
  bool adds_input;  // where shapes agree: the operator is a residual block of its own
  FeatureMap (*apply)(Cost& cost, const FeatureMap& in, const OperatorSettings& settings);
};

const std::vector<Operator>& operators();
// nullptr if there is none of this name.
const Operator* find_operator(const std::string& name);
std::vector<std::string> operator_names();

}  // namespace hyperfd
