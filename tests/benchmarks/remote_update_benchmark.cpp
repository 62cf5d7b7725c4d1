// One update of the ranker through a data set at the other end of a loopback connection, with Table 12's numbers:
//   taskset -c 0,1 build/release/bin/remote_update_benchmark [closed_form|sgd]
// Time runs from the report of the last result until the new version is in the store. In the store are 1,000 offline
// data sets with three results each (the paper's 3,000 pairs), 100 past tasks with four, and the task itself.
#include <atomic>
#include <cstdio>
#include <ctime>
#include <thread>

#include <torch/torch.h>

#include "tuner/base/log.h"
#include "tuner/platform/platform.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/ranker/local_dataset_client.h"
#include "tuner/ranker/single_thread.h"
#include "tuner/ranker/tensors.h"
#include "tuner/wire/dataset_server.h"
#include "tuner/wire/server.h"

namespace hyperfd::wire {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOffline = 1000, kPast = 100, kPastAtOnce = 10;
constexpr std::int64_t kImageFeatures = 252, kImages = 64;  // 84 numbers at three strides
const std::string kHash(64, 'a');

std::shared_ptr<LocalDatasetClient> make_dataset(std::uint64_t seed) {
  Rng rng(seed);
  const torch::Tensor shift = uniform_tensor({1, kImageFeatures}, 1, rng);
  return std::make_shared<LocalDatasetClient>(uniform_tensor({kImages, kImageFeatures}, 1, rng) + shift,
                                              uniform_tensor({2}, 1, rng));
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

class Bench {
 public:
  explicit Bench(const std::string& z)
      : policy_("paper:warm_up=0:z=" + z), space_(load_json_or_yaml(HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml")) {
    SearchSpace parsed = SearchSpace::parse(space_);
    signature_ = parsed.signature();
    store_->begin(Durability::kMachine);
    for (int i = 0; i < kOffline; ++i) offline_.insert(add_task(parsed, "offline " + std::to_string(i), 3));
    store_->commit();
    for (int i = 0; i < kOffline; ++i) datasets_.push_back(make_dataset(1000 + static_cast<std::uint64_t>(i)));
    prepare_past(parsed);
  }

  void run() {
    ServerOptions options;
    options.endpoint = "tcp://127.0.0.1:*";
    options.insecure = true;
    options.learn = [this](const LearningJob& job) { return learn(job, {}); };
    Server server(*store_, options);
    std::thread serving([&] { server.run(); });

    const std::function<bool()> is_stopped = [] { return false; };
    ServingOptions client;
    client.connection.endpoint = server.endpoint();
    client.experiment = "task";
    Clock::time_point begin, end;
    ServingResult result;
    std::thread describing;
    {
      DatasetConnection nni(client.connection, [](const std::string&) {});
      int request = 0;
      const auto ask = [&](Body body) {
        return nni
            .ask({"task", "q" + std::to_string(request++), std::move(body)}, std::chrono::seconds(60), is_stopped)
            ->body;
      };
      ask(Initialize{"r", space_.dump(), OptimizeMode::kMaximize, 4, policy_, 1});
      std::atomic<bool> settled{false};
      describing = std::thread([&] {
        const SingleThread single_thread;
        ServingEvents events;
        events.on_settled = [&] { settled = true; };
        result = serve_dataset(*make_dataset(5), {"", kHash, kImageFeatures, kImages, {{"images", 4}, {"boxes", 6}}},
                               client, events, is_stopped);
      });
      while (!settled) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      const auto trials = std::get<NewTrialJobs>(ask(RequestTrialJobs{"r", {0, 1, 2, 3}})).trials;
      for (const Trial& trial : trials) {
        begin = Clock::now();
        ask(ReportMetric{"r", trial.parameter_id, "", MetricKind::kFinal, 0,
                         std::to_string(0.5 + 0.1 * static_cast<double>(trial.parameter_id)), ""});
      }
      ask(Terminate{"r"});
    }
    describing.join();  // dismissed when the ranker has learned
    end = Clock::now();
    server.stop();
    serving.join();
    std::printf("update, from the last result to the dismissal of the data set: %.2f s\n",
                std::chrono::duration<double>(end - begin).count());
    std::printf("orders to the data set: %lld; to the client %.1f MB, from the client %.1f MB\n",
                static_cast<long long>(result.orders), static_cast<double>(result.received) / 1e6,
                static_cast<double>(result.sent) / 1e6);
  }

 private:
  std::int64_t add_task(const SearchSpace& space, const std::string& name, int results) {
    ExperimentRecord record;
    record.name = name;
    record.signature = signature_;
    record.definition = space.definition().dump();
    record.space = store_->space(signature_, record.definition);
    record.policy = policy_;
    record.id = store_->add_experiment(record);
    const std::int64_t run = store_->add_run(record.id, "r");
    for (int i = 0; i < results; ++i) {
      ConfigurationRecord configuration;
      const Configuration point = space.sample(rng_);
      configuration.run = run;
      configuration.parameter_id = i;
      configuration.space = record.space;
      configuration.fingerprint = fingerprint(point);
      configuration.parameters = point.dump();
      configuration.id = store_->add_configuration(record.id, configuration);
      const double score = rng_.uniform();
      store_->add_result(configuration.id, std::to_string(score), score);
    }
    DatasetRecord dataset;
    dataset.task = record.id;
    dataset.extractor = kHash;
    dataset.image_features = kImageFeatures;
    dataset.images = kImages;
    dataset.statistics = {{"images", 4}, {"boxes", 6}};
    store_->set_dataset(dataset);
    return record.id;
  }

  // Past tasks come in batches, so that their φ are of different extractor versions.
  void prepare_past(const SearchSpace& space) {
    for (int first = 0; first < kPast; first += kPastAtOnce) {
      std::map<std::int64_t, std::shared_ptr<DatasetClient>> current;
      store_->begin(Durability::kMachine);
      for (int i = first; i < first + kPastAtOnce; ++i) {
        current[add_task(space, "past " + std::to_string(i), 4)] = make_dataset(10 + static_cast<std::uint64_t>(i));
      }
      store_->commit();
      LearningJob job;
      job.previous = store_->latest_ranker(signature_).value_or(RankerRecord{});
      job.previous.signature = signature_;
      job.definition = store_->definition(signature_);
      std::string name;
      job.options = *make_policy(policy_)->ranker_options();
      job.experience = store_->experience(signature_);
      for (DatasetRecord& dataset : store_->datasets(signature_)) job.tasks[dataset.task].dataset = std::move(dataset);
      const RankerRecord next = learn(job, current);
      store_->begin(Durability::kMachine);
      store_->add_ranker(next);
      store_->commit();
    }
  }

  // The offline data sets are in this process.
  RankerRecord learn(LearningJob job, const std::map<std::int64_t, std::shared_ptr<DatasetClient>>& current) {
    const auto begin = Clock::now();
    std::size_t next = 0;
    for (const std::int64_t task : offline_) {
      job.tasks.at(task).client = datasets_[next++];
      job.tasks.at(task).role = TaskRole::kOffline;
    }
    for (const auto& [task, client] : current) {
      job.tasks.at(task).client = client;
      job.tasks.at(task).role = TaskRole::kCurrent;
    }
    RankerRecord record = learn_ranker(job);
    std::printf("  training of version %lld: %.2f s\n", static_cast<long long>(record.version),
                std::chrono::duration<double>(Clock::now() - begin).count());
    return record;
  }

  std::string policy_;
  Json space_;
  std::string signature_;
  Rng rng_{1};
  std::unique_ptr<ExperienceStore> store_ = open_store(":memory:");
  std::set<std::int64_t> offline_;
  std::vector<std::shared_ptr<DatasetClient>> datasets_;
};

}  // namespace
}  // namespace hyperfd::wire

int main(int argc, char** argv) {
  hyperfd::set_up_log("warn");
  for (const std::string z : {"closed_form", "sgd"}) {
    if (argc > 1 && z != argv[1]) continue;
    std::printf("Z by %s\n", z.c_str());
    hyperfd::wire::Bench bench(z);
    const double before = hyperfd::wire::cpu_seconds();
    bench.run();
    std::printf("CPU time: %.2f s\n", hyperfd::wire::cpu_seconds() - before);
  }
  return 0;
}
