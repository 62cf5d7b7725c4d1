#include "trial/detector/convolution.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <dnnl.hpp>

#include "trial/detector/depthwise_gradient.h"

namespace hyperfd {
namespace {

using dnnl::convolution_backward_data;
using dnnl::convolution_backward_weights;
using dnnl::convolution_forward;
using dnnl::memory;
using Sizes = std::vector<std::int64_t>;

constexpr auto kDirect = dnnl::algorithm::convolution_direct;
constexpr auto kSingle = memory::data_type::f32;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory memory_of(const memory::desc& desc, const torch::Tensor& tensor) {
  return memory(desc, cpu(), tensor.data_ptr());
}

torch::Tensor bytes_for(const memory::desc& desc) {
  return torch::empty({static_cast<std::int64_t>(desc.get_size())}, torch::kByte);
}

torch::Tensor channels_last(const Sizes& sizes, torch::ScalarType type) {
  return torch::empty(sizes, torch::dtype(type).memory_format(torch::MemoryFormat::ChannelsLast));
}

// Weights, [out, in / groups, height, width], as oneDNN sees them: it names the groups where there are several.
memory::desc weight_desc(const torch::Tensor& weight, std::int64_t groups) {
  Sizes sizes = weight.sizes().vec(), strides = weight.strides().vec();
  if (groups > 1) {
    sizes[0] /= groups;
    sizes.insert(sizes.begin(), groups);
    strides.insert(strides.begin(), sizes[1] * strides[0]);
  }
  return {sizes, kSingle, strides};
}

// The same numbers in another order or precision.
void reorder(const memory::desc& from, const torch::Tensor& source, const memory::desc& to,
             const torch::Tensor& target) {
  memory given = memory_of(from, source), wanted = memory_of(to, target);
  dnnl::stream stream(cpu());
  dnnl::reorder(given, wanted).execute(stream, given, wanted);
  stream.wait();
}

torch::Tensor reordered(const memory::desc& from, const torch::Tensor& source, const memory::desc& to) {
  if (from == to) return source;
  const torch::Tensor target = bytes_for(to);
  reorder(from, source, to, target);
  return target;
}

// Whether oneDNN found a way, other than the loops that it is tested against.
template <typename Description>
bool can(const Description& description) {
  return description && std::strncmp(description.impl_info_str(), "ref", 3) != 0;
}

// Runs a primitive with a scratchpad of its own, so that threads do not share one.
template <typename Description>
void execute(const dnnl::primitive& primitive, const Description& description,
             std::unordered_map<int, memory> arguments) {
  const torch::Tensor scratchpad = bytes_for(description.scratchpad_desc());
  arguments.emplace(DNNL_ARG_SCRATCHPAD, memory_of(description.scratchpad_desc(), scratchpad));
  dnnl::stream stream(cpu());
  primitive.execute(stream, arguments);
  stream.wait();
}

bool is_pointwise(const torch::nn::detail::ConvNdOptions<2>& options) {
  const auto all = [](const torch::ExpandingArray<2>& pair, std::int64_t value) {
    return pair->at(0) == value && pair->at(1) == value;
  };
  return options.groups() == 1 && all(options.kernel_size(), 1) && all(options.stride(), 1) &&
         all(c10::get<torch::ExpandingArray<2>>(options.padding()), 0);
}

// 1×1 convolutions are evaluated so many pixels at a time, of `count`, so that oneDNN has kernels to make for a few
// numbers of pixels instead of for each size of an image. The last ones of a run may be computed twice.
std::int64_t pixels_at_a_time(std::int64_t count) {
  const std::int64_t most = 4096 * at::get_num_threads();
  std::int64_t some = 64;
  while (some < most && some * 16 <= count) some *= 2;
  return std::min(some, count);
}

}  // namespace

// How oneDNN convolves inputs of one size and precision.
struct ConvolutionImpl::Plan : torch::CustomClassHolder {
  Sizes input, output;
  torch::ScalarType type = torch::kFloat;
  double slope = 1;
  bool training = false;
  bool depthwise = false;  // the weights' gradient is depthwise_weight_gradient's
  std::int64_t stride = 1, padding = 0;

