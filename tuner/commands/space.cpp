#include <iostream>
#include <memory>

#include "tuner/commands/commands.h"
#include "tuner/space/search_space.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string file;
  bool count = false;
  std::int64_t samples = 0;
  std::int64_t seed = 0;
  bool json = false;
};

std::vector<Configuration> draw(const SearchSpace& space, const Options& options) {
  Rng rng(static_cast<std::uint64_t>(options.seed));
  std::vector<Configuration> samples;
  for (std::int64_t i = 0; i < options.samples; ++i) samples.push_back(space.sample(rng));
  return samples;
}

void run(const Options& options) {
  const SearchSpace space = SearchSpace::load(options.file);
  const std::vector<Configuration> samples = draw(space, options);
  if (options.json) {
    Json report = {{"signature", space.signature()},
                   {"size", space.size() ? Json(*space.size()) : Json()},
                   {"dimensions", space.definition().size()},
                   {"encoding_size", space.encoding_size()},
                   {"samples", samples}};
    std::cout << report.dump(2) << "\n";
    return;
  }
  const std::string size = space.size() ? std::to_string(*space.size()) : "infinite";
  if (options.count) {
    std::cout << size << "\n";
  } else if (samples.empty()) {
    for (const auto& [name, dimension] : space.definition().items()) {
      std::cout << name << "  " << dimension.dump() << "\n";
    }
    std::cout << size << " configurations, signature " << space.signature() << "\n";
  }
  for (const Configuration& sample : samples) std::cout << sample.dump() << "\n";
}

}  // namespace

void add_space(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("space", "Check, count and sample a search space");
  command->add_option("FILE", options->file, "NNI search space, .json or .yaml")->required();
  command->add_flag("--count", options->count, "Print the number of configurations, or infinite");
  command->add_option("--sample", options->samples, "Print this many random configurations")
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--seed", options->seed, "Of the samples")
      ->check(CLI::Range(0LL, 9'000'000'000'000'000'000LL))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print everything as one JSON object");
  command->footer("Example:\n  hyperfd-tuner space search_spaces/hpo.yaml --sample 3");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
