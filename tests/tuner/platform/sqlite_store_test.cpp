#include "tuner/platform/sqlite_store.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/platform/store_lock.h"

// SQLite's calls of these come here, as a program's symbols go before those of libraries.
static int flushes = 0;
extern "C" int fdatasync(int file) {
  ++flushes;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
extern "C" int fsync(int file) {
  ++flushes;
  return static_cast<int>(syscall(SYS_fsync, file));
}

namespace hyperfd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const StoreError& error) {
    return error.what();
  }
  return "";
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::int64_t add_experiment(ExperienceStore& store, const std::string& name) {
    ExperimentRecord record;
    record.name = name;
    record.space = store.space("signature", "{}");
    record.policy = "random";
    record.seed = 5;
    record.budget = 4;
    record.optimize_mode = OptimizeMode::kMinimize;
    return store.add_experiment(record);
  }
  std::int64_t add_configuration(ExperienceStore& store, std::int64_t experiment, std::int64_t run, std::int64_t id) {
    ConfigurationRecord configuration;
    configuration.run = run;
    configuration.parameter_id = id;
    configuration.space = store.space("signature", "{}");
    configuration.fingerprint = "f" + std::to_string(id);
    configuration.parameters = R"({"x":)" + std::to_string(id) + "}";
    return store.add_configuration(experiment, configuration);
  }

  TemporaryFolder folder_;
  std::string file_ = folder_.file("sub/experience.sqlite");
};

TEST_F(SqliteStoreTest, EverythingIsThereAfterReopening) {
  {
    const auto store = open_store(file_);
    StoreTransaction transaction(*store);
    const auto experiment = add_experiment(*store, "e");
    const auto run = store->add_run(experiment, "r");
    const auto first = add_configuration(*store, experiment, run, 0);
    add_configuration(*store, experiment, run, 1);
    store->add_result(first, "{\"default\":0.1}", 0.1);
    EXPECT_TRUE(store->add_intermediate_result({first, 0, "0.05"}));
    EXPECT_FALSE(store->add_intermediate_result({first, 0, "0.05"}));
    EXPECT_TRUE(store->add_trial_end({run, 1, "job", TrialOutcome::kFailed}));
    EXPECT_FALSE(store->add_trial_end({run, 1, "job", TrialOutcome::kSucceeded}));
    store->add_reply(experiment, "q", {"digest", std::string("\0\xff frame", 8)});
    store->add_ranker({"signature", 1, 7, std::string("\0model\0", 7)});
    transaction.commit();
  }
  const auto store = open_store(file_);
  const auto experiment = store->find_experiment("e");
  ASSERT_TRUE(experiment);
  EXPECT_EQ(experiment->signature, "signature");
  EXPECT_EQ(experiment->optimize_mode, OptimizeMode::kMinimize);
  EXPECT_EQ(experiment->seed, 5);
  EXPECT_EQ(experiment->budget, 4);
  EXPECT_TRUE(store->find_run(experiment->id, "r"));
  const auto rows = store->configurations(experiment->id);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].parameters, R"({"x":0})");
  EXPECT_EQ(rows[0].metric, 0.1);
  EXPECT_FALSE(rows[1].has_result);
  EXPECT_EQ(rows[1].outcome, TrialOutcome::kFailed);
  EXPECT_EQ(store->find_reply("e", "q")->frame, std::string("\0\xff frame", 8));
  EXPECT_EQ(store->latest_ranker("signature")->model, std::string("\0model\0", 7));
  EXPECT_EQ(store->count_results("signature"), 1);
}

TEST_F(SqliteStoreTest, WhatIsNotCommittedIsGone) {
  const auto store = open_store(file_);
  {
    StoreTransaction transaction(*store);
    add_experiment(*store, "e");
  }
  EXPECT_FALSE(store->find_experiment("e"));
}

TEST_F(SqliteStoreTest, CommitsWaitForTheDiskWhereACrashOfTheMachineShallNotUndoThem) {
  const auto store = open_store(file_);
  const auto flushes_of = [&](const std::string& name, Durability durability) {
    const int before = flushes;
    StoreTransaction transaction(*store, durability);
    add_experiment(*store, name);
    transaction.commit();
    return flushes - before;
  };
  EXPECT_GT(flushes_of("a", Durability::kMachine), 0);
  EXPECT_EQ(flushes_of("b", Durability::kProcess), 0);
  EXPECT_EQ(flushes_of("c", Durability::kProcess), 0);
  EXPECT_GT(flushes_of("d", Durability::kMachine), 0);
}

