#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/process.hpp>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include "tests/trial/training/square_faces.h"
#include "trial/detector/retinaface.h"
#include "trial/training/weights_file.h"
#include "tuner/ranker/dataset_features.h"
#include "tuner/space/architecture.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

namespace bp = boost::process;

struct Finished {
  int exit_code;
  std::string output, errors;
};

// Runs the real program, standalone, whatever started this test.
class TrialCommand : public ::testing::Test {
 protected:
  TrialCommand()
      : faces_("hyperfd_command", 12, 4, 6), recipe_(faces_.folder() + "/quick.yaml"), out_(faces_.folder() + "/out") {
    write_file_atomically(recipe_, to_yaml(SquareFaces::recipe()));
  }

  bp::child start(std::vector<std::string> arguments, bp::ipstream& output, bp::ipstream& errors) const {
    bp::environment environment = boost::this_process::environment();
    for (const char* name : {"NNI_PLATFORM", "NNI_TRIAL_COMMAND_CHANNEL", "NNI_OUTPUT_DIR"}) environment.erase(name);
    return bp::child(bp::exe = HYPERFD_BIN_DIR "/hyperfd-trial", bp::args = arguments, environment,
                     bp::std_out > output, bp::std_err > errors, bp::std_in < bp::null);
  }

  Finished run(const std::vector<std::string>& arguments) const {
    bp::ipstream output, errors;
    bp::child child = start(arguments, output, errors);
    Finished finished;
    finished.output = {std::istreambuf_iterator<char>(output), {}};
    finished.errors = {std::istreambuf_iterator<char>(errors), {}};
    child.wait();
    finished.exit_code = child.exit_code();
    return finished;
  }

  Json result() const { return parse_json(read_file(out_ + "/result.json"), "result.json"); }
  static std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  SquareFaces faces_;
  std::string recipe_, out_;
};