  memory::desc own_weight, bias, from, to;
  convolution_forward::primitive_desc description;
  convolution_forward primitive;
  // In evaluation mode: the weights as `description` wants them, and the version of the module's that they are.
  torch::Tensor packed;
  std::uint32_t version = 0;
  // In training.
  convolution_backward_data::primitive_desc to_input;
  convolution_backward_data input_primitive;
  convolution_backward_weights::primitive_desc to_weight;
  convolution_backward_weights weight_primitive;

  // False if oneDNN cannot.
  bool make(const ConvolutionImpl& layer);
  torch::Tensor forward(const torch::Tensor& pixels, const torch::Tensor& weight, const torch::Tensor& bias) const;
  // A 1×1 convolution of more pixels than the plan is for.
  torch::Tensor forward_in_parts(const torch::Tensor& pixels, const torch::Tensor& bias) const;
  torch::Tensor input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight) const;
  // Of the weight and, where there is one, the bias.
  std::pair<torch::Tensor, torch::Tensor> weight_gradient(const torch::Tensor& gradient, const torch::Tensor& pixels,
                                                          const torch::Tensor& weight) const;
};

bool ConvolutionImpl::Plan::make(const ConvolutionImpl& layer) {
  const auto& options = layer.options;
  const auto& around = c10::get<torch::ExpandingArray<2>>(options.padding());
  const Sizes strides(options.stride()->begin(), options.stride()->end());
  const Sizes margins(around->begin(), around->end());
  output = {input[0], options.out_channels()};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t room = input[2 + i] + 2 * margins[i] - layer.weight.size(2 + static_cast<std::int64_t>(i));
    if (room < 0) return false;
    output.push_back(room / strides[i] + 1);
  }

  const auto numbers = type == torch::kBFloat16 ? memory::data_type::bf16 : kSingle;
  using Tag = memory::format_tag;
  own_weight = weight_desc(layer.weight, options.groups());
  from = {input, numbers, Tag::nhwc};
  to = {output, numbers, Tag::nhwc};
  if (layer.bias.defined()) bias = {{layer.bias.size(0)}, kSingle, Tag::a};
  const memory::desc weight(own_weight.dims(), numbers, Tag::any);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::primitive_attr plain = attributes;
  if (slope != 1) {
    dnnl::post_ops activation;
    activation.append_eltwise(1, dnnl::algorithm::eltwise_relu, static_cast<float>(slope), 0);
    attributes.set_post_ops(activation);
  }
  constexpr bool kMayFail = true;
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  description = {{kind, kDirect, from, weight, bias, to, strides, margins, margins}, attributes, cpu(), kMayFail};
  if (!can(description)) return false;
  primitive = convolution_forward(description);
  if (!training) return true;

  to_input = {{kDirect, from, weight, to, strides, margins, margins}, plain, cpu(), description, kMayFail};
  const memory::desc weight_gradient(own_weight.dims(), kSingle, Tag::any);
  to_weight = {
      {kDirect, from, weight_gradient, bias, to, strides, margins, margins}, plain, cpu(), description, kMayFail};
  if (!can(to_input) || !can(to_weight)) return false;
  stride = strides[0];
  padding = margins[0];
  depthwise = options.groups() == input[1] && options.groups() == output[1] && type == torch::kFloat &&
              stride == strides[1] && padding == margins[1] && has_depthwise_weight_gradient(layer.weight);
  input_primitive = convolution_backward_data(to_input);
  weight_primitive = convolution_backward_weights(to_weight);
  return true;
}

