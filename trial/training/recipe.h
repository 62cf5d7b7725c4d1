#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "trial/detector/options.h"
#include "tuner/base/json.h"

namespace hyperfd {

// Everything that decides how a detector is trained and evaluated, except the data, the seed and the machine.
// The defaults are the paper's (B.1), but for the weights. Field names are the keys of recipe files, of `--set`, and of
// configurations.
struct Recipe {
  // Detector.
  std::string backbone = "mobilenet_v2_x0.5";
  int channels = 0;  // 0: nothing states it, and detector() has the backbone's
  std::vector<int> anchor_sizes = {16, 32, 64, 128, 256, 512};
  std::string batch_norm = "normal";
  int frozen_levels = 0;

  // Where training starts from: weights that come with the program by name, a file, or "" for random numbers.
  std::string weights;

  // Optimiser. `learning_rate` is the highest of the schedule.
  std::string optimizer = "sgd";
  double learning_rate = 1e-3;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool decay_norms = true;
  double backbone_rate = 1;
  double gradient_clip = 10;
  double average = 0;
  std::string precision = "float32";
  int epochs = 1000;
  int batch_size = 32;
  double warmup_epochs = 1;
  std::string schedule = "plateau";
  int plateau_patience = 5;
  double plateau_factor = 0.1;
  int validate_every = 10;
  int stop_patience = 8;
  double divergence = 10;

  // Data.
  int crop_size = 640;
  double min_crop_ratio = 0.3;
  double flip_probability = 0.5;
  bool colour = true;

  // Loss.
  double iou_threshold = 0.35;
  double location_weight = 2;
  double landmark_weight = 1;
  double negative_ratio = 7;
  int minimum_negatives = 0;
  double face_prior = 0.01;

  // Evaluation.
  int evaluation_side = 720;
  double minimum_face = 36;
  bool minimum_face_is_given = false;  // no key: set_field() has set minimum_face itself, not evaluation_side
  double score_threshold = 0.02;
  double nms_threshold = 0.4;
  int evaluation_batch_size = 8;

  DetectorOptions detector() const;
  MatchingOptions matching() const;
  LossOptions loss() const;
  DecodingOptions decoding() const;
};

// What a network is, that initial weights come with, too.
constexpr const char* kNetworkKeys[] = {"backbone", "channels", "anchor_sizes"};

// A recipe by name ("mini") or file, with what it extends, then the `key=value` overrides. A value is JSON, or else a
// word. Throws InputError that names the file (or `--set`), the key and the value. `own_network` gets those of
// kNetworkKeys that a file states which states the recipe's weights, or extends one that does.
Recipe load_recipe(const std::string& name_or_file, const std::vector<std::string>& overrides,
                   std::set<std::string>* own_network = nullptr);

// Puts `key=value` overrides over a recipe.
void override_recipe(Recipe& recipe, const std::vector<std::string>& overrides);

// One `key: value` a line, all keys: a recipe file that gives the same recipe.
std::string to_yaml(const Recipe& recipe);

// The inverse of to_yaml(); `source` begins the messages of its errors.
Recipe recipe_from_yaml(const std::string& text, const std::string& source);

// Sets one field, and with evaluation_side minimum_face, which stays a twentieth of it (B.1: 36 of 720 pixels) until it
// is set itself; an evaluation_side of 0 leaves it as it is. Throws InputError: `<source>: learning_rate: expected a
// number > 0, got "abc"`, or one that suggests the nearest key.
void set_field(Recipe& recipe, const std::string& key, const Json& value, const std::string& source);

// Throws InputError when fields that are right by themselves do not go together, or make a network too large to train.
void check_recipe(const Recipe& recipe, const std::string& source);

std::vector<std::string> recipe_keys();

// `key  what it means`, a line a key, for --help.
std::string describe_recipe_keys();

}  // namespace hyperfd
