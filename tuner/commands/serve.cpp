#include <memory>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"
#include "tuner/base/shipped.h"
#include "tuner/commands/commands.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/wire/server.h"

namespace hyperfd::commands {
namespace {

constexpr char kNoBundle[] = "none", kStoreEnding[] = ".sqlite";

struct Options {
  std::string store = user_data_directory() + "/experience.sqlite";
  std::string bundle = kNoBundle;
  std::string log_level = "info";
  long long idle_exit = 0;
  wire::ServerOptions server;
};

void run(Options& options) {
  set_up_log(options.log_level);
  options.server.idle_exit = std::chrono::seconds(options.idle_exit);
  const std::unique_ptr<ExperienceStore> store = open_store(options.store);
  if (options.bundle != kNoBundle) {
    const std::string bundle = find_shipped_model(options.bundle, kStoreEnding, "--bundle");
    const MergedExperience merged = store->merge(bundle);
    if (merged.experiments > 0) {
      spdlog::info("{} tasks with {} results from the bundle {}, {} of them in the place of older ones",
                   merged.experiments, merged.results, bundle, merged.replaced);
    }
    if (!merged.of_other_spaces.empty()) {
      spdlog::warn("{} tasks of the bundle {} are left out, as their names stand for tasks on another space here: {}{}",
                   merged.of_other_spaces.size(), bundle, merged.of_other_spaces[0],
                   merged.of_other_spaces.size() > 1 ? " and others" : "");
    }
  }
  wire::Server server(*store, options.server);
  spdlog::info("listening on {}, experience in {}", server.endpoint(), options.store);
  server.run();
}

}  // namespace

void add_serve(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->server.endpoint = "ipc://" + user_data_directory() + "/tuner.sock";
  CLI::App* command = app.add_subcommand("serve", "Answer NNI experiments and other clients (docs/protocol.md)");
  command->add_option("--store", options->store, "File with all experience; made if missing")->capture_default_str();
  command
      ->add_option("--bundle", options->bundle,
                   "Experience that is added to the store, as far as it lacks it: the name of a bundle that comes with "
                   "the program (faces), a file made by warmup or export, or none")
      ->capture_default_str();
  command->add_option("--offer-bundle", options->server.offer_bundle,
                      "A bundle that every client may have, to learn on its own machine (classArgs.privacy pull)");
  command->add_option("--endpoint", options->server.endpoint, "ipc://PATH or tcp://HOST:PORT")->capture_default_str();
  command->add_option("--idle-exit", options->idle_exit, "End after this many seconds without any message; 0: never")
      ->check(CLI::Range(0LL, 100'000'000LL))
      ->capture_default_str();
  command->add_option("--server-key", options->server.server_key, "File with the server's secret key; needed for tcp");
  command->add_option("--allow", options->server.allow_file,
                      "File with the public keys of the clients that may connect; read again when it changes");
  command->add_flag("--insecure", options->server.insecure, "Let tcp go without keys: anybody can read and write");
  command->add_option("--max-experiments", options->server.limits.experiments, "Of one client with a key, in the store")
      ->check(CLI::Range(1LL, 1'000'000'000LL))
      ->capture_default_str();
  command->add_option("--max-rate", options->server.limits.requests, "Requests a second of one client with a key")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command->add_flag("--policy-options", options->server.limits.policy_options,
                    "Take options of policies (hyperfd:hidden=64) from clients with keys, too: they change the rankers "
                    "that all clients share, and what an update costs");
  command->add_option("--log-level", options->log_level, "error, warn, info or debug")->capture_default_str();
  command->footer(
      "Examples:\n"
      "  hyperfd-tuner serve\n"
      "  hyperfd-tuner keygen keys\n"
      "  hyperfd-tuner serve --store team.sqlite --endpoint tcp://*:7400 --server-key keys/server.key "
      "--allow keys/clients.allow");
  command->callback([options] { run(*options); });
}

}  // namespace hyperfd::commands