TEST_F(TrialCommand, TrainLeavesItsFilesAndReportsEveryValidation) {
  write_file_atomically(faces_.folder() + "/c.json",
                        R"({"learning_rate": 0.001, "min_crop_ratio": 0.9, "widgets": 3})");
  const Finished finished = run({"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out_, "--params",
                                 faces_.folder() + "/c.json", "--seed", "5"});
  ASSERT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_NE(finished.output.find("Intermediate result: "), std::string::npos);
  EXPECT_NE(finished.output.find("(Index 1)"), std::string::npos);
  EXPECT_NE(finished.output.find("Final result: "), std::string::npos);
  EXPECT_NE(finished.errors.find("unknown key \"widgets\""), std::string::npos);

  EXPECT_EQ(result()["ending"], "completed");
  EXPECT_EQ(result()["seed"], 5);
  EXPECT_EQ(result()["parameters"]["learning_rate"], 0.001);
  EXPECT_EQ(result()["validations"].size(), 2u);
  EXPECT_EQ(load_recipe(out_ + "/recipe.yaml", {}).learning_rate, 0.001);
  EXPECT_EQ(lines(read_file(out_ + "/train.jsonl")), 2u);
  EXPECT_FALSE(cv::imread(out_ + "/curves.png").empty());
  EXPECT_FALSE(cv::imread(out_ + "/detections.png").empty());

  const Finished evaluated = run({"evaluate", "--data", faces_.folder(), "--weights", out_ + "/best.pt", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  EXPECT_DOUBLE_EQ(parse_json(evaluated.output, "output")["ap50_area"].get<double>(),
                   result()["test_ap"].get<double>());

  const Finished detected = run({"detect", "--weights", out_ + "/best.pt", faces_.folder() + "/images/0.png", "--out",
                                 out_ + "/found", "--score", "0.01"});
  ASSERT_EQ(detected.exit_code, 0) << detected.errors;
  EXPECT_FALSE(cv::imread(out_ + "/found/0.png").empty());
}

TEST_F(TrialCommand, TrainStartsFromRandomWeightsWhenToldTo) {
  const Finished finished = run({"train", "--data", faces_.folder(), "--recipe", "mini", "--weights", "", "--set",
                                 "epochs=1", "--set", "validate_every=1", "--set", "batch_norm=normal", "--out", out_});
  ASSERT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_EQ(load_recipe(out_ + "/recipe.yaml", {}).weights, "");
}

TEST_F(TrialCommand, DerivedDataSetsAreMadeTrainedOnAndEvaluated) {
  const std::string tasks = faces_.folder() + "/tasks", sheet = faces_.folder() + "/sheet.png";
  const Finished made = run({"shift", "--data", faces_.folder(), "--out", tasks, "-n", "1", "--kinds", "rotate",
                             "--images-per-task", "22", "--sheet", sheet});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  EXPECT_FALSE(cv::imread(sheet).empty());
  const std::string task = tasks + "/01_rotate";
  const Finished trained = run({"train", "--data", task, "--recipe", recipe_, "--out", out_});
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  const Finished evaluated = run({"evaluate", "--data", task, "--weights", out_ + "/best.pt", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  EXPECT_DOUBLE_EQ(parse_json(evaluated.output, "output")["ap50_area"].get<double>(),
                   result()["test_ap"].get<double>());

  ASSERT_EQ(run({"fisheye", "--data", task, "--out", tasks + "/fisheye"}).exit_code, 0);
  ASSERT_EQ(run({"materialise", "--data", tasks + "/fisheye", "--out", tasks + "/copy"}).exit_code, 0);
  EXPECT_EQ(cv::imread(tasks + "/copy/images/0.png").cols, cv::imread(tasks + "/copy/images/0.png").rows);
  const Finished again = run({"materialise", "--data", task, "--out", tasks + "/copy"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_NE(again.errors.find("copy: expected a new or empty folder"), std::string::npos);
  const Finished cleaned =
      run({"clean", "--data", task, "--detections", "none.json", "--out", faces_.folder() + "/cleaned.json"});
  EXPECT_EQ(cleaned.exit_code, 2);
  EXPECT_NE(cleaned.errors.find("is derived"), std::string::npos);
}

// The images of the test split, detected one by one and scored from files, give what `evaluate --data` gives.
TEST_F(TrialCommand, DetectWritesWhatEvaluateReads) {
  const std::string folder = faces_.folder(), found = folder + "/found.json", test = folder + "/test.json";
  ASSERT_EQ(run({"train", "--data", folder, "--recipe", recipe_, "--out", out_, "--set", "epochs=40", "--set",
                 "validate_every=40"})
                .exit_code,
            0);
  const Json splits = load_json_or_yaml(folder + "/splits.json");
  Json annotations = load_json_or_yaml(folder + "/annotations.json");
  Json listed = Json::array();
  std::vector<std::string> arguments = {"detect",        "--weights", out_ + "/best.pt", "--json", found,
                                        "--annotations", test,        "--score",         "0.02"};
  for (const Json& file : splits["test"]) {
    for (const Json& image : annotations["images"]) {
      if (image["file_name"] == file) listed.push_back(image);
    }
    arguments.push_back(folder + "/" + file.get<std::string>());
  }
  annotations["images"] = listed;
  write_file_atomically(test, annotations.dump());
  const Finished detected = run(arguments);
  ASSERT_EQ(detected.exit_code, 0) << detected.errors;
  EXPECT_FALSE(std::filesystem::exists("detections")) << "only --json was asked for";

  const Finished from_data = run({"evaluate", "--data", folder, "--weights", out_ + "/best.pt", "--json"});
  const Finished from_files = run({"evaluate", "--detections", found, "--annotations", test, "--json"});
  ASSERT_EQ(from_files.exit_code, 0) << from_files.errors;
  const Json expected = parse_json(from_data.output, "output"), got = parse_json(from_files.output, "output");
  for (const char* count : {"images", "faces", "detections"}) EXPECT_EQ(got[count], expected[count]) << count;
  EXPECT_GT(got["ap50_area"], 0.1);
  EXPECT_NEAR(got["ap50_area"], expected["ap50_area"], 1e-3);
  for (const char* rule : {"coco", "wider"}) {
    for (const auto& [name, value] : expected[rule].items())
      EXPECT_NEAR(got[rule][name], value, 1e-3) << rule << " " << name;
  }
}

// The public RetinaFace with a recipe beside its weights; pycocotools gives it an AP50 of 0.96 at the larger side of
// 640.
TEST_F(TrialCommand, DetectRunsAPublicDetector) {
  const std::string shared = HYPERFD_SOURCE_DIR "/../shared/data";
  const std::string weights = shared + "/weights/retinaface_mobilenet0.25_Final.zip.pth";
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << weights << " is not on this machine";
  Recipe recipe;
  recipe.backbone = "mobilenet_v1_x0.25";
  recipe.channels = 64;
  const std::string public_weights = faces_.folder() + "/public.pt", found = faces_.folder() + "/found.json";
  save_weights(public_weights, {load_weights(weights).tensors, to_yaml(recipe)});

  const Finished detected = run({"detect", "--weights", public_weights, shared + "/fddb/images", "--native", "--score",
                                 "0.02", "--json", found, "--annotations", shared + "/fddb/annotations.json"});
  ASSERT_EQ(detected.exit_code, 0) << detected.errors;
  const Finished evaluated =
      run({"evaluate", "--detections", found, "--annotations", shared + "/fddb/annotations.json", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  EXPECT_GT(parse_json(evaluated.output, "output")["coco"]["AP50"], 0.93);

  const Finished drawn = run({"detect", "--weights", public_weights, shared + "/mask/images/maksssksksss1.jpg",
                              shared + "/mask/images/maksssksksss101.jpg", "--out", out_});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.errors;
  EXPECT_FALSE(cv::imread(out_ + "/maksssksksss1.png").empty());
}

TEST_F(TrialCommand, ImportWeightsHalvesAFile) {
  const std::string best = out_ + "/best.pt", half = faces_.folder() + "/half.pt";
  ASSERT_EQ(run({"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out_}).exit_code, 0);
  ASSERT_EQ(run({"import-weights", best, "--half", "--out", half}).exit_code, 0);
  EXPECT_LT(std::filesystem::file_size(half), 0.6 * static_cast<double>(std::filesystem::file_size(best)));
  EXPECT_EQ(run({"evaluate", "--data", faces_.folder(), "--weights", half}).exit_code, 0);

  Weights large = load_weights(best);
  large.tensors.begin()->second.fill_(1e6f);
  save_weights(best, large);
  const Finished refused = run({"import-weights", best, "--half", "--out", half});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.errors.find(large.tensors.begin()->first + ": has numbers beyond 65504"), std::string::npos)
      << refused.errors;
}

TEST_F(TrialCommand, DetectReadsAndWritesVideo) {
  const std::string folder = faces_.folder(), film = folder + "/film.avi", found = folder + "/film.json";
  ASSERT_EQ(run({"train", "--data", folder, "--recipe", recipe_, "--out", out_}).exit_code, 0);
  cv::VideoWriter writer(film, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 10, {96, 80});
  for (int i = 0; i < 5; ++i) writer.write(cv::imread(folder + "/images/" + std::to_string(i) + ".png"));
  writer.release();

  const Finished finished = run({"detect", "--weights", out_ + "/best.pt", film, folder + "/images/0.png", "--out",
                                 out_, "--json", found, "--score", "0", "--native", "--nms", "0.9"});
  ASSERT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_NE(finished.output.find("in 5 frames"), std::string::npos) << finished.output;
  cv::VideoCapture video(out_ + "/film.mp4");
  EXPECT_EQ(video.get(cv::CAP_PROP_FRAME_COUNT), 5);
  EXPECT_EQ(video.get(cv::CAP_PROP_FRAME_WIDTH), 600);
  const Json list = load_json_or_yaml(found);
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list.front()["frame"], 0);
  EXPECT_EQ(list.front()["image_id"], 1);
  EXPECT_EQ(list.front()["keypoints"].size(), 15u);
  EXPECT_EQ(list.back()["image_id"], 6);
  EXPECT_FALSE(list.back().contains("frame"));

  const Finished broken = run({"detect", "--weights", out_ + "/best.pt", folder + "/nowhere.mp4"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_NE(broken.errors.find("nowhere.mp4: no such file"), std::string::npos) << broken.errors;
}

// Loss and learning rate of every epoch of a run.
Json epochs_of(const std::string& out) {
  std::istringstream lines(read_file(out + "/train.jsonl"));
  Json epochs = Json::array();
  for (std::string line; std::getline(lines, line);) {
    const Json epoch = parse_json(line, "train.jsonl");
    epochs.push_back(Json::array({epoch.at("loss"), epoch.at("learning_rate")}));
  }
  return epochs;
}

// What a run remembers differs: the optimiser's state, and the learning rate's.
class KilledTrial : public TrialCommand, public ::testing::WithParamInterface<std::vector<std::string>> {};

// Killed at four moments of its life, the run ends as if nothing had happened.
TEST_P(KilledTrial, GoesOnAndEndsAsTheUninterruptedOne) {
  // Many more epochs than the last kill waits for, as the run goes on while a busy machine gets round to killing it.
  std::vector<std::string> settings = {"epochs=30", "average=0.9", "validate_every=3", "stop_patience=100"};
  settings.insert(settings.end(), GetParam().begin(), GetParam().end());
  const auto arguments = [&](const std::string& out) {
    std::vector<std::string> all = {"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out};
    all.insert(all.end(), {"--checkpoint-every", "0"});
    for (const std::string& setting : settings) all.insert(all.end(), {"--set", setting});
    return all;
  };
  const std::string whole = faces_.folder() + "/whole";
  ASSERT_EQ(run(arguments(whole)).exit_code, 0);
  const Json expected = parse_json(read_file(whole + "/result.json"), "whole");

  int going_on = 0;
  for (const std::size_t epochs : {2u, 5u, 8u, 13u}) {
    bp::ipstream output, errors;
    bp::child child = start(arguments(out_), output, errors);
    while (child.running() &&
           (!std::filesystem::exists(out_ + "/train.jsonl") || lines(read_file(out_ + "/train.jsonl")) < epochs))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(child.id(), SIGKILL);
    child.wait();
    const std::string log{std::istreambuf_iterator<char>(errors), {}};
    going_on += log.find("going on behind epoch") != std::string::npos;
  }
  EXPECT_EQ(going_on, 3);  // all but the first
  // A torn write costs one checkpoint.
  const std::string checkpoint = read_file(out_ + "/checkpoint.pt");
  write_file_atomically(out_ + "/checkpoint.pt", checkpoint.substr(0, checkpoint.size() / 2));
  const Finished last = run(arguments(out_));
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  EXPECT_NE(last.errors.find("checkpoint.pt"), std::string::npos) << last.errors;
  EXPECT_NE(last.errors.find("going on behind epoch"), std::string::npos) << last.errors;
  EXPECT_EQ(result()["validations"], expected["validations"]);
  EXPECT_EQ(result()["test_ap"], expected["test_ap"]);
  EXPECT_EQ(lines(read_file(out_ + "/train.jsonl")), 30u);
  EXPECT_EQ(epochs_of(out_), epochs_of(whole));
  EXPECT_FALSE(std::filesystem::exists(out_ + "/checkpoint.pt"));
}

INSTANTIATE_TEST_SUITE_P(Recipes, KilledTrial,
                         ::testing::Values(std::vector<std::string>{"optimizer=adam", "schedule=cosine"},
                                           std::vector<std::string>{"optimizer=sgd", "schedule=plateau",
                                                                    "plateau_patience=1"}));

TEST_F(TrialCommand, ARunThatDivergesBeforeItsFirstValidationHasAResult) {
  const Finished finished = run({"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out_, "--set",
                                 "optimizer=sgd", "--set", "learning_rate=1e30", "--set", "gradient_clip=0", "--set",
                                 "warmup_epochs=0", "--set", "epochs=50", "--set", "validate_every=50"});
  ASSERT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_NE(finished.output.find("Final result: "), std::string::npos) << finished.output;
  EXPECT_NE(finished.errors.find("there was no validation before"), std::string::npos) << finished.errors;
  EXPECT_EQ(result()["ending"], "diverged");
  EXPECT_EQ(result()["best_epoch"], 0);
  EXPECT_TRUE(result()["test_ap"].is_null());
}

TEST_F(TrialCommand, AnInterruptReportsTheBestValidationAndSucceeds) {
  bp::ipstream output, errors;
  bp::child child =
      start({"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out_, "--set", "epochs=100000"}, output,
            errors);
  std::string line, all;
  while (std::getline(output, line) && line.find("Intermediate result") == std::string::npos) all += line;
  ::kill(child.id(), SIGINT);
  while (std::getline(output, line)) all += line + "\n";
  child.wait();
  EXPECT_EQ(child.exit_code(), 0);
  EXPECT_NE(all.find("Final result: "), std::string::npos);
  EXPECT_EQ(result()["ending"], "interrupted");
  EXPECT_TRUE(result()["test_ap"].is_null());
  EXPECT_TRUE(std::filesystem::exists(out_ + "/best.pt"));
  EXPECT_FALSE(cv::imread(out_ + "/curves.png").empty());
}

TEST_F(TrialCommand, ProfileCountsANameAConfigurationAndWeights) {
  const auto profile = [&](const std::string& network) {
    const Finished finished = run({"profile", network, "--runs", "1", "--size", "96x64", "--json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return parse_json(finished.output, "output");
  };
  const Json named = profile("mobilenet_v2_x0.5");
  EXPECT_GT(named["latency_ms"].get<double>(), 0);
  EXPECT_EQ(named["channels"], 80);
  EXPECT_EQ(profile("mobilenet_v1_x0.25")["channels"], 64);
  EXPECT_EQ(named["backbone_cost"], profile(to_text(mobilenet_v2_half()))["backbone_cost"]);

  const SearchSpace space = SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.yaml");
  write_file_atomically(faces_.folder() + "/c.json", space.at(*space.size() - 1).dump());
  EXPECT_EQ(profile(faces_.folder() + "/c.json")["detector_cost"], profile("proxylessnas_largest")["detector_cost"]);

  Recipe recipe = SquareFaces::recipe();
  recipe.backbone = to_text(*architecture_from(space.at(7), "parameters"));
  RetinaFace network(recipe.detector());
  save_weights(faces_.folder() + "/w.pt", weights_of(*network, to_yaml(recipe)));
  EXPECT_EQ(profile(faces_.folder() + "/w.pt")["backbone"], recipe.backbone);

  const Finished wrong = run({"profile", "mobilenet_v2"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.errors.find("ARCH: backbone: unknown backbone \"mobilenet_v2\""), std::string::npos) << wrong.errors;
}

// What a user gets wrong costs one line on stderr and exit code 2.
TEST_F(TrialCommand, UserErrorsAreOneLine) {
  const auto train = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", "--data", faces_.folder(), "--recipe", recipe_, "--out", out_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  write_file_atomically(faces_.folder() + "/bad.json", R"({"learning_rate": "abc"})");
  const struct {
    Finished finished;
    std::string message;
  } cases[] = {
      {train({"--params", faces_.folder() + "/bad.json"}),
       "parameters: learning_rate: expected a number > 0, got \"abc\""},
      {train({"--set", "epohcs=2"}), "unknown key \"epohcs\"; did you mean \"epochs\"?"},
      {train({"--device", "gpu"}), "--device: expected auto, cpu or cuda, got \"gpu\""},
      {run({"train", "--data", faces_.folder() + "/nowhere", "--out", out_}), "nowhere"},
      {run({"train"}), "--data is required"},
      {run({"evaluate", "--data", faces_.folder(), "--weights", recipe_}), "expected weights"},
      {run({"evaluate", "--detections", "d.json"}), "--annotations is required with --detections"},
      {run({"evaluate", "--detections", "d.json", "--annotations", recipe_ + "x"}), recipe_ + "x"},
      {run({"evaluate", "--weights", recipe_}), "--data is required"},
      {run({"dance"}), "dance"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(one.finished.exit_code, 2) << one.finished.errors;
    EXPECT_NE(one.finished.errors.find(one.message), std::string::npos) << one.finished.errors;
    EXPECT_EQ(lines(one.finished.errors), 1u) << one.finished.errors;
  }
}

TEST_F(TrialCommand, DescribeWritesFeaturesAndKeepsThoseOfSingleImages) {
  const std::string file = faces_.folder() + "/a.features", again = faces_.folder() + "/b.features";
  const Finished described = run({"describe", "--data", faces_.folder(), "--out", file, "--split", "all"});
  ASSERT_EQ(described.exit_code, 0) << described.errors;
  const DatasetFeatures features = DatasetFeatures::deserialize(read_file(file), file);
  EXPECT_EQ(features.images.size(0), 22);
  EXPECT_EQ(features.images.size(1), 3 * (64 + 4));
  ASSERT_GT(features.statistic_names.size(), 2u);
  EXPECT_EQ(features.statistic_names[1], "log1p(boxes)");

  ASSERT_TRUE(std::filesystem::is_directory(faces_.folder() + "/.hyperfd"));
  ASSERT_EQ(run({"describe", "--data", faces_.folder(), "--out", again, "--split", "all", "--threads", "1"}).exit_code,
            0);
  EXPECT_EQ(read_file(again), read_file(file));
  ASSERT_EQ(
      run({"describe", "--data", faces_.folder(), "--out", again, "--no-cache", "--without", "landmarks"}).exit_code,
      0);
  const DatasetFeatures fewer = DatasetFeatures::deserialize(read_file(again), again);
  EXPECT_EQ(fewer.images.size(0), 12);
  EXPECT_EQ(fewer.statistic_names, (std::vector<std::string>{"log1p(images)", "log1p(boxes)"}));

  const std::string task = faces_.folder() + "/task";
  write_file_atomically(task + "/derived.json", R"({"source": "..", "shift": [{"kind": "rotate", "degrees": 180}]})");
  ASSERT_EQ(run({"describe", "--data", task, "--out", again, "--split", "all"}).exit_code, 0);
  const DatasetFeatures turned = DatasetFeatures::deserialize(read_file(again), again);
  EXPECT_EQ(turned.extractor, features.extractor);
  EXPECT_FALSE(turned.images.equal(features.images));
}

TEST_F(TrialCommand, DescribeSaysWhatWouldLeaveAndWritesNothing) {
  const Finished dry = run({"describe", "--data", faces_.folder(), "--numbers", "cameras=3", "--dry-run"});
  ASSERT_EQ(dry.exit_code, 0) << dry.errors;
  for (const char* word : {"64 numbers", "log1p(boxes)=", "cameras=3", "What stays: images", "needs --least-images"})
    EXPECT_NE(dry.output.find(word), std::string::npos) << word << dry.output;

  const std::string table = faces_.folder() + "/houses.csv", file = faces_.folder() + "/houses.features";
  write_file_atomically(table, "rooms,price\n3,100\n4,130\n");
  ASSERT_EQ(run({"describe", "--table", table, "--target", "price", "--out", file}).exit_code, 0);
  EXPECT_EQ(DatasetFeatures::deserialize(read_file(file), file).images.size(0), 0);
}

TEST_F(TrialCommand, DescribeRefusesInOneLine) {
  const std::string out = faces_.folder() + "/a.features";
  const struct {
    Finished finished;
    const char* message;
  } cases[] = {
      {run({"describe", "--data", faces_.folder()}), "--out is required, or else --dry-run"},
      {run({"describe", "--out", out}), "--data is required, or else --table or --numbers"},
      {run({"describe", "--numbers", "rooms=many", "--out", out}),
       "--numbers: expected name=number, got \"rooms=many\""},
      {run({"describe", "--numbers", "a=1,a=2", "--out", out}), "statistics: a is there twice"},
      {run({"describe", "--numbers", "a=nan", "--out", out}), "statistics: a: expected a finite number"},
      {run({"describe", "--data", faces_.folder(), "--weights", recipe_, "--out", out}), "expected weights"},
      {run({"describe", "--data", faces_.folder(), "--classifier", recipe_, "--out", out}), "expected weights"},
      {run({"describe", "--data", faces_.folder(), "--without", "boxes", "--out", out}), "boxes"},
      {run({"describe", "--table", "none.csv", "--out", out}), "none.csv"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(one.finished.exit_code, 2) << one.finished.errors;
    EXPECT_NE(one.finished.errors.find(one.message), std::string::npos) << one.finished.errors;
    EXPECT_EQ(lines(one.finished.errors), 1u) << one.finished.errors;
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(TrialCommand, HelpTeaches) {
  const Finished finished = run({"train", "--help"});
  EXPECT_EQ(finished.exit_code, 0);
  for (const char* word : {"--data", "--recipe", "learning_rate", "Examples"}) {
    EXPECT_NE(finished.output.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace hyperfd
