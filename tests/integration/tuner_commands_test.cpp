#include <filesystem>
#include <numeric>
#include <set>
#include <sstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/tuner_process.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/base/version.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TunerCommands : public ::testing::Test {
 protected:
  TunerCommands() {
    write_file_atomically(space_,
                          R"({"x":{"_type":"choice","_value":[1,2,3]},"y":{"_type":"choice","_value":["a","b"]}})");
  }
  void expect_refusal(const std::vector<std::string>& arguments, int exit_code, const std::string& message) {
    const Finished finished = run_tuner(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    EXPECT_THAT(finished.err, StartsWith("hyperfd-tuner: "));
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_EQ(finished.err.find('\n'), finished.err.size() - 1) << "one line: " << finished.err;
  }

  TemporaryFolder folder_;
  std::string space_ = folder_.file("space.json");
  std::string store_ = folder_.file("store.sqlite");
};

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(parse_json(line, line));
  return lines;
}

TEST_F(TunerCommands, HelpAndVersion) {
  EXPECT_EQ(run_tuner({"--version"}).out, std::string("hyperfd-tuner ") + kVersion + "\n");
  const std::string overview = run_tuner({"--help"}).out;
  for (const char* command : {"serve", "keygen", "inspect", "suggest", "report", "space", "bench"}) {
    EXPECT_THAT(overview, HasSubstr(command));
    const Finished help = run_tuner({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("Example")) << command;
  }
}

TEST_F(TunerCommands, AskAndTellWithoutNni) {
  std::set<std::string> seen;
  for (int round = 0; round < 3; ++round) {
    const Finished asked =
        run_tuner({"suggest", "--space", space_, "-n", "2", "--store", store_, "--experiment", "faces"});
    ASSERT_EQ(asked.exit_code, 0) << asked.err;
    for (const Json& configuration : json_lines(asked.out)) {
      EXPECT_TRUE(seen.insert(configuration.dump()).second) << configuration;
      const std::string value = std::to_string(configuration["x"].get<int>());
      const Finished told = run_tuner({"report", "--space", space_, "--store", store_, "--experiment", "faces",
                                       "--params", configuration.dump(), "--value", value});
      EXPECT_EQ(told.out, "recorded\n") << told.err;
    }
  }
  EXPECT_EQ(seen.size(), 6u);
  expect_refusal({"suggest", "--space", space_, "--store", store_, "--experiment", "faces"}, 2, "suggested already");

  const Finished inspected = run_tuner({"inspect", "--store", store_, "--json"});
  const Json report = parse_json(inspected.out, "inspect");
  ASSERT_EQ(report["experiments"].size(), 1u);
  EXPECT_EQ(report["experiments"][0]["experiment"], "faces");
  EXPECT_EQ(report["experiments"][0]["results"], 6);
  EXPECT_EQ(report["experiments"][0]["best"], 3);
  EXPECT_EQ(report["experiments"][0]["best_parameters"]["x"], 3);
  EXPECT_THAT(run_tuner({"inspect", "--store", store_}).out, HasSubstr("faces"));
}

TEST_F(TunerCommands, TheModeOfAnExperimentStaysUnlessSaidOtherwise) {
  run_tuner({"suggest", "--space", space_, "--store", store_, "--minimize"});
  run_tuner({"report", "--space", space_, "--store", store_, "--params", R"({"x":1,"y":"a"})", "--value", "5"});
  const Json report = parse_json(run_tuner({"inspect", "--store", store_, "--json"}).out, "inspect");
  EXPECT_EQ(report["experiments"][0]["optimize_mode"], "minimize");
}

TEST_F(TunerCommands, SeedReproducesSuggestions) {
  const auto suggest = [&](const char* seed) {
    return run_tuner({"suggest", "--space", space_, "-n", "3", "--seed", seed}).out;
  };
  EXPECT_EQ(json_lines(suggest("1")).size(), 3u);
  EXPECT_EQ(suggest("1"), suggest("1"));
}

TEST_F(TunerCommands, SpaceIsCountedAndSampled) {
  EXPECT_EQ(run_tuner({"space", space_, "--count"}).out, "6\n");
  EXPECT_EQ(json_lines(run_tuner({"space", space_, "--sample", "5"}).out).size(), 5u);
  const Json report = parse_json(run_tuner({"space", space_, "--json", "--sample", "2"}).out, "space");
  EXPECT_EQ(report["size"], 6);
  EXPECT_EQ(report["samples"].size(), 2u);
  EXPECT_EQ(run_tuner({"space", HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml", "--count"}).out, "216\n");
}

TEST_F(TunerCommands, ASpaceTooLargeToCountIsSaidToBe) {
  const auto write_randint = [&](const std::string& high) {
    const std::string dimension = R"({"_type":"randint","_value":[0,)" + high + "]}";
    write_file_atomically(space_, R"({"x":)" + dimension + R"(,"y":)" + dimension + "}");
  };
  const auto json_size = [&] { return parse_json(run_tuner({"space", space_, "--json"}).out, "space").at("size"); };
  write_randint("4294967295");
  EXPECT_EQ(run_tuner({"space", space_, "--count"}).out, "18446744065119617025\n");
  EXPECT_EQ(json_size(), 18446744065119617025u);
  write_randint("4294967296");
  EXPECT_EQ(run_tuner({"space", space_, "--count"}).out, "more than 1.8e19\n");
  EXPECT_THAT(run_tuner({"space", space_}).out, HasSubstr("more than 1.8e19 configurations, signature "));
  EXPECT_TRUE(json_size().is_null());
}

TEST_F(TunerCommands, AnAnnotationBesideTheSpaceIsFoundAndHolds) {
  const std::string constraints = R"({"constraints":{"table":[{"name":"t","forbidden":[{"x":[1,2]}]}]}})";
  write_file_atomically(folder_.file("space.hyperfd.json"), constraints);
  const Json report = parse_json(run_tuner({"space", space_, "--json", "--sample", "20"}).out, "space");
  EXPECT_EQ(report["annotation"]["feasible"], 2);
  for (const Json& sample : report["samples"]) EXPECT_EQ(sample["x"], 3);
  EXPECT_THAT(run_tuner({"space", space_}).out, HasSubstr("constraints t: 2 configurations, "));

  const std::vector<std::string> ask = {"suggest", "--space", space_, "-n", "6", "--store", store_};
  EXPECT_EQ(json_lines(run_tuner(ask).out).size(), 2u);
  expect_refusal({"report", "--space", space_, "--store", store_, "--params", R"({"x":1,"y":"a"})", "--value", "1"}, 2,
                 R"(constraint t: {"x":[1,2]} is forbidden)");
  write_file_atomically(folder_.file("none.yaml"), "encoder: mlp\n");
  std::vector<std::string> unconstrained = ask;
  unconstrained.insert(unconstrained.end(), {"--annotation", folder_.file("none.yaml")});
  EXPECT_EQ(json_lines(run_tuner(unconstrained).out).size(), 4u) << "the rest of the space";
}

TEST_F(TunerCommands, SpacesThatComeWithTheProjectAreExplained) {
  const std::string spaces = HYPERFD_SOURCE_DIR "/search_spaces/";
  for (const char* name : {"hpo", "proxylessnas", "joint", "training", "classifier"}) {
    EXPECT_EQ(run_tuner({"space", spaces + name + ".yaml"}).exit_code, 0) << name;
  }
  const std::string text = run_tuner({"space", spaces + "proxylessnas.yaml"}).out;
  EXPECT_THAT(text, HasSubstr("1447052760824832 configurations"));
  EXPECT_THAT(text, HasSubstr("constraints cost: 100.0 % of 2000 random ones"));
  const Json report = parse_json(run_tuner({"space", spaces + "classifier.yaml", "--json"}).out, "space");
  EXPECT_EQ(report["annotation"]["encoder"], "gin");
  EXPECT_LE(report["annotation"]["architecture"]["multiply_adds"][1], 12'000'000);
}

TEST_F(TunerCommands, InspectWorksBesideAServer) {
  ServingTuner tuner(store_, "ipc://" + folder_.file("tuner.sock"));
  tuner.wait_until_it_answers();
  EXPECT_EQ(run_tuner({"inspect", "--store", store_}).out, "no experiments yet\n");
  expect_refusal({"suggest", "--space", space_, "--store", store_}, 4, "locked by another hyperfd-tuner");
}

TEST_F(TunerCommands, AStoreStartsFromABundleAndGrowsByOthers) {
  const std::string table = folder_.file("table.jsonl"), bundle = folder_.file("bundle.sqlite");
  const Finished made = run_tuner({"bench", "table", "--simulated", "tasks=4,similarity=0.8"});
  write_file_atomically(table, made.out);
  const std::string space = HYPERFD_SOURCE_DIR "/search_spaces/hpo.yaml";
  const Finished warmed =
      run_tuner({"warmup", "--table", table, "--space", space, "--out", bundle, "--rounds", "2", "--iterations", "20"});
  EXPECT_EQ(warmed.exit_code, 0) << warmed.err;
  EXPECT_THAT(warmed.out, HasSubstr("4 tasks, 0 of them with image features, 864 results"));
  EXPECT_THAT(warmed.out, HasSubstr("validation NDCG"));
  expect_refusal({"warmup", "--table", table, "--space", space, "--out", bundle}, 2, "exists");
  const std::string grouped = folder_.file("grouped.sqlite");
  ASSERT_EQ(run_tuner({"warmup", "--table", table, "--space", space, "--out", grouped, "--rounds", "1", "--iterations",
                       "5", "--group", "nas"})
                .exit_code,
            0);
  EXPECT_THAT(run_tuner({"inspect", "--store", grouped, "--json"}).out, HasSubstr("\"offline/nas/"));
  expect_refusal({"warmup", "--table", table, "--space", space, "--out", "x", "--group", "a/b"}, 2,
                 "--group: expected letters");

  // The second start finds all of it in the store.
  for (int start = 0; start < 2; ++start) {
    ServingTuner tuner(store_, "ipc://" + folder_.file("tuner.sock"), {"--bundle", bundle});
    tuner.wait_until_it_answers();
    tuner.signal(SIGTERM);
    EXPECT_EQ(tuner.wait(), 0);
    const Json inspected = parse_json(run_tuner({"inspect", "--store", store_, "--json"}).out, "inspect");
    ASSERT_EQ(inspected["experiments"].size(), 4u);
    EXPECT_THAT(inspected["experiments"][0]["experiment"], StartsWith("offline/"));
    ASSERT_EQ(inspected["rankers"].size(), 1u);
    EXPECT_EQ(inspected["rankers"][0]["version"], 1);
  }
  EXPECT_THAT(run_tuner({"inspect", "--store", store_}).out, HasSubstr("and 4 offline tasks with 864 results"));

  // What a user has learned goes the same way, from a store in use, into one that knows something else.
  ASSERT_EQ(run_tuner({"report", "--space", space, "--store", store_, "--experiment", "cameras", "--params",
                       run_tuner({"suggest", "--space", space, "--store", store_, "--experiment", "cameras"}).out,
                       "--value", "0.5"})
                .out,
            "recorded\n");
  ServingTuner user(store_, "ipc://" + folder_.file("user.sock"));
  user.wait_until_it_answers();
  const std::string exported = folder_.file("exported.sqlite"), other = folder_.file("other.sqlite");
  EXPECT_EQ(run_tuner({"export", "--store", store_, "--out", exported}).exit_code, 0);
  expect_refusal({"export", "--store", store_, "--out", exported}, 4, "exists");
  EXPECT_EQ(run_tuner({"suggest", "--space", space_, "--store", other, "--experiment", "theirs"}).exit_code, 0);
  EXPECT_EQ(run_tuner({"import", exported, "--store", other}).out,
            "5 experiments with 865 results added, and their ranker\n");
  EXPECT_EQ(run_tuner({"import", exported, "--store", other}).out, "0 experiments with 0 results added\n");
  const Json inspected = parse_json(run_tuner({"inspect", "--store", other, "--json"}).out, "inspect");
  ASSERT_EQ(inspected["experiments"].size(), 6u);
  EXPECT_EQ(inspected["experiments"][0]["experiment"], "theirs");
  EXPECT_EQ(inspected["experiments"][5]["experiment"], "cameras");
  EXPECT_EQ(inspected["experiments"][5]["best"], 0.5);
}

TEST_F(TunerCommands, WhatComesWithTheProgramKnowsConfigurationsAndArchitectures) {
  const std::string bundle = HYPERFD_SOURCE_DIR "/models/faces.sqlite";
  EXPECT_LT(read_file(bundle).size(), 20u << 20);
  ServingTuner tuner(store_, "ipc://" + folder_.file("tuner.sock"), {"--bundle", "faces"});
  tuner.wait_until_it_answers();
  tuner.signal(SIGTERM);
  ASSERT_EQ(tuner.wait(), 0);
  const Json known = parse_json(run_tuner({"inspect", "--store", store_, "--json"}).out, "inspect");
  EXPECT_GE(known["experiments"].size(), 40u);
  ASSERT_EQ(known["rankers"].size(), 2u);
  // A new task on one of these spaces is one of its ranker's.
  std::set<Json> of_rankers, of_tasks;
  for (const Json& ranker : known["rankers"]) of_rankers.insert(ranker["space"]);
  for (const std::string name : {"hpo", "proxylessnas"}) {
    const std::string space = HYPERFD_SOURCE_DIR "/search_spaces/" + name + ".yaml";
    EXPECT_EQ(run_tuner({"suggest", "--space", space, "--store", store_, "--experiment", name}).exit_code, 0);
    const Json after = parse_json(run_tuner({"inspect", "--store", store_, "--json"}).out, "inspect");
    of_tasks.insert(after["experiments"].back()["space"]);
    EXPECT_EQ(after["rankers"], known["rankers"]);
  }
  EXPECT_EQ(of_tasks, of_rankers);
}

TEST_F(TunerCommands, BadBundles) {
  const std::string text = folder_.file("text.sqlite"), socket = "ipc://" + folder_.file("tuner.sock");
  write_file_atomically(text, "not a database, but long enough to be looked at as one");
  expect_refusal({"serve", "--store", store_, "--endpoint", socket, "--bundle", text}, 4, text);
  expect_refusal({"serve", "--store", store_, "--endpoint", socket, "--bundle", "fcaes"}, 2, "--bundle: no such file");
  const std::string old = folder_.file("old.sqlite");
  write_file_atomically(old, read_file(HYPERFD_SOURCE_DIR "/tests/tuner/platform/store_v1.sqlite"));
  expect_refusal({"import", old, "--store", store_}, 4, "schema version 1, expected");
  expect_refusal({"import", text, "--store", store_}, 2, "--space is required");

  // What is wrong with a bundle is known before there is a store.
  const std::string cut = folder_.file("cut.sqlite"), fresh = folder_.file("new/store.sqlite");
  const std::string whole = read_file(store_);
  write_file_atomically(cut, std::string_view(whole).substr(0, whole.size() / 2));
  expect_refusal({"import", cut, "--store", fresh}, 4, cut);
  expect_refusal({"import", old, "--store", fresh}, 4, "schema version 1, expected");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("new")));
}

TEST_F(TunerCommands, ABundleIsToldApartFromTasksOfTheSameNames) {
  const std::string bundle = folder_.file("bundle.sqlite");
  const auto add = [](const std::string& file, const std::vector<std::string>& names, const std::string& signature) {
    const auto store = open_store(file);
    StoreTransaction transaction(*store);
    for (const std::string& name : names) {
      ExperimentRecord record;
      record.name = name;
      record.space = store->space(signature, "{\"of\":\"" + signature + "\"}");
      store->add_experiment(record);
    }
    transaction.commit();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // creation is known to the millisecond
  };
  std::vector<std::string> twelve = {"mine"};
  for (int i = 1; i < 12; ++i) twelve.push_back("offline/" + std::to_string(i));
  add(store_, {"offline/a", "offline/b"}, "hpo");
  add(store_, twelve, "hpo");
  add(bundle, {"offline/a", "offline/b", "offline/c"}, "hpo");
  add(bundle, {"offline/1", "mine"}, "nas");
  const Finished imported = run_tuner({"import", bundle, "--store", store_});
  EXPECT_EQ(imported.exit_code, 0);
  EXPECT_EQ(imported.out, "3 experiments with 0 results added, 2 of them in the place of older ones\n");
  EXPECT_EQ(imported.err,
            "skipped offline/1: here it is of another search space; make the bundle with warmup --group\n"
            "skipped mine: here it is of another search space\n");

  const std::string large = folder_.file("large.sqlite");
  add(large, twelve, "nas");
  const Finished none = run_tuner({"import", large, "--store", store_});
  EXPECT_EQ(none.out, "0 experiments with 0 results added\n");
  EXPECT_THAT(none.err, HasSubstr("skipped offline/9: "));
  EXPECT_EQ(none.err.find("skipped offline/10: "), std::string::npos);
  EXPECT_THAT(none.err, EndsWith("\nand 2 more\n"));
}

TEST_F(TunerCommands, ResultsOfOtherProgramsAreImportedOnce) {
  const std::string runs = folder_.file("runs.csv");
  write_file_atomically(runs, "x, y, value\n1, a, 0.1\n1, a, 0.30000000000000004\n2, b, 0.5\n9, a, 1\n");
  const std::vector<std::string> arguments = {"import", runs, "--space", space_, "--store", store_};
  EXPECT_EQ(run_tuner(arguments).out, "3 results recorded as experiment runs, 0 known already, 1 skipped\n");
  EXPECT_EQ(run_tuner(arguments).out, "0 results recorded as experiment runs, 3 known already, 1 skipped\n");

  const std::vector<std::string> report = {
      "report",  "--space", space_, "--store", store_, "--experiment", "runs", "--params", R"({"x":2,"y":"b"})",
      "--value", "0.7"};
  EXPECT_THAT(run_tuner(report).out, StartsWith("known already"));
}

TEST_F(TunerCommands, AnImportDoesNotTurnTheModeOfAnExperiment) {
  const std::string runs = folder_.file("runs.csv"), other = folder_.file("other/runs.csv");
  write_file_atomically(runs, "x,y,value\n1,a,0.1\n2,b,0.5\n");
  write_file_atomically(other, "x,y,value\n1,b,30\n");
  ASSERT_EQ(run_tuner({"import", runs, "--space", space_, "--store", store_}).exit_code, 0);
  expect_refusal({"import", other, "--space", space_, "--store", store_, "--minimize"}, 2,
                 "experiment runs: exists with optimize_mode maximize, these results are to minimize; choose another "
                 "name with --experiment");
  const Json kept = parse_json(run_tuner({"inspect", "--store", store_, "--json"}).out, "inspect");
  ASSERT_EQ(kept["experiments"].size(), 1u);
  EXPECT_EQ(kept["experiments"][0]["optimize_mode"], "maximize");
  EXPECT_EQ(kept["experiments"][0]["results"], 2);
  const std::vector<std::string> named = {"import", other,        "--space",      space_,  "--store",
                                          store_,   "--minimize", "--experiment", "losses"};
  EXPECT_EQ(run_tuner(named).exit_code, 0);
  EXPECT_EQ(run_tuner({"import", other, "--space", space_, "--store", store_, "--experiment", "losses"}).out,
            "0 results recorded as experiment losses, 1 known already, 0 skipped\n")
      << "without a flag the experiment's mode holds";
}

TEST_F(TunerCommands, ErrorsAreOneLineAndACode) {
  write_file_atomically(folder_.file("bad.json"), R"({"lr":{"_type":"uniform","_value":["abc",1]}})");
  expect_refusal({}, 2, "expected a command: serve");
  expect_refusal({"serv"}, 2, "unknown command \"serv\"; did you mean \"serve\"?");
  expect_refusal({"inspect", "--stor", store_}, 2, "unknown option \"--stor\"; did you mean \"--store\"?");
  expect_refusal({"space", folder_.file("bad.json")}, 2, "lr._value[0]: expected a number, got \"abc\"");
  expect_refusal({"space", folder_.file("missing.json")}, 2, "missing.json");
  expect_refusal({"inspect", "--store", folder_.file("missing")}, 4, "missing: does not exist");
  expect_refusal({"inspect", "--store", space_}, 4, "not a database");
  expect_refusal({"serve", "--store", store_, "--endpoint", "http://x"}, 2, "expected ipc://PATH or tcp://HOST:PORT");
  expect_refusal({"serve", "--store", store_, "--endpoint", "tcp://127.0.0.1:*"}, 2, "tcp needs server-key");
  expect_refusal({"serve", "--store", store_, "--endpoint", "ipc://" + folder_.file(std::string(120, 'a'))}, 2, "107");
  expect_refusal({"serve", "--store", store_, "--log-level", "inof"}, 2, "did you mean \"info\"?");
  expect_refusal({"suggest", "--space", space_, "--policy", "rnadom"}, 2, "did you mean \"random\"?");
  expect_refusal({"suggest", "--space", space_, "-n", "0"}, 2, "-n");
  expect_refusal({"report", "--space", space_, "--store", store_, "--params", "{\"x\":9,\"y\":\"a\"}", "--value", "1"},
                 2, "x: ");
  expect_refusal(
      {"report", "--space", space_, "--store", store_, "--params", "{\"x\":1,\"y\":\"a\"}", "--value", "one"}, 2,
      "value: ");
  write_file_atomically(folder_.file("bad.hyperfd.yaml"), "constraints: {linear: [{sum: {z: 1}, max: 1}]}\n");
  expect_refusal({"space", space_, "--annotation", folder_.file("bad.hyperfd.yaml")}, 2,
                 "bad.hyperfd.yaml: constraints.linear[0].sum.z: unknown key of the search space \"z\"; known: x, y");
  write_file_atomically(folder_.file("bad.hyperfd.yaml"), "constraints: {linear: [{sum: {x: 1}, max: 0}]}\n");
  expect_refusal({"space", space_, "--annotation", folder_.file("bad.hyperfd.yaml"), "--sample", "1"}, 2,
                 "constraint linear[0] turned away 10000 of 10000");
  run_tuner({"keygen", folder_.file("keys")});
  expect_refusal({"keygen", folder_.file("keys")}, 2, "exists already");
}

TEST_F(TunerCommands, BenchComparesPoliciesOnMadeUpTasksAndOnTables) {
  const Finished simulated = run_tuner({"bench", "replay", "--simulated", "tasks=4,similarity=1", "--policies",
                                        "random,average_rank,nearest_task:neighbours=2", "--seeds", "3", "--json"});
  EXPECT_EQ(simulated.exit_code, 0) << simulated.err;
  const Json report = parse_json(simulated.out, "report");
  EXPECT_EQ(report["tasks"], 3);
  EXPECT_EQ(report["budget"], 4);
  EXPECT_EQ(report["seeds"], 3);
  const Json& policies = report["policies"];
  EXPECT_LT(policies["average_rank"]["rank_mean"].get<double>(), policies["random"]["rank_mean"].get<double>());
  EXPECT_TRUE(policies["random"]["p_vs_random"].is_null());
  EXPECT_EQ(policies["average_rank"]["p_vs_random"], 0.25) << "the least that three pairs can give";
  EXPECT_TRUE(policies.contains("nearest_task:neighbours=2"));
  EXPECT_EQ(policies.size(), 3u) << "best_on_source was not asked for";
  for (const auto& [name, policy] : policies.items()) {
    EXPECT_TRUE(policy.at("rank_std").is_number()) << name;
    EXPECT_TRUE(policy.at("delta_ap_std").is_number()) << name;
    EXPECT_TRUE(policy.at("p_vs_best_on_source").is_number()) << name;
    for (const auto& [one_a_seed, mean] : {std::pair("ranks", "rank_mean"), std::pair("delta_aps", "delta_ap_mean")}) {
      const auto numbers = policy.at(one_a_seed).get<std::vector<double>>();
      EXPECT_EQ(numbers.size(), 3u) << name << ' ' << one_a_seed;
      EXPECT_NEAR(std::accumulate(numbers.begin(), numbers.end(), 0.0) / 3, policy.at(mean).get<double>(), 1e-9)
          << name;
    }
  }
  const Finished alone =
      run_tuner({"bench", "replay", "--simulated", "tasks=3", "--policies", "average_rank", "--seeds", "2", "--json"});
  const Json of_one = parse_json(alone.out, "report").at("policies");
  ASSERT_EQ(of_one.size(), 1u);
  EXPECT_TRUE(of_one.at("average_rank").at("p_vs_random").is_number());
  EXPECT_TRUE(of_one.at("average_rank").at("p_vs_best_on_source").is_number());
  const Finished both = run_tuner({"bench", "replay", "--simulated", "tasks=3", "--policies", "random", "--seeds", "2",
                                   "--budget", "3,1", "--json"});
  const Json reports = parse_json(both.out, "reports");
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0]["budget"], 3);
  EXPECT_EQ(reports[1]["budget"], 1);
  EXPECT_LT(reports[0]["policies"]["random"]["rank_mean"].get<double>(),
            reports[1]["policies"]["random"]["rank_mean"].get<double>());

  const std::string table = folder_.file("table.jsonl");
  write_file_atomically(table, run_tuner({"bench", "table", "--space", space_, "--simulated", "tasks=3"}).out);
  const Finished replayed = run_tuner({"bench", "replay", "--table", table, "--space", space_, "--offline", "offline 0",
                                       "--policies", "best_on_source,random", "--budget", "2"});
  EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
  EXPECT_THAT(replayed.out, HasSubstr("2 online tasks, budget 2, 20 seeds"));

  expect_refusal({"bench", "replay", "--policies", "randm"}, 2, "did you mean \"random\"?");
  expect_refusal({"bench", "replay", "--simulated", "similarty=1"}, 2, "did you mean \"similarity\"?");
  expect_refusal({"bench", "replay", "--table", table}, 2, "--space: needed with --table");
}

}  // namespace
}  // namespace hyperfd
