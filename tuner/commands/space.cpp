#include <iostream>
#include <memory>

#include "tuner/commands/commands.h"
#include "tuner/commands/space_report.h"
#include "tuner/space/counting.h"
#include "tuner/space/feasible.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string file, annotation;
  bool count = false;
  std::int64_t samples = 0;
  std::int64_t seed = 0;
  bool json = false;
};

std::vector<Configuration> draw(const SearchSpace& space, const Annotation& annotation, const Options& options) {
  Rng rng(static_cast<std::uint64_t>(options.seed));
  FeasibleSampler sampler(space, annotation);
  std::vector<Configuration> samples;
  for (std::int64_t i = 0; i < options.samples; ++i) samples.push_back(sampler.draw(rng));
  return samples;
}

Json size_of(const SearchSpace& space) {
  return space.size() && *space.size() < kCountLimit ? Json(*space.size()) : Json();
}

std::string size_text(const SearchSpace& space) {
  if (!space.size()) return "infinite";
  return *space.size() < kCountLimit ? std::to_string(*space.size()) : "more than 1.8e19";
}

void run(const Options& options) {
  const SearchSpace space = SearchSpace::load(options.file);
  const Annotation annotation = Annotation::load(options.annotation, options.file, space);
  const bool is_annotated = !annotation.definition().is_null();
  const std::vector<Configuration> samples = draw(space, annotation, options);
  Rng rng(static_cast<std::uint64_t>(options.seed));
  if (options.json) {
    Json report = {{"signature", space.signature()},
                   {"size", size_of(space)},
                   {"dimensions", space.definition().size()},
                   {"encoding_size", space.encoding_size()}};
    report["annotation"] = is_annotated ? as_json(annotation, examine(space, annotation, rng)) : Json();
    report["samples"] = samples;
    std::cout << report.dump(2) << "\n";
    return;
  }
  const std::string size = size_text(space);
  if (options.count) {
    std::cout << size << "\n";
  } else if (samples.empty()) {
    print_dimensions(std::cout, space);
    std::cout << size << " configurations, signature " << space.signature() << "\n";
    if (is_annotated) print(std::cout, annotation, examine(space, annotation, rng));
  }
  for (const Configuration& sample : samples) std::cout << sample.dump() << "\n";
}

}  // namespace

void add_space(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("space", "Check, count, explain and sample a search space");
  command->add_option("FILE", options->file, "NNI search space, .json or .yaml")->required();
  command->add_option("--annotation", options->annotation,
                      "Constraints and architecture of the space (docs/search_spaces.md); default: FILE.hyperfd.yaml "
                      "beside it, if there is one");
  command->add_flag("--count", options->count, "Print the number of configurations, infinite, or more than 1.8e19");
  command
      ->add_option("--sample", options->samples, "Print this many random configurations that satisfy the constraints")
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--seed", options->seed, "Of the samples")
      ->check(CLI::Range(0LL, 9'000'000'000'000'000'000LL))
      ->capture_default_str();
  command->add_flag("--json", options->json,
                    "Print everything as one JSON object; its size is null where --count has no number");
  command->footer(
      "Examples:\n  hyperfd-tuner space search_spaces/hpo.yaml --sample 3\n"
      "  hyperfd-tuner space search_spaces/proxylessnas.yaml");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