TEST_F(SqliteStoreTest, AProcessThatDiesTakesNothingCommittedAlong) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open_store(file_);
    StoreTransaction transaction(*store, Durability::kProcess);
    add_experiment(*store, "e");
    transaction.commit();
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(open_store(file_)->find_experiment("e"));
}

TEST_F(SqliteStoreTest, AParameterIdHasOneConfigurationAndOneResult) {
  const auto store = open_store(file_);
  const auto experiment = add_experiment(*store, "e");
  const auto run = store->add_run(experiment, "r");
  const auto row = add_configuration(*store, experiment, run, 0);
  EXPECT_THAT(error_of([&] { add_configuration(*store, experiment, run, 0); }), HasSubstr("UNIQUE"));
  store->add_result(row, "1", 1);
  EXPECT_THAT(error_of([&] { store->add_result(row, "2", 2); }), HasSubstr("UNIQUE"));
  EXPECT_THAT(error_of([&] { store->add_result(row + 100, "2", 2); }), HasSubstr("FOREIGN KEY"));
}

TEST_F(SqliteStoreTest, ExperienceIsNumbersOfTrialsThatDidNotFail) {
  const auto store = open_store(file_);
  const auto experiment = add_experiment(*store, "e");
  const auto run = store->add_run(experiment, "r");
  for (int id = 0; id < 4; ++id) add_configuration(*store, experiment, run, id);
  const auto rows = store->configurations(experiment);
  store->add_result(rows[0].id, "0.5", 0.5);
  store->add_result(rows[1].id, "\"text\"", std::nullopt);
  store->add_result(rows[2].id, "0.25", 0.25);
  store->add_trial_end({run, 2, "", TrialOutcome::kFailed});
  const auto experience = store->experience("signature");
  ASSERT_EQ(experience.size(), 1u);
  EXPECT_EQ(experience[0].experiment, "e");
  EXPECT_EQ(experience[0].metric, 0.5);
  EXPECT_EQ(experience[0].optimize_mode, OptimizeMode::kMinimize);
  EXPECT_EQ(store->count_past_tasks("signature", experiment), 0);
  EXPECT_EQ(store->count_past_tasks("signature", experiment + 1), 1);
}

TEST_F(SqliteStoreTest, FailedTrialsWithoutParameterIdAreMatchedByTheirJob) {
  const auto store = open_store(file_);
  const auto experiment = add_experiment(*store, "e");
  const auto run = store->add_run(experiment, "r");
  ConfigurationRecord configuration;
  configuration.run = run;
  configuration.trial_job_id = "job";
  configuration.fingerprint = configuration.parameters = "{}";
  store->add_configuration(experiment, configuration);
  store->add_trial_end({run, std::nullopt, "another", TrialOutcome::kFailed});
  EXPECT_EQ(store->configurations(experiment)[0].outcome, std::nullopt);
  EXPECT_EQ(store->trial_outcome(configuration), std::nullopt);
  store->add_trial_end({run, std::nullopt, "job", TrialOutcome::kFailed});
  EXPECT_EQ(store->configurations(experiment)[0].outcome, TrialOutcome::kFailed);
  EXPECT_EQ(store->trial_outcome(configuration), TrialOutcome::kFailed);
}

TEST_F(SqliteStoreTest, RepliesAndRankersAreBounded) {
  const auto store = open_store(file_);
  StoreTransaction transaction(*store);
  const auto experiment = add_experiment(*store, "e");
  const auto other = add_experiment(*store, "other");
  store->add_reply(other, "q0", {"d", "f"});
  const int count = ExperienceStore::kKeptReplies + 10;
  for (int i = 0; i < count; ++i) store->add_reply(experiment, "q" + std::to_string(i), {"d", "f"});
  EXPECT_FALSE(store->find_reply("e", "q9"));
  EXPECT_TRUE(store->find_reply("e", "q10"));
  EXPECT_TRUE(store->find_reply("other", "q0")) << "the bound is each experiment's own";
  for (int version = 1; version <= 9; ++version) store->add_ranker({"s", version, 1, "m"});
  EXPECT_EQ(store->rankers().size(), static_cast<std::size_t>(ExperienceStore::kKeptRankers));
  EXPECT_EQ(store->latest_ranker("s")->version, 9);
}

