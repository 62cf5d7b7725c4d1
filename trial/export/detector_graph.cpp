#include "trial/export/detector_graph.h"

#include <array>

#include "trial/detector/anchors.h"
#include "trial/export/onnx_graph.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

using Levels = std::array<std::string, 3>;
constexpr double kPositionVariance = 0.1, kSizeVariance = 0.2;  // as in box_coding.cpp

// Walks the network's modules by the names of their tensors, and writes down what each one's forward() does.
class Exporter {
 public:
  Exporter(RetinaFaceImpl& network, int width, int height) : network_(network), width_(width), height_(height) {}

  std::string run(const std::map<std::string, std::string>& metadata);

 private:
  static std::shared_ptr<torch::nn::Module> find(torch::nn::Module& module, const std::string& name) {
    for (const auto& child : module.named_children()) {
      if (child.key() == name) return child.value();
    }
    throw Error("the network has no part " + name + " to export");
  }
  static bool has(torch::nn::Module& module, const std::string& name) {
    return module.named_children().contains(name);
  }

  std::string convolution(const torch::nn::Conv2dImpl& layer, const torch::Tensor& weight, const torch::Tensor& bias,
                          const std::string& input);
  std::string layers(torch::nn::Module& chain, std::string input);
  std::string residual(torch::nn::Module& block, const std::string& input);
  Levels backbone(torch::nn::Module& body, std::string input);
  Levels pyramid(torch::nn::Module& fpn, const Levels& features);
  std::string enlarge_to(const std::string& coarse, const std::string& fine, int level);
  std::string context(torch::nn::Module& ssh, const std::string& input);
  std::string head(const std::string& name, const Levels& features, std::int64_t values);
  std::string anchor_grid(const std::string& features, int level);
  void decode(const std::string& scores, const std::string& boxes, const std::string& landmarks,
              const Levels& features);
  std::string slice(const std::string& input, std::int64_t from, std::int64_t to) {
    return graph_.apply("Slice", {input, graph_.whole_numbers({from}), graph_.whole_numbers({to}),
                                  graph_.whole_numbers({2})});
  }
  std::string join(const std::vector<std::string>& inputs, std::int64_t axis) {
    const std::string output = graph_.apply("Concat", inputs);
    graph_.set("axis", axis);
    return output;
  }
  bool any_size() const { return width_ == 0; }

  RetinaFaceImpl& network_;
  int width_, height_;
  OnnxGraph graph_;
};

std::string Exporter::convolution(const torch::nn::Conv2dImpl& layer, const torch::Tensor& weight,
                                  const torch::Tensor& bias, const std::string& input) {
  const auto& options = layer.options;
  const std::int64_t kernel = weight.size(2), stride = options.stride()->at(0);
  const std::string output = graph_.apply("Conv", {input, graph_.constant(weight), graph_.constant(bias)});
  // Every convolution of the detector is padded so that stride 1 keeps the size.
  graph_.set_list("kernel_shape", {kernel, kernel}).set_list("strides", {stride, stride});
  graph_.set_list("pads", std::vector<std::int64_t>(4, kernel / 2)).set("group", options.groups());
  return output;
}

std::string Exporter::layers(torch::nn::Module& chain, std::string x) {
  const auto children = chain.children();
  for (std::size_t i = 0; i < children.size(); ++i) {
    torch::nn::Module& layer = *children[i];
    if (const auto* conv = layer.as<torch::nn::Conv2d>()) {
      torch::Tensor weight = conv->weight;
      torch::Tensor bias = conv->bias.defined() ? conv->bias : torch::zeros({weight.size(0)});
      const auto* norm = i + 1 < children.size() ? children[i + 1]->as<torch::nn::BatchNorm2d>() : nullptr;
      if (norm) {
        const torch::Tensor factor = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
        weight = weight * factor.view({-1, 1, 1, 1});
        bias = norm->bias + (bias - norm->running_mean) * factor;
        ++i;
      }
      x = convolution(*conv, weight, bias, x);
    } else if (const auto* leaky = layer.as<torch::nn::LeakyReLU>()) {
      x = graph_.apply("LeakyRelu", {x});
      graph_.set("alpha", static_cast<float>(leaky->options.negative_slope()));
    } else if (layer.as<torch::nn::Identity>()) {
      continue;
    } else if (has(layer, "depthwise") && has(layer, "project")) {
      x = residual(layer, x);
    } else if (!layer.children().empty()) {
      x = layers(layer, x);
    } else {
      throw Error("a layer of type " + layer.name() + " cannot be exported");
    }
  }
  return x;
}

std::string Exporter::residual(torch::nn::Module& block, const std::string& input) {
  const auto convolution_of = [&](const std::string& name) { return find(block, name)->children()[0]->as<torch::nn::Conv2d>(); };
  const bool expands = has(block, "expand");
  const std::string inner = expands ? layers(*find(block, "expand"), input) : input;
  const std::string output = layers(*find(block, "project"), layers(*find(block, "depthwise"), inner));
  const auto* first = convolution_of(expands ? "expand" : "depthwise");
  const bool adds_input = convolution_of("depthwise")->options.stride()->at(0) == 1 &&
                          first->options.in_channels() == convolution_of("project")->options.out_channels();
  return adds_input ? graph_.apply("Add", {input, output}) : output;
}

