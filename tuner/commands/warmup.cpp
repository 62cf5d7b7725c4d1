#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "tuner/base/error.h"
#include "tuner/bench/bundle.h"
#include "tuner/bench/warm_up.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/selection_policy.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::commands {
namespace {

struct Options {
  TableSource source;
  std::string out, group;
  std::string policy = "hyperfd";
  std::int64_t images = 100;
  WarmUpOptions warm_up;
};

void run(Options options) {
  if (std::filesystem::exists(options.out)) throw InputError("--out: " + options.out + " exists");
  const std::optional<RankerOptions> ranker = make_policy(options.policy)->ranker_options();
  if (!ranker) throw InputError("--policy: " + options.policy + " has no ranker");
  options.warm_up.ranker = *ranker;
  options.warm_up.on_round = [](int round, double ndcg) {
    std::printf("round %3d  validation NDCG of the network %.4f\n", round, ndcg);
    std::fflush(stdout);
  };
  const LookupTable table = load_tables(options.source);
  std::size_t results = 0, with_images = 0;
  for (const TableTask& task : table.tasks) {
    results += task.entries.size();
    with_images += task.features ? 1 : 0;
  }
  std::cout << table.tasks.size() << " tasks, " << with_images << " of them with image features, " << results
            << " results\n";
  const WarmUpLength length = warm_up_length(table, options.warm_up);
  const RankingModel model = warm_up(table, options.warm_up, length.rounds);
  const std::unique_ptr<ExperienceStore> store = open_store(":memory:");
  write_bundle(*store, table, model, options.images, options.group);
  store->export_to(options.out);
  std::cout << "validation NDCG of the network " << length.ndcg << " after " << length.rounds
            << " rounds; trained as long on all tasks\nin " << options.out << "\n";
}

}  // namespace

void add_warmup(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("warmup", "Make a bundle: a store with offline experience and a ranker that knows it");
  command
      ->add_option(
          "--table", options->source.tables,
          "What hyperfd-tuner collect wrote: folders, or files of JSON lines; each task becomes an offline task")
      ->required();
  command->add_option("--space", options->source.space, "NNI search space, .json or .yaml")->required();
  command->add_option("--features", options->source.features,
                      "Folder with what hyperfd-trial describe says of each task's data set, TASK.features");
  command->add_option("--out", options->out, "The bundle, a new file")->required();
  command
      ->add_option("--group", options->group,
                   "Calls tasks offline/GROUP/TASK instead of offline/TASK, so that bundles of several search spaces "
                   "with the same tasks go into one store")
      ->check([](const std::string& group) {
        const bool is_word = std::all_of(group.begin(), group.end(), [](unsigned char c) {
          return std::isalnum(c) || c == '_' || c == '-' || c == '.';
        });
        return is_word && !group.empty() ? std::string()
                                         : "expected letters, digits, _, - and ., got \"" + group + "\"";
      });
  command
      ->add_option("--images", options->images, "Images of a data set whose features are kept in the bundle, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--policy", options->policy, "Whose ranker, with options: hyperfd:rate=0.003")
      ->capture_default_str();
  command->add_option("--rounds", options->warm_up.rounds, "Rounds of training, at most")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--iterations", options->warm_up.iterations, "Iterations of a round")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      ->add_option("--patience", options->warm_up.patience, "Rounds without a better validation NDCG before it stops")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--folds", options->warm_up.folds, "Parts of the tasks: each validates a ranker of the others")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command->add_option(
      "--apart", options->warm_up.apart,
      "Two parts instead: the tasks whose names match this regular expression, and the rest. For tasks that "
      "are alike, whose rankings look better by chance parts than those of other data sets will be");
  command->add_option("--seed", options->warm_up.seed, "Of weights, order and folds")->capture_default_str();
  command->footer(
      "Cross-validation says for how many rounds its network is trained: the NDCG of rankings of tasks that are not "
      "learned from. Then a ranker learns from all tasks, the effects of parameters included. The bundle is a store as "
      "any other; "
      "`hyperfd-tuner serve --bundle FILE` and classArgs.bundle add it to a user's store.\n"
      "Example:\n"
      "  hyperfd-tuner warmup --table runs/table --space search_spaces/hpo.yaml --features runs/features --out "
      "faces.sqlite\n"
      "  hyperfd-tuner warmup --table runs/nas --space search_spaces/proxylessnas.yaml --features runs/features "
      "--group nas --out nas.sqlite\n"
      "  hyperfd-tuner import nas.sqlite --store faces.sqlite    # one bundle for both spaces");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
