#include "trial/detector/parameter_remapping.h"

#include <algorithm>
#include <numeric>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// For each channel of the new layer the channel of the old one that it is made from.
using Channels = std::vector<std::int64_t>;

Channels first_channels(std::int64_t from, std::int64_t to) {
  Channels channels(static_cast<std::size_t>(to));
  for (std::size_t i = 0; i < channels.size(); ++i) channels[i] = static_cast<std::int64_t>(i) % from;
  return channels;
}

bool is_plain(const Channels& channels, std::int64_t from) {
  return channels == first_channels(from, from);
}

torch::Tensor pick(const torch::Tensor& tensor, std::int64_t dimension, const Channels& channels) {
  return tensor.index_select(dimension, torch::tensor(channels, torch::kLong));
}

// A channel that is repeated is read by as many weights, which share its weight out.
torch::Tensor pick_inputs(const torch::Tensor& weight, const Channels& channels) {
  const torch::Tensor index = torch::tensor(channels, torch::kLong);
  const torch::Tensor repeats = torch::bincount(index, {}, weight.size(1)).index_select(0, index);
  return weight.index_select(1, index) / repeats.to(weight.dtype()).view({1, -1, 1, 1});
}

torch::Tensor resize_kernel(const torch::Tensor& weight, std::int64_t kernel) {
  // Negative padding crops.
  const std::int64_t margin = (kernel - weight.size(2)) / 2;
  return torch::constant_pad_nd(weight, {margin, margin, margin, margin}, 0);
}

class Remapper {
 public:
  Remapper(const Weights& source, ChannelChoice choice) : source_(source), choice_(choice) {}

  Remapping run(const Architecture& from, const Architecture& to, std::string description) {
    result_.weights.description = std::move(description);
    copy_all_but_the_body();
    Channels stream = choose("body.stem.1", from.stem_width, to.stem_width);
    convolution("body.stem", "body.stem", {from.stem_width, 3, 3, 3}, first_channels(3, 3), stream);
    int width = from.stem_width;
    for (std::size_t i = 0; i < to.stages.size(); ++i) {
      stream = stage("body.stage" + std::to_string(i + 1), from.stages[i], to.stages[i], width, stream);
      width = from.stages[i].width;
      if (i == 2) pyramid_input("fpn.output1.0.weight", width, stream);
      if (i == 4) pyramid_input("fpn.output2.0.weight", width, stream);
      if (i == 6) pyramid_input("fpn.output3.0.weight", width, stream);
    }
    return std::move(result_);
  }

 private:
  // `expected`: one size a dimension; −1 for any.
  const torch::Tensor& tensor(const std::string& name, const std::vector<std::int64_t>& expected) const {
    const auto found = source_.tensors.find(name);
    if (found == source_.tensors.end()) throw InputError("parameter remapping: tensor " + name + " is missing");
    bool fits = found->second.dim() == static_cast<std::int64_t>(expected.size());
    for (std::size_t i = 0; fits && i < expected.size(); ++i) {
      fits = expected[i] < 0 || found->second.size(static_cast<std::int64_t>(i)) == expected[i];
    }
    if (!fits) {
      throw InputError("parameter remapping: tensor " + name + ": expected shape " +
                       c10::str(c10::IntArrayRef(expected)) + ", got " + c10::str(found->second.sizes()));
    }
    return found->second;
  }

  void copy_all_but_the_body() {
    for (const auto& [name, value] : source_.tensors) {
      if (name.compare(0, 5, "body.") != 0) result_.weights.tensors[name] = value.clone();
    }
  }

