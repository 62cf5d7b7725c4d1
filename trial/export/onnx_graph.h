#pragma once

#include <map>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <onnx/onnx_pb.h>

namespace hyperfd {

// An ONNX graph (opset 11) that is built node by node. A value is known by its name, which is made up here.
class OnnxGraph {
 public:
  // −1 stands for a dimension that is known only when the graph runs, called `free_names[i]`.
  void add_input(const std::string& name, const std::vector<std::int64_t>& shape,
                 const std::vector<std::string>& free_names);
  void add_output(const std::string& name, const std::string& value, const std::vector<std::int64_t>& shape,
                  const std::vector<std::string>& free_names);

  // Of type float or int64; copied.
  std::string constant(const torch::Tensor& tensor);
  std::string constant(double number) { return constant(torch::tensor({static_cast<float>(number)})); }
  std::string whole_numbers(const std::vector<std::int64_t>& numbers);

  // An operation with one output. An empty input is one that is left out.
  std::string apply(const std::string& operation, const std::vector<std::string>& inputs);
  // The node that apply() added last, for its attributes.
  OnnxGraph& set(const std::string& attribute, std::int64_t value);
  OnnxGraph& set(const std::string& attribute, float value);
  OnnxGraph& set(const std::string& attribute, const std::string& value);
  OnnxGraph& set_list(const std::string& attribute, const std::vector<std::int64_t>& value);

  // The file's bytes.
  std::string serialise(const std::map<std::string, std::string>& metadata) const;

 private:
  onnx::AttributeProto& attribute(const std::string& name, onnx::AttributeProto::AttributeType type);

  onnx::GraphProto graph_;
};

}  // namespace hyperfd
