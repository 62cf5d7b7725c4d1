#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/signals.h"
#include "trial/describe/egress_log.h"
#include "trial/describe/remote_dataset.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"
#include "tuner/ranker/single_thread.h"
#include "tuner/wire/curve_keys.h"
#include "tuner/wire/dataset_server.h"

namespace hyperfd::commands {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string features, endpoint, experiment, server_key, client_key, egress, ledger, privacy = "share";
  Disclosure disclosure;
  int away = 600, follow = 0, linger = 600;
  bool dry_run = false;
};

// Whether process `id` is there.
bool is_running(int id) {
  return ::kill(id, 0) == 0 || errno == EPERM;
}

// Asked for often: a signal, or `linger` seconds after the end of the process that is followed.
std::function<bool()> stop_condition(const Options& options) {
  return [&options, left = std::optional<Clock::time_point>()]() mutable {
    if (stop_was_asked_for()) return true;
    if (options.follow == 0) return false;
    if (!left && !is_running(options.follow)) left = Clock::now();
    return left && Clock::now() - *left > std::chrono::seconds(options.linger);
  };
}

void serve(Options& options) {
  const SingleThread single_thread;  // an answer does not depend on the number of cores
  const DatasetFeatures features = DatasetFeatures::deserialize(read_file(options.features), options.features);
  options.disclosure.is_private = options.privacy == "private";
  const std::string ledger = options.ledger.empty() ? options.features + ".privacy.jsonl" : options.ledger;
  RemoteDataset dataset(features, options.disclosure, ledger);
  std::fputs(dataset.report().c_str(), stdout);
  std::fflush(stdout);
  if (options.dry_run) return;
  if (options.endpoint.empty() || options.experiment.empty()) {
    throw InputError("endpoint and experiment: needed to serve; without them only --dry-run goes");
  }
  wire::ServingOptions serving;
  serving.connection.endpoint = options.endpoint;
  if (!options.server_key.empty()) serving.connection.server_key = wire::read_key(options.server_key);
  if (!options.client_key.empty()) serving.connection.client_key = wire::read_key(options.client_key);
  serving.experiment = options.experiment;
  serving.away = std::chrono::seconds(options.away);

  stop_on_signals();
  EgressLog log(options.egress.empty() ? options.features + ".egress.jsonl" : options.egress);
  wire::ServingEvents events;
  events.on_sent = [&](const std::string& frame) { log.add(frame); };
  events.on_settled = [] {
    std::puts("settled: the platform has what it wants for now");
    std::fflush(stdout);
  };
  const std::function<bool()> is_stopped = stop_condition(options);
  const wire::ServingResult result = wire::serve_dataset(dataset.client(), dataset.open(), serving, events, is_stopped);
  std::printf("ended: %s; %lld orders, %.1f MB received, %.1f MB sent\n", result.reason.c_str(),
              static_cast<long long>(result.orders), static_cast<double>(result.received) / 1e6,
              static_cast<double>(result.sent) / 1e6);
  if (result.end == wire::ServingEnd::kAway) throw ProtocolError(result.reason);
}

}  // namespace

void add_serve_dataset(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "serve-dataset", "Let a tuner learn from a data set that stays here (docs/privacy.md says what leaves)");
  command->add_option("--features", options->features, "What hyperfd-trial describe made of the data set")->required();
  command->add_option("--endpoint", options->endpoint, "The tuner's, ipc://PATH or tcp://HOST:PORT");
  command->add_option("--experiment", options->experiment, "Id of the experiment whose data set it is");
  CLI::Option* server_key =
      command->add_option("--server-key", options->server_key, "File with the tuner's public key");
  command->add_option("--client-key", options->client_key, "File with this client's secret key")->needs(server_key);
  server_key->needs("--client-key");
  command->add_option("--privacy", options->privacy, "share: as in the paper; private: differentially private")
      ->check(CLI::IsMember({"share", "private"}))
      ->capture_default_str();
  Disclosure& disclosure = options->disclosure;
  command->add_option("--epsilon", disclosure.epsilon, "private: at most this in all, over all experiments")
      ->check(real_number(1e-3, 1e3))
      ->capture_default_str();
  command->add_option("--delta", disclosure.delta, "private: the δ of it, well below 1 / images")
      ->check(real_number(1e-15, 0.1))
      ->capture_default_str();
  command
      ->add_option("--releases", disclosure.releases,
                   "private: answers that share the budget, beside one noisy number of faces")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--group", disclosure.group_images, "private: images of one group")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_flag("--gradients", disclosure.gradients, "private: gradients too, each an answer");
  command->add_option("--least-images", disclosure.least_images, "Smaller data sets are not served")
      ->check(CLI::Range(1, 1000000000))
      ->capture_default_str();
  command->add_option("--egress-log", options->egress,
                      "Where every message sent is noted (default: FEATURES.egress.jsonl)");
  command->add_option(
      "--ledger", options->ledger,
      "private: where expenses are noted; keep it as long as the data (default: FEATURES.privacy.jsonl)");
  command->add_option("--away", options->away, "Give up a tuner that does not answer for so many seconds")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--follow", options->follow, "End --linger seconds after the process with this id has ended")
      ->check(CLI::Range(1, 1 << 30));
  command->add_option("--linger", options->linger, "See --follow")
      ->check(CLI::Range(0, 10'000'000))
      ->capture_default_str();
  command->add_flag("--dry-run", options->dry_run, "Only say what would leave");
  command->footer(
      "Serves until the tuner needs the data set no more: the experiment has ended and was learned from.\n"
      "Example:\n"
      "  hyperfd-trial describe --data my_faces --out my_faces.features\n"
      "  hyperfd-trial serve-dataset --features my_faces.features --endpoint tcp://tuner:7400 --server-key server.pub\n"
      "    --client-key client.key --experiment fzxpv2iw --privacy private --epsilon 4");
  command->callback([options] { serve(*options); });
}

}  // namespace hyperfd::commands