  // `importance`: of each old channel, made from the |γ| of what writes it.
  Channels choose(std::int64_t from, std::int64_t to, const torch::Tensor& importance) const {
    if (choice_ == ChannelChoice::kFirst || to >= from) return first_channels(from, to);
    const auto order = std::get<1>(importance.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
    Channels channels;
    for (std::int64_t i = 0; i < to; ++i) channels.push_back(order[i].item<std::int64_t>());
    std::sort(channels.begin(), channels.end());
    return channels;
  }
  Channels choose(const std::string& batch_norm, std::int64_t from, std::int64_t to) const {
    return choose(from, to, tensor(batch_norm + ".weight", {from}).abs());
  }

  void batch_norm(const std::string& old_name, const std::string& name, std::int64_t from, const Channels& channels) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      result_.weights.tensors[name + part] = pick(tensor(old_name + part, {from}), 0, channels);
    }
    const auto counter = source_.tensors.find(old_name + ".num_batches_tracked");
    if (counter != source_.tensors.end()) {
      result_.weights.tensors[name + ".num_batches_tracked"] = counter->second.clone();
    }
  }

  // A convolution that reads all channels, and the batch norm after it.
  void convolution(const std::string& old_name, const std::string& name, const std::vector<std::int64_t>& shape,
                   const Channels& inputs, const Channels& outputs) {
    const torch::Tensor& weight = tensor(old_name + ".0.weight", shape);
    result_.weights.tensors[name + ".0.weight"] = pick(pick_inputs(weight, inputs), 0, outputs);
    batch_norm(old_name + ".1", name + ".1", shape[0], outputs);
    report(old_name, name, {change("inputs", shape[1], inputs), change("channels", shape[0], outputs)});
  }

  void depthwise(const std::string& old_name, const std::string& name, std::int64_t from, std::int64_t old_kernel,
                 std::int64_t kernel, const Channels& channels) {
    const torch::Tensor& weight = tensor(old_name + ".0.weight", {from, 1, old_kernel, old_kernel});
    result_.weights.tensors[name + ".0.weight"] = resize_kernel(pick(weight, 0, channels), kernel).contiguous();
    batch_norm(old_name + ".1", name + ".1", from, channels);
    std::string resized;
    if (kernel != old_kernel) {
      resized = "kernel " + std::to_string(old_kernel) + "→" + std::to_string(kernel) +
                (kernel < old_kernel ? " centre crop" : " zeros around it");
    }
    report(old_name, name, {resized, change("channels", from, channels)});
  }

  // Each inner channel is an input channel, scaled by nothing.
  void new_expansion(const std::string& name, std::int64_t inputs, std::int64_t inner) {
    auto& tensors = result_.weights.tensors;
    tensors[name + ".0.weight"] =
        pick(torch::eye(inputs), 0, first_channels(inputs, inner)).view({inner, inputs, 1, 1});
    for (const char* part : {".1.weight", ".1.running_var"}) tensors[name + part] = torch::ones({inner});
    for (const char* part : {".1.bias", ".1.running_mean"}) tensors[name + part] = torch::zeros({inner});
    result_.report.push_back(name + ".0.weight: new, passes its input on");
  }

  struct Ends {
    std::int64_t old_in, old_out;
    Channels in, out;
  };

  void block(const std::string& old_name, const std::string& name, const BlockArchitecture& from,
             const BlockArchitecture& to, const Ends& ends) {
    const std::int64_t old_inner = ends.old_in * from.expansion;
    const auto inner_width = static_cast<std::int64_t>(ends.in.size()) * to.expansion;
    // Without expansion the inner channels are the input's, on both sides.
    const bool is_input = from.expansion == 1 && to.expansion == 1;
    // A new expansion passes the input's channels on, over and over.
    const bool repeats_input = from.expansion == 1 && to.expansion > 1;
    Channels inner = is_input || repeats_input ? ends.in : choose(old_name + ".depthwise.1", old_inner, inner_width);
    if (repeats_input) {
      for (std::size_t i = ends.in.size(); i < static_cast<std::size_t>(inner_width); ++i)
        inner.push_back(inner[i - ends.in.size()]);
    }
    if (from.expansion > 1 && to.expansion > 1) {
      convolution(old_name + ".expand", name + ".expand", {old_inner, ends.old_in, 1, 1}, ends.in, inner);
    } else if (to.expansion > 1) {
      new_expansion(name + ".expand", static_cast<std::int64_t>(ends.in.size()), inner_width);
    } else if (from.expansion > 1) {
      result_.report.push_back(old_name + ".expand.0.weight: dropped");
    }
    depthwise(old_name + ".depthwise", name + ".depthwise", old_inner, from.kernel, to.kernel, inner);
    convolution(old_name + ".project", name + ".project", {ends.old_out, old_inner, 1, 1}, inner, ends.out);
  }

  // Returns the channels that come out. All blocks of a stage write the same ones, since each adds to the one before.
  Channels stage(const std::string& name, const StageArchitecture& from, const StageArchitecture& to, int old_width,
                 const Channels& stream) {
    const auto block_name = [&](std::size_t i) { return name + "." + std::to_string(i); };
    torch::Tensor importance = torch::zeros({from.width});
    for (std::size_t i = 0; i < from.blocks.size(); ++i) {
      importance = importance + tensor(block_name(i) + ".project.1.weight", {from.width}).abs();
    }
    const Channels out = choose(from.width, to.width, importance);
    for (std::size_t i = 0; i < to.blocks.size(); ++i) {
      const std::size_t old = std::min(i, from.blocks.size() - 1);
      Ends ends{old == 0 ? old_width : from.width, from.width, i == 0 ? stream : out, out};
      // The stage's only block is copied: its inputs were another stage's channels, which mean nothing here.
      if (old == 0 && i > 0) ends.in = first_channels(old_width, to.width);
      block(block_name(old), block_name(i), from.blocks[old], to.blocks[i], ends);
    }
    return out;
  }

  void pyramid_input(const std::string& name, std::int64_t width, const Channels& channels) {
    if (is_plain(channels, width)) return;
    result_.weights.tensors[name] = pick_inputs(tensor(name, {-1, width, 1, 1}), channels);
    result_.report.push_back(name + ": " + change("inputs", width, channels));
  }

  std::string change(const std::string& what, std::int64_t from, const Channels& channels) const {
    if (is_plain(channels, from)) return "";
    const auto to = static_cast<std::int64_t>(channels.size());
    const bool first = channels == first_channels(from, to);
    return what + " " + std::to_string(from) + "→" + std::to_string(to) +
           (to > from ? " repeated"
            : first   ? " first"
                      : " most important");
  }

  void report(const std::string& old_name, const std::string& name, const std::vector<std::string>& changes) {
    std::string text = old_name == name ? "" : "copy of " + old_name + ".0.weight";
    for (const std::string& part : changes) {
      if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
    }
    if (!text.empty()) result_.report.push_back(name + ".0.weight: " + text);
  }

  const Weights& source_;
  ChannelChoice choice_;
  Remapping result_;
};

}  // namespace

Remapping remap_parameters(const Weights& source, const Architecture& from, const Architecture& to,
                           std::string description, ChannelChoice choice) {
  check(from);
  check(to);
  torch::NoGradGuard no_gradient;
  return Remapper(source, choice).run(from, to, std::move(description));
}

}  // namespace hyperfd