torch::Tensor ConvolutionImpl::Plan::forward(const torch::Tensor& pixels, const torch::Tensor& weight,
                                             const torch::Tensor& shift) const {
  const torch::Tensor result = channels_last(output, type);
  const torch::Tensor ready = packed.defined() ? packed : reordered(own_weight, weight, description.weights_desc());
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, memory_of(from, pixels)},
                                               {DNNL_ARG_WEIGHTS, memory_of(description.weights_desc(), ready)},
                                               {DNNL_ARG_DST, memory_of(to, result)}};
  if (shift.defined()) arguments.emplace(DNNL_ARG_BIAS, memory_of(bias, shift));
  execute(primitive, description, std::move(arguments));
  return result;
}

torch::Tensor ConvolutionImpl::Plan::forward_in_parts(const torch::Tensor& pixels, const torch::Tensor& shift) const {
  const torch::Tensor result = channels_last({pixels.size(0), output[1], pixels.size(2), pixels.size(3)}, type);
  const torch::Tensor scratchpad = bytes_for(description.scratchpad_desc());
  memory source = memory_of(from, pixels), target = memory_of(to, result);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, source},
      {DNNL_ARG_WEIGHTS, memory_of(description.weights_desc(), packed)},
      {DNNL_ARG_DST, target},
      {DNNL_ARG_SCRATCHPAD, memory_of(description.scratchpad_desc(), scratchpad)}};
  if (shift.defined()) arguments.emplace(DNNL_ARG_BIAS, memory_of(bias, shift));
  const std::int64_t count = pixels.numel() / input[1], part = input[3];
  const auto size = static_cast<std::int64_t>(pixels.element_size());
  dnnl::stream stream(cpu());
  for (std::int64_t begin = 0; begin < count; begin += part) {
    const std::int64_t first = std::min(begin, count - part);
    source.set_data_handle(static_cast<char*>(pixels.data_ptr()) + first * input[1] * size);
    target.set_data_handle(static_cast<char*>(result.data_ptr()) + first * output[1] * size);
    primitive.execute(stream, arguments);
  }
  stream.wait();
  return result;
}

torch::Tensor ConvolutionImpl::Plan::input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight) const {
  const torch::Tensor result = channels_last(input, type);
  const torch::Tensor ready = reordered(own_weight, weight, to_input.weights_desc());
  execute(input_primitive, to_input,
          {{DNNL_ARG_DIFF_DST, memory_of(to, gradient)},
           {DNNL_ARG_WEIGHTS, memory_of(to_input.weights_desc(), ready)},
           {DNNL_ARG_DIFF_SRC, memory_of(from, result)}});
  return result;
}

std::pair<torch::Tensor, torch::Tensor> ConvolutionImpl::Plan::weight_gradient(const torch::Tensor& gradient,
                                                                               const torch::Tensor& pixels,
                                                                               const torch::Tensor& weight) const {
  if (depthwise) {
    return {depthwise_weight_gradient(pixels, gradient, weight, stride, padding),
            bias ? gradient.sum({0, 2, 3}) : torch::Tensor()};
  }
  const memory::desc made = to_weight.diff_weights_desc();
  const torch::Tensor result = torch::empty_like(weight);
  const torch::Tensor raw = made == own_weight ? result : bytes_for(made);
  const torch::Tensor shift = bias ? torch::empty({bias.dims()[0]}) : torch::Tensor();
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_DIFF_DST, memory_of(to, gradient)},
                                               {DNNL_ARG_SRC, memory_of(from, pixels)},
                                               {DNNL_ARG_DIFF_WEIGHTS, memory_of(made, raw)}};
  if (shift.defined()) arguments.emplace(DNNL_ARG_DIFF_BIAS, memory_of(bias, shift));
  execute(weight_primitive, to_weight, std::move(arguments));
  if (made != own_weight) reorder(made, raw, own_weight, result);
  return {result, shift};
}

