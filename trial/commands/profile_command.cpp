#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <regex>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/training_profile.h"
#include "trial/data/image_file.h"
#include "trial/detector/retinaface.h"
#include "trial/training/configuration.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/enough_memory.h"
#include "trial/training/initial_weights.h"
#include "trial/training/training_step.h"
#include "trial/training/weights_file.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/space/backbones.h"
#include "tuner/space/detector_cost.h"

namespace fs = std::filesystem;

namespace hyperfd::commands {
namespace {

struct Options {
  std::string network, size = "640x360";
  std::string recipe = "mini";
  std::vector<std::string> overrides;
  std::size_t faces = 5;
  int runs = 20, threads = 1;
  bool training = false, json = false;
};

Recipe recipe_of(const std::string& network) {
  Recipe recipe;
  std::error_code error;  // a long architecture is no file
  if (!fs::is_regular_file(network, error)) {
    if (has_ending(network, {".pt", ".json", ".yaml", ".yml"})) throw InputError(network + ": does not exist");
    set_field(recipe, "backbone", network, "ARCH");
    check_recipe(recipe, "ARCH");
    return recipe;
  }
  const std::string ending = fs::path(network).extension().string();
  if (ending == ".json" || ending == ".yaml" || ending == ".yml") {
    for (const std::string& warning : apply_configuration(recipe, load_json_or_yaml(network))) spdlog::warn(warning);
    return recipe;
  }
  const std::string description = load_weights(network).description;
  if (description.empty()) throw InputError(network + ": says nothing of the network it belongs to");
  return recipe_from_yaml(description, network);
}

ImageSize parse_size(const std::string& text) {
  std::smatch found;
  if (!std::regex_match(text, found, std::regex("([1-9][0-9]{1,4})x([1-9][0-9]{1,4})"))) {
    throw InputError("--size: expected width x height in pixels like 640x360, got \"" + text + "\"");
  }
  const ImageSize size{std::stoi(found[1]), std::stoi(found[2])};
  if (static_cast<double>(size.width) * size.height > kMostEvaluatedPixels) {
    throw InputError("--size: expected at most " + std::to_string(static_cast<int>(kMostEvaluatedPixels)) +
                     " pixels in all, got \"" + text + "\"");
  }
  return size;
}

// Milliseconds of one forward pass, in the middle of `runs`, of the network as it detects: folded. Weights are random:
// they do not change the time.
double median_latency(const DetectorOptions& options, ImageSize size, int runs) {
  torch::NoGradGuard no_gradient;
  RetinaFace network = folded_twin(RetinaFace(options));
  const torch::Tensor image = torch::zeros({1, size.height, size.width, 3}, torch::kByte);
  const auto run = [&] { network->forward(normalise_pixels(image, torch::kCPU)); };
  run();  // the first one allocates
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return times[static_cast<std::size_t>(runs / 2)];
}

void profile_training_of(const Options& options) {
  std::vector<std::string> overrides = {"weights=", "backbone=" + options.network};
  overrides.insert(overrides.end(), options.overrides.begin(), options.overrides.end());
  const Recipe recipe = load_recipe_for_weights(options.recipe, "", overrides);
  set_up_computing(options.threads);
  const TrainingProfile profile = with_enough_memory(
      step_memory_keys(recipe), [&] { return profile_training(recipe, options.faces, options.runs); });
  if (options.json) {
    std::printf("%s\n", Json({{"backbone", recipe.backbone},
                              {"crop_size", recipe.crop_size},
                              {"batch_size", recipe.batch_size},
                              {"step_ms", profile.step},
                              {"losses_ms", profile.losses},
                              {"threads", options.threads}})
                            .dump()
                            .c_str());
    return;
  }
  std::printf("%s, training with %d crops of %d×%d pixels, %zu faces in each\n", recipe.backbone.c_str(),
              recipe.batch_size, recipe.crop_size, recipe.crop_size, options.faces);
  std::printf("step      %8.2f ms an image (median of %d, %d threads, CPU)\n", profile.step, options.runs,
              options.threads);
  std::printf("of it     %8.2f ms matching and loss\n", profile.losses);
}

void profile(const Options& options) {
  if (options.training) {
    profile_training_of(options);
    return;
  }
  const ImageSize size = parse_size(options.size);
  const DetectorOptions detector = recipe_of(options.network).detector();
  set_up_computing(options.threads);
  const Cost backbone = backbone_cost(detector.backbone, size);
  const Cost whole = detector_cost(detector.backbone, detector.channels, size);
  const double latency = median_latency(detector, size, options.runs);
  if (options.json) {
    const auto as_json = [](const Cost& cost) {
      return Json{{"multiply_adds", cost.multiply_adds}, {"parameters", cost.parameters}};
    };
    const Json result = {
        {"backbone", detector.backbone}, {"channels", detector.channels},      {"width", size.width},
        {"height", size.height},         {"backbone_cost", as_json(backbone)}, {"detector_cost", as_json(whole)},
        {"latency_ms", latency},         {"threads", options.threads}};
    std::printf("%s\n", result.dump().c_str());
    return;
  }
  std::printf("%s, pyramid of width %d, %d×%d pixels\n", detector.backbone.c_str(), detector.channels, size.width,
              size.height);
  const auto print = [](const char* what, const Cost& cost) {
    std::printf("%-9s %8.1f M multiply-adds %8.3f M parameters\n", what, static_cast<double>(cost.multiply_adds) / 1e6,
                static_cast<double>(cost.parameters) / 1e6);
  };
  print("backbone", backbone);
  print("detector", whole);
  std::printf("latency   %8.1f ms an image (median of %d runs, %d threads, CPU)\n", latency, options.runs,
              options.threads);
}

}  // namespace

void add_profile(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("profile", "Multiply-adds, parameters and latency of a detector");
  std::string names;
  for (const std::string& name : backbone_names()) names += (names.empty() ? "" : ", ") + name;
  command
      ->add_option("ARCH", options->network,
                   "A backbone (" + names + "), the text of an architecture, a configuration (.json, .yaml) or weights")
      ->required();
  command->add_option("--size", options->size, "Width x height of the image in pixels")->capture_default_str();
  command->add_flag("--training", options->training,
                    "Time training steps on made-up crops instead: the bound of what `train` can reach");
  command->add_option("--recipe", options->recipe, "With --training: its recipe, without initial weights")
      ->capture_default_str();
  command->add_option("--set", options->overrides, "With --training: key=value over the recipe; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--faces", options->faces, "With --training: faces in a crop")
      ->check(whole_number(0, 10000))
      ->capture_default_str();
  command->add_option("--runs", options->runs, "Forward passes or steps to time")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that compute")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Latency is that of the network as it detects, its batch norms folded into the convolutions.\n"
      "The text of an architecture is its stem's width, then each of seven stages: width, stride, and its blocks with "
      "kernel and expansion ratio.\n"
      "Examples:\n  hyperfd-trial profile mobilenet_v2_x0.5 --size 1280x720\n"
      "  hyperfd-trial profile " +
      to_text(mobilenet_v2_half()) + "\n  hyperfd-trial profile mobilenet_v1_x0.25 --training --set crop_size=320");
  command->callback([options] { profile(*options); });
}

}  // namespace hyperfd::commands
