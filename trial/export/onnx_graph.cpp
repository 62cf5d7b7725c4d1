#include "trial/export/onnx_graph.h"

#include "tuner/base/error.h"
#include "tuner/base/version.h"

namespace hyperfd {
namespace {

constexpr int kOpset = 11;      // the newest that OpenCV 4.6 reads throughout
constexpr int kFileFormat = 6;  // ONNX's IR version of that opset

void describe(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& shape,
              const std::vector<std::string>& free_names) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    auto& dimension = *type.mutable_shape()->add_dim();
    if (shape[i] < 0) {
      dimension.set_dim_param(free_names.at(i));
    } else {
      dimension.set_dim_value(shape[i]);
    }
  }
}

}  // namespace

void OnnxGraph::add_input(const std::string& name, const std::vector<std::int64_t>& shape,
                          const std::vector<std::string>& free_names) {
  describe(*graph_.add_input(), name, shape, free_names);
}

void OnnxGraph::add_output(const std::string& name, const std::string& value, const std::vector<std::int64_t>& shape,
                           const std::vector<std::string>& free_names) {
  // Renamed where it is made, rather than copied by an Identity node, which OpenCV drops together with its name.
  for (auto& node : *graph_.mutable_node()) {
    for (auto& output : *node.mutable_output()) {
      if (output == value) output = name;
    }
    for (auto& input : *node.mutable_input()) {
      if (input == value) input = name;
    }
  }
  describe(*graph_.add_output(), name, shape, free_names);
}

std::string OnnxGraph::constant(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
  auto& proto = *graph_.add_initializer();
  proto.set_name("constant" + std::to_string(graph_.initializer_size()));
  proto.set_data_type(plain.scalar_type() == torch::kLong ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT);
  for (const std::int64_t size : plain.sizes()) proto.add_dims(size);
  proto.set_raw_data(plain.data_ptr(), plain.nbytes());
  return proto.name();
}

std::string OnnxGraph::whole_numbers(const std::vector<std::int64_t>& numbers) {
  return constant(torch::tensor(numbers, torch::kLong));
}

std::string OnnxGraph::apply(const std::string& operation, const std::vector<std::string>& inputs) {
  auto& node = *graph_.add_node();
  node.set_op_type(operation);
  node.set_name(operation + std::to_string(graph_.node_size()));
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(node.name() + "_output");
  return node.output(0);
}

onnx::AttributeProto& OnnxGraph::attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
  auto& added = *graph_.mutable_node(graph_.node_size() - 1)->add_attribute();
  added.set_name(name);
  added.set_type(type);
  return added;
}

OnnxGraph& OnnxGraph::set(const std::string& name, std::int64_t value) {
  attribute(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

OnnxGraph& OnnxGraph::set(const std::string& name, float value) {
  attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

OnnxGraph& OnnxGraph::set(const std::string& name, const std::string& value) {
  attribute(name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

OnnxGraph& OnnxGraph::set_list(const std::string& name, const std::vector<std::int64_t>& value) {
  auto& added = attribute(name, onnx::AttributeProto::INTS);
  for (const std::int64_t number : value) added.add_ints(number);
  return *this;
}

std::string OnnxGraph::serialise(const std::map<std::string, std::string>& metadata) const {
  onnx::ModelProto model;
  model.set_ir_version(kFileFormat);
  model.set_producer_name("hyperfd-trial");
  model.set_producer_version(kVersion);
  model.add_opset_import()->set_version(kOpset);
  *model.mutable_graph() = graph_;
  model.mutable_graph()->set_name("detector");
  for (const auto& [key, value] : metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  std::string bytes;
  if (!model.SerializeToString(&bytes)) throw Error("the ONNX graph cannot be written");
  return bytes;
}

}  // namespace hyperfd