class ConvolutionImpl::Function : public torch::autograd::Function<Function> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& weight, const c10::optional<torch::Tensor>& bias,
                               const c10::intrusive_ptr<Plan>& plan) {
    context->save_for_backward({input, weight});
    context->saved_data["plan"] = c10::IValue::make_capsule(plan);
    context->saved_data["input"] = input.requires_grad();
    context->saved_data["weight"] = weight.requires_grad();
    return plan->forward(input, weight, bias.value_or(torch::Tensor()));
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               const torch::autograd::tensor_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["plan"].toCapsule();
    const Plan& plan = static_cast<const Plan&>(*capsule);
    const torch::Tensor gradient = gradients[0].to(plan.type).contiguous(torch::MemoryFormat::ChannelsLast);
    torch::Tensor of_input, of_weight, of_bias;
    if (context->saved_data["input"].toBool()) of_input = plan.input_gradient(gradient, saved[1]);
    if (context->saved_data["weight"].toBool())
      std::tie(of_weight, of_bias) = plan.weight_gradient(gradient, saved[0], saved[1]);
    return {of_input, of_weight, of_bias, torch::Tensor()};
  }
};

ConvolutionImpl::ConvolutionImpl(const torch::nn::Conv2dOptions& of) : Conv2dImpl(of) {}
ConvolutionImpl::~ConvolutionImpl() = default;

void ConvolutionImpl::train(bool on) {
  Conv2dImpl::train(on);
  // Optimisers may write into weights without their knowing: what was packed is stale.
  const std::lock_guard lock(mutex_);
  plan_.reset();
}

c10::intrusive_ptr<ConvolutionImpl::Plan> ConvolutionImpl::plan_for(c10::IntArrayRef sizes, torch::ScalarType type,
                                                                    double slope, bool training) {
  const std::lock_guard lock(mutex_);
  if (plan_ && sizes == plan_->input && type == plan_->type && slope == plan_->slope && training == plan_->training &&
      (training || weight._version() == plan_->version))
    return plan_;
  auto plan = c10::make_intrusive<Plan>();
  plan->input = sizes.vec();
  plan->type = type;
  plan->slope = slope;
  plan->training = training;
  if (!plan->make(*this)) return {};
  if (!training) {
    plan->version = weight._version();
    const memory::desc wanted = plan->description.weights_desc();
    const bool same =
        plan_ && !plan_->training && plan_->version == plan->version && plan_->description.weights_desc() == wanted;
    plan->packed = same ? plan_->packed : reordered(plan->own_weight, weight, wanted);
  }
  plan_ = plan;
  return plan;
}

torch::Tensor ConvolutionImpl::forward(const torch::Tensor& given, double slope) {
  const auto activated = [slope](torch::Tensor output) {
    return slope == 1 ? output : torch::leaky_relu_(output, slope);
  };
  torch::Tensor input = given;
  const bool usual = given.device().is_cpu() && weight.device().is_cpu() && weight.scalar_type() == torch::kFloat &&
                     given.dim() == 4 && given.numel() > 0 && given.size(1) == options.in_channels() &&
                     given.is_contiguous(torch::MemoryFormat::ChannelsLast);
  if (usual && at::autocast::is_cpu_enabled()) input = input.to(at::autocast::get_autocast_cpu_dtype());
  if (usual && (input.scalar_type() == torch::kFloat || input.scalar_type() == torch::kBFloat16)) {
    const bool gradients = torch::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad());
    // What is packed for evaluation must not change under it.
    const bool fused = !gradients && !is_training();
    const bool in_parts = fused && is_pointwise(options);
    const Sizes part = {1, input.size(1), 1, pixels_at_a_time(input.numel() / input.size(1))};
    if (const auto plan = plan_for(in_parts ? part : input.sizes(), input.scalar_type(), fused ? slope : 1, !fused)) {
      if (in_parts) return plan->forward_in_parts(input, bias);
      if (fused) return plan->forward(input, weight, bias);
      return activated(
          Function::apply(input, weight, bias.defined() ? c10::optional<torch::Tensor>(bias) : c10::nullopt, plan));
    }
  }
  return activated(Conv2dImpl::forward(given));
}

}  // namespace hyperfd