// Features are taken after the last three stages of a backbone with three, and after stages 3, 5 and 7 of one with seven.
Levels Exporter::backbone(torch::nn::Module& body, std::string x) {
  if (has(body, "stem")) x = layers(*find(body, "stem"), x);
  const int between = has(body, "stage7") ? 2 : 1;
  Levels features;
  const int first = between == 2 ? 3 : 1;
  for (int stage = 1, level = 0; level < 3; ++stage) {
    x = layers(*find(body, "stage" + std::to_string(stage)), x);
    if (stage == first + level * between) features.at(static_cast<std::size_t>(level++)) = x;
  }
  return features;
}

std::string Exporter::enlarge_to(const std::string& coarse, const std::string& fine, int level) {
  const auto side = [&](int pixels) { return (pixels + kStrides[level] - 1) / kStrides[level]; };
  std::string sizes;
  if (any_size()) {
    const auto cut = [&](const std::string& value, std::int64_t from, std::int64_t to) {
      return graph_.apply("Slice", {graph_.apply("Shape", {value}), graph_.whole_numbers({from}),
                                    graph_.whole_numbers({to})});
    };
    sizes = join({cut(coarse, 0, 2), cut(fine, 2, 4)}, 0);
  } else {
    sizes = graph_.whole_numbers({1, network_.options().channels, side(height_), side(width_)});
  }
  const std::string output =
      graph_.apply("Resize", {coarse, graph_.constant(torch::empty({0})), graph_.constant(torch::empty({0})), sizes});
  graph_.set("mode", std::string("nearest")).set("nearest_mode", std::string("floor"));
  graph_.set("coordinate_transformation_mode", std::string("asymmetric"));
  return output;
}

Levels Exporter::pyramid(torch::nn::Module& fpn, const Levels& features) {
  Levels out;
  for (std::size_t i = 0; i < 3; ++i) out[i] = layers(*find(fpn, "output" + std::to_string(i + 1)), features[i]);
  out[1] = layers(*find(fpn, "merge2"), graph_.apply("Add", {out[1], enlarge_to(out[2], out[1], 1)}));
  out[0] = layers(*find(fpn, "merge1"), graph_.apply("Add", {out[0], enlarge_to(out[1], out[0], 0)}));
  return out;
}

std::string Exporter::context(torch::nn::Module& ssh, const std::string& input) {
  const std::string shared = layers(*find(ssh, "conv5X5_1"), input);
  const std::string field3 = layers(*find(ssh, "conv3X3"), input), field5 = layers(*find(ssh, "conv5X5_2"), shared),
                    field7 = layers(*find(ssh, "conv7x7_3"), layers(*find(ssh, "conv7X7_2"), shared));
  return graph_.apply("Relu", {join({field3, field5, field7}, 1)});
}

// [batch, anchors, values] of all levels.
std::string Exporter::head(const std::string& name, const Levels& features, std::int64_t values) {
  std::vector<std::string> levels;
  const auto list = find(network_, name);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto module = find(*find(*list, std::to_string(i)), "conv1x1");
    const auto& conv = *module->as<torch::nn::Conv2d>();
    torch::Tensor weight = conv.weight, bias = conv.bias;
    if (name == "ClassHead") {  // the softmax of two logits is the sigmoid of their difference
      const auto difference = [](const torch::Tensor& t) { return t.slice(0, 1, {}, 2) - t.slice(0, 0, {}, 2); };
      weight = difference(weight);
      bias = difference(bias);
    }
    const std::string moved = graph_.apply("Transpose", {convolution(conv, weight, bias, features[i])});
    graph_.set_list("perm", {0, 2, 3, 1});
    const std::vector<std::int64_t> shape =
        values == 1 ? std::vector<std::int64_t>{0, -1} : std::vector<std::int64_t>{0, -1, values};
    levels.push_back(graph_.apply("Reshape", {moved, graph_.whole_numbers(shape)}));
  }
  return join(levels, 1);
}