TEST_F(SqliteStoreTest, AnotherProcessIsRefusedByNameAndPid) {
  const auto store = open_store(file_);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string message = error_of([&] { StoreLock lock(file_); });
    [[maybe_unused]] const ssize_t written = ::write(ends[1], message.data(), message.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  char text[500] = {};
  [[maybe_unused]] const ssize_t count = ::read(ends[0], text, sizeof(text) - 1);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(std::string(text),
            file_ + ": locked by another hyperfd-tuner (process " + std::to_string(::getpid()) + ")");
}

TEST_F(SqliteStoreTest, ALinkLeadsToTheSameLock) {
  const auto store = open_store(file_);
  const std::string link = file_ + "-link";
  ASSERT_EQ(::symlink(file_.c_str(), link.c_str()), 0);
  EXPECT_THAT(error_of([&] { open_store(link); }), HasSubstr("locked by another hyperfd-tuner"));
}

TEST_F(SqliteStoreTest, LockEndsWithItsHolder) {
  open_store(file_).reset();
  EXPECT_EQ(error_of([&] { open_store(file_); }), "");
}

TEST_F(SqliteStoreTest, ReadersSeeCommittedDataWhileAWriterWorks) {
  const auto writer = open_store(file_);
  add_experiment(*writer, "committed");
  StoreTransaction transaction(*writer);
  add_experiment(*writer, "pending");
  const auto reader = open_store(file_, StoreAccess::kReadOnly);
  ASSERT_EQ(reader->experiments().size(), 1u);
  EXPECT_EQ(reader->experiments()[0].name, "committed");
  EXPECT_THAT(error_of([&] { reader->add_run(1, "r"); }), HasSubstr("readonly"));
}

TEST_F(SqliteStoreTest, MissingFileIsNotMadeByAReader) {
  EXPECT_EQ(error_of([&] { open_store(file_, StoreAccess::kReadOnly); }), file_ + ": does not exist");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(SqliteStoreTest, FilesThatAreNoStoresAreNamed) {
  write_file_atomically(file_, std::string(5000, 'x'));
  EXPECT_THAT(error_of([&] { open_store(file_); }), StartsWith(file_ + ": "));
  EXPECT_THAT(error_of([&] { open_store(file_); }), HasSubstr("not a database"));
  EXPECT_EQ(read_file(file_), std::string(5000, 'x')) << "somebody's file must not be touched";
  std::filesystem::create_directories(folder_.file("folder"));
  EXPECT_EQ(error_of([&] { open_store(folder_.file("folder")); }),
            folder_.file("folder") + ": is a folder, expected a file");
}

// Changes bytes of a file in place.
void overwrite(const std::string& file, std::streamoff offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(offset);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST_F(SqliteStoreTest, ForeignDatabaseAndLaterVersionAreRefused) {
  open_store(file_).reset();
  // SQLite's header: user version at byte 60, application id at byte 68, big-endian.
  overwrite(file_, 60, std::string("\0\0\0\x09", 4));
  EXPECT_EQ(error_of([&] { open_store(file_); }), file_ + ": schema version 9, this program reads versions up to 3");
  overwrite(file_, 68, std::string("\0\0\0\0", 4));
  EXPECT_EQ(error_of([&] { open_store(file_); }), file_ + ": a SQLite database, but not an experience store");
}

TEST_F(SqliteStoreTest, DatasetsAreKeptToTheLastBitAndWithheldNumbersStayWithheld) {
  DatasetRecord dataset;
  dataset.extractor = std::string(64, 'a');
  dataset.image_features = 252;
  dataset.images = 1000;
  dataset.statistics = {{"boxes", 0.1}, {"images", kWithheld}};
  dataset.feature = {0.1f, -1e-30f};
  dataset.ranker_signature = "signature";
  dataset.ranker_version = 3;
  {
    const auto store = open_store(file_);
    StoreTransaction transaction(*store);
    dataset.task = add_experiment(*store, "e");
    store->set_dataset({dataset.task, "", 0, 0, {{"old", 1}}, {}, "", 0});
    store->set_dataset(dataset);
    const auto run = store->add_run(dataset.task, "r");
    store->add_result(add_configuration(*store, dataset.task, run, 0), "1", 1.0);
    DatasetRecord without_results = dataset;
    without_results.task = add_experiment(*store, "f");
    store->set_dataset(without_results);
    transaction.commit();
  }
  const auto store = open_store(file_);
  const auto found = store->find_dataset(dataset.task);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->extractor, dataset.extractor);
  EXPECT_EQ(found->images, 1000);
  EXPECT_EQ(found->statistics.at(0).value, 0.1);
  EXPECT_TRUE(std::isnan(found->statistics.at(1).value));
  EXPECT_EQ(found->feature, dataset.feature);
  EXPECT_EQ(found->ranker_version, 3);
  EXPECT_EQ(store->datasets("signature").size(), 1u) << "of tasks with results";
  EXPECT_EQ(store->count_experiments(""), 2);
  EXPECT_EQ(store->count_experiments("e"), 1);
  EXPECT_FALSE(store->find_dataset(99));
}

// store_v1.sqlite: made by `suggest -n 2`, twice, `suggest`, and `report` of version 1, on hpo.yaml.
TEST_F(SqliteStoreTest, AStoreOfVersion1IsReadAndBroughtUpToDate) {
  write_file_atomically(file_, read_file(HYPERFD_SOURCE_DIR "/tests/tuner/platform/store_v1.sqlite"));
  EXPECT_EQ(open_store(file_, StoreAccess::kReadOnly)->experiments().at(0).results, 1);
  EXPECT_EQ(read_file(file_)[63], 1) << "a reader changes nothing";
  {
    const auto store = open_store(file_);
    const auto record = store->find_experiment("faces");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->annotation, "");
    EXPECT_FALSE(store->find_dataset(record->id));
    EXPECT_EQ(store->configurations(record->id).size(), 5u);
    EXPECT_EQ(store->experience(record->signature).at(0).metric, 0.83);
    StoreTransaction transaction(*store);
    ExperimentRecord changed = *record;
    changed.annotation = R"({"encoder":"mlp"})";
    store->update_experiment(changed);
    transaction.commit();
  }
  EXPECT_EQ(open_store(file_)->find_experiment("faces")->annotation, R"({"encoder":"mlp"})");
}

TEST_F(SqliteStoreTest, MergingAddsWhatIsMissingWithAllThatBelongsToIt) {
  const std::string other_file = folder_.file("it's other.sqlite"), copy = folder_.file("copy.sqlite");
  const auto other = open_store(other_file);
  {
    StoreTransaction transaction(*other);
    add_experiment(*other, "both");
    const auto experiment = add_experiment(*other, "theirs");
    const auto run = other->add_run(experiment, "r");
    const auto good = add_configuration(*other, experiment, run, 0),
               failed = add_configuration(*other, experiment, run, 1);
    other->add_result(good, "0.25", 0.25);
    other->add_result(failed, "0.5", 0.5);
    other->add_intermediate_result({good, 3, "0.2"});
    other->add_trial_end({run, 1, "job", TrialOutcome::kFailed});
    other->set_dataset({experiment, "hash", 2, 5, {{"images", 5}}, {1, 2}, "signature", 3});
    other->add_offline_features(experiment, "features");
    other->add_ranker({"signature", 3, 2, "model"});
    other->add_reply(experiment, "q", {"digest", "frame"});
    transaction.commit();
  }
  other->export_to(copy);

  const auto store = open_store(file_);
  {
    StoreTransaction transaction(*store);
    const auto experiment = add_experiment(*store, "ours");
    const auto run = store->add_run(experiment, "r");
    store->add_result(add_configuration(*store, experiment, run, 0), "0.75", 0.75);
    add_experiment(*store, "both");
    transaction.commit();
  }
  for (const std::string& file : {other_file, copy}) {  // one in use, and one whose experiments are all there by then
    const MergedExperience merged = store->merge(file);
    const bool is_first = file == other_file;
    EXPECT_EQ(merged.experiments, is_first ? 1 : 0);
    EXPECT_EQ(merged.results, is_first ? 2 : 0);
    EXPECT_EQ(merged.rankers, is_first ? 1 : 0);
  }

  const auto theirs = store->find_experiment("theirs");
  ASSERT_TRUE(theirs);
  EXPECT_EQ(theirs->budget, 4);
  const auto configurations = store->configurations(theirs->id);
  ASSERT_EQ(configurations.size(), 2u);
  EXPECT_EQ(configurations[0].metric, 0.25);
  EXPECT_EQ(configurations[1].outcome, TrialOutcome::kFailed);
  EXPECT_EQ(configurations[1].parameter_id, 1);
  EXPECT_FALSE(store->add_intermediate_result({configurations[0].id, 3, "0.2"}));
  const auto experience = store->experience("signature");
  ASSERT_EQ(experience.size(), 2u);
  EXPECT_EQ(experience[0].experiment, "ours");
  EXPECT_EQ(experience[1].experiment, "theirs");
  EXPECT_EQ(experience[1].metric, 0.25);
  const auto dataset = store->find_dataset(theirs->id);
  ASSERT_TRUE(dataset);
  EXPECT_EQ(dataset->feature, (std::vector<float>{1, 2}));
  ASSERT_EQ(store->offline_features("signature").size(), 1u);
  EXPECT_EQ(store->offline_features("signature")[0], std::make_pair(theirs->id, std::string("features")));
  EXPECT_EQ(store->latest_ranker("signature")->version, 3);
  EXPECT_FALSE(store->find_reply("theirs", "q"));
}

TEST_F(SqliteStoreTest, MergingABundleThatWasMadeAgainReplacesTheEarlierOne) {
  const auto make_bundle = [&](const std::string& name, double metric, const std::string& hash, std::int64_t version) {
    const std::string file = folder_.file(name);
    const auto bundle = open_store(file);
    StoreTransaction transaction(*bundle);
    const auto task = add_experiment(*bundle, "offline/mask");
    bundle->add_result(add_configuration(*bundle, task, bundle->add_run(task, "warmup"), 0), "x", metric);
    bundle->set_dataset({task, hash, 2, 5, {}, {1, 2}, "signature", version});
    bundle->add_offline_features(task, hash);
    bundle->add_ranker({"signature", version, 1, hash + "'s ranker"});
    transaction.commit();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // creation is known to the millisecond
    return file;
  };
  const std::string early = make_bundle("early", 0.25, "old", 1), late = make_bundle("late", 0.5, "new", 1);
  const auto store = open_store(file_);
  EXPECT_EQ(store->merge(early).rankers, 1);
  {
    StoreTransaction transaction(*store);
    const auto own = add_experiment(*store, "own");
    store->add_result(add_configuration(*store, own, store->add_run(own, "r"), 0), "0.75", 0.75);
    store->add_ranker({"signature", 2, 2, "learned since"});
    store->set_dataset({own, "old", 2, 5, {}, {3, 4}, "signature", 2});
    transaction.commit();
  }
  const MergedExperience merged = store->merge(late);
  EXPECT_EQ(merged.experiments, 1);
  EXPECT_EQ(merged.replaced, 1);
  EXPECT_EQ(merged.results, 1);
  EXPECT_EQ(merged.rankers, 1);
  EXPECT_EQ(store->latest_ranker("signature")->version, 3);
  EXPECT_EQ(store->latest_ranker("signature")->model, "new's ranker");
  EXPECT_TRUE(store->find_dataset(store->find_experiment("own")->id)->feature.empty());
  const auto task = store->find_experiment("offline/mask");
  ASSERT_TRUE(task);
  EXPECT_EQ(store->find_dataset(task->id)->extractor, "new");
  EXPECT_EQ(store->find_dataset(task->id)->ranker_version, 3);
  EXPECT_EQ(store->offline_features("signature"),
            (std::vector<std::pair<std::int64_t, std::string>>{{task->id, "new"}}));
  std::vector<double> metrics;
  for (const auto& result : store->experience("signature")) metrics.push_back(result.metric);
  EXPECT_THAT(metrics, UnorderedElementsAre(0.5, 0.75));
  for (const std::string& file : {late, early}) {  // what is there, and what is older
    EXPECT_EQ(store->merge(file).experiments, 0);
    EXPECT_EQ(store->latest_ranker("signature")->version, 3);
  }
}

TEST_F(SqliteStoreTest, MergingLeavesOutNamesThatStandForTasksOnAnotherSpace) {
  const auto store = open_store(file_);
  {
    StoreTransaction transaction(*store);
    for (const char* name : {"offline/mask", "mine"}) {
      const auto task = add_experiment(*store, name);
      store->add_result(add_configuration(*store, task, store->add_run(task, "r"), 0), "0.25", 0.25);
    }
    store->add_ranker({"signature", 1, 2, "model"});
    transaction.commit();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // what is merged is later
  const std::string other_file = folder_.file("other.sqlite");
  {
    const auto other = open_store(other_file);
    StoreTransaction transaction(*other);
    for (const char* name : {"offline/mask", "offline/new", "mine"}) {
      ExperimentRecord record;
      record.name = name;
      record.space = other->space("architectures", R"({"of":"another space"})");
      other->add_experiment(record);
    }
    other->add_ranker({"architectures", 1, 2, "their model"});
    transaction.commit();
  }
  const MergedExperience merged = store->merge(other_file);
  EXPECT_THAT(merged.of_other_spaces, ElementsAre("offline/mask", "mine"));
  EXPECT_EQ(merged.experiments, 1);
  EXPECT_EQ(merged.replaced, 0);
  EXPECT_EQ(merged.rankers, 1);
  EXPECT_EQ(store->experience("signature").size(), 2u) << "nothing is lost";
  EXPECT_EQ(store->find_experiment("offline/mask")->signature, "signature");
  EXPECT_EQ(store->find_experiment("offline/new")->signature, "architectures");
  EXPECT_EQ(store->latest_ranker("signature")->model, "model");
  EXPECT_EQ(store->latest_ranker("architectures")->model, "their model");
}

TEST_F(SqliteStoreTest, MergingKeepsTheOwnRankerAndDropsMetaFeaturesOfTheOther) {
  const std::string other_file = folder_.file("other.sqlite");
  {
    const auto other = open_store(other_file);
    StoreTransaction transaction(*other);
    const auto experiment = add_experiment(*other, "theirs");
    other->set_dataset({experiment, "hash", 2, 5, {}, {1, 2}, "signature", 3});
    other->add_ranker({"signature", 3, 2, "their model"});
    transaction.commit();
  }
  const auto store = open_store(file_);
  {
    StoreTransaction transaction(*store);
    store->add_ranker({"signature", 7, 2, "our model"});
    transaction.commit();
  }
  EXPECT_EQ(store->merge(other_file).rankers, 0);
  EXPECT_EQ(store->latest_ranker("signature")->model, "our model");
  EXPECT_TRUE(store->find_dataset(store->find_experiment("theirs")->id)->feature.empty());
}

TEST_F(SqliteStoreTest, WhatCannotBeMergedChangesNothing) {
  const auto store = open_store(file_);
  const std::string text = folder_.file("text");
  write_file_atomically(text, "no store");
  EXPECT_THAT(error_of([&] { store->merge(text); }), StartsWith(text));
  EXPECT_THAT(error_of([&] { store->merge(folder_.file("none")); }), HasSubstr("does not exist"));
  EXPECT_THAT(error_of([&] { store->merge(HYPERFD_SOURCE_DIR "/tests/tuner/platform/store_v1.sqlite"); }),
              HasSubstr("schema version 1, expected"));
  EXPECT_THAT(error_of([&] { store->export_to(text); }), HasSubstr("exists"));
  EXPECT_EQ(store->experiments().size(), 0u);
  EXPECT_TRUE(is_store(file_));
  EXPECT_FALSE(is_store(text));
  EXPECT_FALSE(is_store(folder_.file("none")));
}

TEST_F(SqliteStoreTest, DamagedPagesAreFoundWhenOpening) {
  {
    const auto store = open_store(file_);
    StoreTransaction transaction(*store);
    const auto experiment = add_experiment(*store, "e");
    const auto run = store->add_run(experiment, "r");
    for (int id = 0; id < 2000; ++id) add_configuration(*store, experiment, run, id);
    transaction.commit();
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file_));
  overwrite(file_, size / 2, std::string(20'000, '\xa5'));
  EXPECT_THAT(error_of([&] { open_store(file_); }), StartsWith(file_ + ": "));
  std::filesystem::resize_file(file_, 3000);
  EXPECT_THAT(error_of([&] { open_store(file_); }), StartsWith(file_ + ": "));
}

}  // namespace
}  // namespace hyperfd
