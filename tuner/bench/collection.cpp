#include "tuner/bench/collection.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <thread>
#include <unordered_set>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"
#include "tuner/space/feasible.h"

namespace fs = std::filesystem;
namespace bp = boost::process;

namespace hyperfd {
namespace {

std::string name_of_folder(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

[[noreturn]] void fail_for_want_of(std::int64_t count, const std::string& what_there_is) {
  throw InputError("configurations: " + std::to_string(count) + " asked for, " + what_there_is);
}

std::vector<Configuration> choose(const SearchSpace& space, const Annotation& annotation, std::int64_t count,
                                  std::uint64_t seed) {
  constexpr int kMostRepeats = 10'000;  // in a row
  Rng rng(seed);
  const auto wanted = static_cast<std::size_t>(count);
  std::vector<Configuration> chosen;
  FeasibleSampler sampler(space, annotation);
  if (space.size() && *space.size() < wanted)
    fail_for_want_of(count, "the search space has " + std::to_string(*space.size()));
  if (sampler.can_enumerate()) {
    std::vector<std::uint64_t> indices = sampler.feasible();
    if (indices.size() < wanted)
      fail_for_want_of(count, std::to_string(indices.size()) + " satisfy the search space's constraints");
    rng.shuffle(indices);
    for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(space.at(indices[i]));
    return chosen;
  }
  ConfigurationKeys seen;
  for (int repeats = 0; chosen.size() < wanted; ++repeats) {
    if (repeats > kMostRepeats)
      fail_for_want_of(count, "only " + std::to_string(chosen.size()) + " different ones were found");
    Configuration drawn = sampler.draw(rng);
    if (!seen.insert(configuration_key(drawn))) continue;
    chosen.push_back(std::move(drawn));
    repeats = 0;
  }
  return chosen;
}

std::string key_of(const Configuration& configuration, std::int64_t seed) {
  return std::to_string(seed) + " " + fingerprint(configuration);
}

// A folder that goes with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "hyperfd-collect-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw Error(pattern + ": cannot be created");
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// For boost::process: the child runs on one core alone.
struct PinnedTo : bp::extend::handler {
  explicit PinnedTo(int core) : core_(core) {}
  template <typename Executor>
  void on_exec_setup(Executor&) const {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core_), &set);
    sched_setaffinity(0, sizeof set, &set);  // one that fails leaves the child where it may run
  }
  int core_;
};

std::string end_of(const std::string& file) {
  std::string text = read_file(file);
  constexpr std::size_t kShown = 600;
  if (text.size() > kShown) text.erase(0, text.size() - kShown);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::vector<CollectionJob> jobs_of(const CollectionPlan& plan, const SearchSpace& space, const Annotation& annotation) {
  std::map<std::string, std::vector<Configuration>> configurations;
  for (const std::string& data : plan.data) {
    const std::string task = name_of_folder(data);
    const std::uint64_t seed =
        plan.spread ? stable_hash(std::to_string(plan.choice_seed) + "/" + task) : plan.choice_seed;
    if (!configurations.emplace(task, choose(space, annotation, plan.configurations, seed)).second)
      throw InputError("data: two folders are named \"" + task + "\"");
  }
  std::vector<CollectionJob> jobs;
  for (std::size_t i = 0; i < static_cast<std::size_t>(plan.configurations); ++i) {
    for (std::int64_t seed = 1; seed <= plan.seeds; ++seed) {
      for (const std::string& data : plan.data) {
        const std::string task = name_of_folder(data);
        jobs.push_back({task, data, configurations.at(task)[i], seed});
      }
    }
  }
  return jobs;
}

std::vector<CollectionJob> CollectionFolder::missing(const std::vector<CollectionJob>& jobs,
                                                     const std::vector<std::string>& trial) const {
  std::map<std::string, std::set<std::string>> done;
  for (const CollectionJob& job : jobs) {
    if (done.count(job.task)) continue;
    std::set<std::string>& keys = done[job.task];
    const std::string file = file_of(job.task);
    if (!fs::exists(file)) continue;
    const std::string text = read_file(file);
    const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole < text.size()) fs::resize_file(file, whole);
    for (std::size_t begin = 0, number = 1; begin < whole; ++number) {
      const std::size_t end = text.find('\n', begin);
      const std::string where = file + ":" + std::to_string(number);
      const Json line = parse_json(std::string_view(text).substr(begin, end - begin), where);
      if (!line.contains("configuration") || !line.contains("seed") || !line["seed"].is_number_integer())
        throw InputError(where + ": expected an object with configuration and seed, got " + brief(line));
      if (line.value("trial", Json()) != Json(trial)) {
        throw InputError(where + ": trial: collected with " + line.value("trial", Json()).dump() + ", not with " +
                         Json(trial).dump() + "; choose another folder");
      }
      keys.insert(key_of(line["configuration"], line["seed"].get<std::int64_t>()));
      begin = end + 1;
    }
  }
  std::vector<CollectionJob> left;
  for (const CollectionJob& job : jobs) {
    if (!done[job.task].count(key_of(job.configuration, job.seed))) left.push_back(job);
  }
  return left;
}

void CollectionFolder::append(const std::string& task, const Json& line) const {
  fs::create_directories(folder_);
  const std::string file = file_of(task), text = line.dump() + "\n";
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const off_t before = descriptor >= 0 ? lseek(descriptor, 0, SEEK_END) : -1;
  const bool written = before >= 0 &&
                       write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(descriptor) == 0;
  // Half a line would spoil the next one.
  const bool clean = written || before < 0 || ftruncate(descriptor, before) == 0;
  if (!clean) spdlog::error("{}: what was half written cannot be taken back; remove its last line", file);
  if (descriptor >= 0) close(descriptor);
  if (!written) throw Error(file + ": cannot be written");
}

Json run_trial(const std::string& program, const CollectionJob& job, const std::vector<std::string>& trial, int core,
               const std::function<bool()>& stopped) {
  const ScratchFolder scratch;
  write_file_atomically(scratch.file("parameters.json"), job.configuration.dump());
  std::vector<std::string> arguments = {"train",
                                        "--data",
                                        job.data,
                                        "--params",
                                        scratch.file("parameters.json"),
                                        "--threads",
                                        "1",
                                        "--seed",
                                        std::to_string(job.seed),
                                        "--out",
                                        scratch.file("out")};
  arguments.insert(arguments.end(), trial.begin(), trial.end());
  const auto begin = std::chrono::steady_clock::now();
  bp::child child(program, bp::args(arguments), bp::std_in<bp::null, bp::std_out> bp::null,
                  bp::std_err > scratch.file("log"), PinnedTo(core));
  while (child.running()) {
    if (stopped()) {
      child.terminate();
      child.wait();
      return nullptr;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (stopped()) return nullptr;  // the signal reached the trial, too
  if (child.exit_code() != 0) {
    throw Error(job.task + ": trial of " + job.configuration.dump() + " failed (exit code " +
                std::to_string(child.exit_code()) + "): " + end_of(scratch.file("log")));
  }
  const Json result = parse_json(read_file(scratch.file("out/result.json")), "result.json");
  // A detector that diverged before its first validation finds nothing.
  const auto score = [&](const char* key) { return result.at(key).is_null() ? Json(0.0) : result.at(key); };
  return {{"task", job.task},
          {"configuration", job.configuration},
          {"seed", job.seed},
          {"validation", score("validation_ap")},
          {"test", score("test_ap")},
          {"validations", result.at("validations")},
          {"ending", result.at("ending")},
          {"seconds", std::round(seconds * 10) / 10},
          {"trial", trial},
          {"version", result.at("version")}};
}

}  // namespace hyperfd