// The anchors of one level as make_anchors() gives them, [1, anchors, 4], for a size that the graph finds out.
std::string Exporter::anchor_grid(const std::string& features, int level) {
  const double stride = kStrides[level];
  const std::string shape = graph_.apply("Shape", {features});
  const auto side = [&](std::int64_t axis) {
    return graph_.apply("Gather", {shape, graph_.constant(torch::tensor(axis, torch::kLong))});
  };
  const auto positions = [&](const std::string& count, const std::vector<std::int64_t>& where) {
    const std::string range = graph_.apply("Range", {graph_.constant(torch::tensor(std::int64_t{0}, torch::kLong)), count,
                                                     graph_.constant(torch::tensor(std::int64_t{1}, torch::kLong))});
    const std::string number = graph_.apply("Cast", {range});
    graph_.set("to", std::int64_t{onnx::TensorProto::FLOAT});
    const std::string pixels = graph_.apply(
        "Mul", {graph_.apply("Add", {number, graph_.constant(0.5)}), graph_.constant(stride)});
    return graph_.apply("Reshape", {pixels, graph_.whole_numbers(where)});
  };
  torch::Tensor sizes = torch::empty({1, 1, kAnchorsPerLocation, 2});
  for (int i = 0; i < kAnchorsPerLocation; ++i) {
    sizes.select(2, i).fill_(network_.options().anchor_sizes[static_cast<std::size_t>(level * kAnchorsPerLocation + i)]);
  }
  const std::string rows = side(2), columns = side(3);
  const auto as_list = [&](const std::string& number) {
    const std::string list = graph_.apply("Unsqueeze", {number});
    graph_.set_list("axes", {0});
    return list;
  };
  const auto spread = [&](const std::string& value, std::int64_t values) {
    return graph_.apply("Expand", {value, join({as_list(rows), as_list(columns),
                                                graph_.whole_numbers({kAnchorsPerLocation, values})}, 0)});
  };
  const std::string grid = join({spread(positions(columns, {1, -1, 1, 1}), 1), spread(positions(rows, {-1, 1, 1, 1}), 1),
                                 spread(graph_.constant(sizes), 2)}, 3);
  return graph_.apply("Reshape", {grid, graph_.whole_numbers({1, -1, 4})});
}

// decode_boxes() and decode_landmarks(), with names and shapes of docs/onnx.md.
void Exporter::decode(const std::string& scores, const std::string& boxes, const std::string& landmarks,
                      const Levels& features) {
  std::int64_t anchors = -1;
  std::string centre, step;  // [1, anchors, 2]; the step is what an encoded 1 moves a centre by
  if (any_size()) {
    const std::string all = join({anchor_grid(features[0], 0), anchor_grid(features[1], 1), anchor_grid(features[2], 2)}, 1);
    centre = slice(all, 0, 2);
    step = graph_.apply("Mul", {slice(all, 2, 4), graph_.constant(kPositionVariance)});
  } else {
    const torch::Tensor all = make_anchors(height_, width_, network_.options().anchor_sizes).unsqueeze(0);
    anchors = all.size(1);
    centre = graph_.constant(all.slice(2, 0, 2));
    step = graph_.constant(all.slice(2, 2, 4) * kPositionVariance);
  }
  const auto moved = [&](const std::string& encoded, const std::string& by, const std::string& from) {
    return graph_.apply("Add", {graph_.apply("Mul", {encoded, by}), from});
  };
  const std::string box_centre = moved(slice(boxes, 0, 2), step, centre);
  const std::string growth =
      graph_.apply("Exp", {graph_.apply("Mul", {slice(boxes, 2, 4), graph_.constant(kSizeVariance)})});
  const std::string half =
      graph_.apply("Mul", {graph_.apply("Mul", {growth, step}), graph_.constant(0.5 / kPositionVariance)});
  const std::string corners =
      join({graph_.apply("Sub", {box_centre, half}), graph_.apply("Add", {box_centre, half})}, 2);
  std::vector<std::string> points;
  for (std::int64_t i = 0; i < 5; ++i) points.push_back(moved(slice(landmarks, 2 * i, 2 * i + 2), step, centre));
  const std::int64_t batch = any_size() ? -1 : 1;
  graph_.add_output("scores", graph_.apply("Sigmoid", {scores}), {batch, anchors}, {"batch", "anchors"});
  graph_.add_output("boxes", corners, {batch, anchors, 4}, {"batch", "anchors", ""});
  graph_.add_output("landmarks", join(points, 2), {batch, anchors, 10}, {"batch", "anchors", ""});
}

std::string Exporter::run(const std::map<std::string, std::string>& metadata) {
  torch::NoGradGuard no_gradient;
  graph_.add_input("image", {any_size() ? -1 : 1, 3, any_size() ? -1 : height_, any_size() ? -1 : width_},
                   {"batch", "", "height", "width"});
  const torch::Tensor mean = -normalise_pixels(torch::zeros({1, 1, 1, 3}, torch::kByte), torch::kCPU);
  const std::string pixels = graph_.apply("Sub", {"image", graph_.constant(mean)});
  Levels features = pyramid(*find(network_, "fpn"), backbone(*find(network_, "body"), pixels));
  for (std::size_t i = 0; i < 3; ++i) features[i] = context(*find(network_, "ssh" + std::to_string(i + 1)), features[i]);
  const std::string scores = head("ClassHead", features, 1), boxes = head("BboxHead", features, 4),
                    landmarks = head("LandmarkHead", features, 10);
  decode(scores, boxes, landmarks, features);
  return graph_.serialise(metadata);
}

}  // namespace

std::string export_detector(RetinaFaceImpl& network, int width, int height,
                            const std::map<std::string, std::string>& metadata) {
  return Exporter(network, width, height).run(metadata);
}

}  // namespace hyperfd
