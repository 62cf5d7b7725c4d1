#include <sched.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tuner/base/error.h"
#include "tuner/bench/collection.h"
#include "tuner/commands/commands.h"

namespace hyperfd::commands {
namespace {

struct Options {
  CollectionPlan plan;
  std::string space, annotation, out;
  std::string program;
  std::int64_t jobs = static_cast<std::int64_t>(std::thread::hardware_concurrency());
};

volatile std::sig_atomic_t stop = 0;

// Those that this process may run on; never empty.
std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
    }
  }
  return cores.empty() ? std::vector<int>{0} : cores;
}

std::string program_beside_this() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hyperfd-trial").string();
}

std::string line_of(const Json& trial) {
  char numbers[80];
  std::snprintf(numbers, sizeof numbers, "  test %.3f  validation %.3f  %5.1f s  ", trial["test"].get<double>(),
                trial["validation"].get<double>(), trial["seconds"].get<double>());
  return trial["task"].get<std::string>() + numbers + trial["configuration"].dump();
}

void run(const Options& options) {
  const SearchSpace space = SearchSpace::load(options.space);
  const Annotation annotation = Annotation::load(options.annotation, options.space, space);
  const CollectionFolder folder(options.out);
  const std::vector<CollectionJob> all = jobs_of(options.plan, space, annotation);
  const std::vector<CollectionJob> left = folder.missing(all, options.plan.trial);
  const std::string program = options.program.empty() ? program_beside_this() : options.program;
  std::cout << all.size() << " trials, " << all.size() - left.size() << " of them done before" << std::endl;

  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  std::atomic<std::size_t> next{0};
  std::size_t done = 0, failed = 0;
  std::mutex mutex;  // of what is counted and printed, and of the folder
  const auto begin = std::chrono::steady_clock::now();
  const auto work = [&](int core) {
    for (std::size_t i = next++; i < left.size() && !stop; i = next++) {
      try {
        const Json line = run_trial(program, left[i], options.plan.trial, core, [] { return stop != 0; });
        if (line.is_null()) return;
        const std::lock_guard lock(mutex);
        folder.append(left[i].task, line);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        ++done;
        const double rest = seconds / static_cast<double>(done) * static_cast<double>(left.size() - done - failed);
        std::printf("[%zu/%zu, %.0f min left]  %s\n", all.size() - left.size() + done, all.size(), rest / 60,
                    line_of(line).c_str());
        std::fflush(stdout);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        ++failed;
        std::cerr << error.what() << std::endl;
      }
    }
  };
  std::vector<std::thread> workers;
  const std::vector<int> cores = allowed_cores();
  for (std::int64_t worker = 0; worker < options.jobs; ++worker)
    workers.emplace_back(work, cores[static_cast<std::size_t>(worker) % cores.size()]);
  for (std::thread& worker : workers) worker.join();
  if (stop) throw Error("stopped with " + std::to_string(left.size() - done) + " trials to go; the same command goes on");
  if (failed > 0) throw Error(std::to_string(failed) + " trials failed; the same command tries them again");
}

}  // namespace

void add_collect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("collect", "Fill a benchmark table with the results of real trials");
  command->add_option("--space", options->space, "NNI search space, .json or .yaml")->required();
  command->add_option("--annotation", options->annotation,
                      "Constraints that every configuration satisfies; default: SPACE.hyperfd.yaml beside the space, if "
                      "there is one");
  command->add_option("--data", options->plan.data, "Data set folders, each a task by the name of its folder")->required();
  command->add_option("-n,--configurations", options->plan.configurations, "Configurations for each data set")
      ->check(CLI::Range(1, 1'000'000))
      ->required();
  command->add_option("--seeds", options->plan.seeds, "Trials of each configuration, with seeds 1, 2, …")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--spread", options->plan.spread,
                    "Other configurations for every data set, instead of the same for all");
  command->add_option("--choice-seed", options->plan.choice_seed, "Of the choice of configurations")
      ->capture_default_str();
  command->add_option("--out", options->out, "Folder of the table: a file <task>.jsonl for each data set")->required();
  command->add_option("--jobs", options->jobs, "Trials at the same time, each on a core of its own")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--program", options->program, "The trial (default: hyperfd-trial beside this program)");
  command->add_option("TRIAL", options->plan.trial, "After --: further arguments of hyperfd-trial train");
  command->footer(
      "May be stopped at any time, the same command goes on; more configurations or seeds go on, too.\n"
      "Example:\n"
      "  hyperfd-tuner collect --space search_spaces/hpo.yaml --data faces/mask faces/anime -n 100 --out tables/mine "
      "-- --recipe mini");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
