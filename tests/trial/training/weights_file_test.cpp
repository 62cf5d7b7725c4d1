#include "trial/training/weights_file.h"

#include <filesystem>
#include <functional>

#include <gtest/gtest.h>
#include <unistd.h>

#include "trial/detector/retinaface.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

class WeightsFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("hyperfd_weights_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  std::string message_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no InputError";
  }

  std::filesystem::path folder_;
};

RetinaFace small_network(std::uint64_t seed) {
  DetectorOptions options;
  options.channels = 8;
  RetinaFace network(options);
  network->initialise(at::detail::createCPUGenerator(seed));
  return network;
}

TEST_F(WeightsFile, GivesBackEveryTensorAndTheDescription) {
  RetinaFace written = small_network(1), read = small_network(2);
  written->forward(torch::randn({2, 3, 64, 64}));  // moves the batch norm statistics
  save_weights(file("w.pt"), weights_of(*written, "channels: 8\n"));
  const Weights weights = load_weights(file("w.pt"));
  EXPECT_EQ(weights.description, "channels: 8\n");
  load_into(*read, weights, "w.pt");
  for (const auto& item : written->named_parameters())
    EXPECT_TRUE(item.value().equal(read->named_parameters()[item.key()]));
  for (const auto& item : written->named_buffers()) EXPECT_TRUE(item.value().equal(read->named_buffers()[item.key()]));
}

TEST_F(WeightsFile, AreACopyThatTrainingDoesNotChange) {
  RetinaFace network = small_network(1);
  const Weights weights = weights_of(*network, "");
  const torch::Tensor before = weights.tensors.at("body.stem.0.weight").clone();
  network->initialise(at::detail::createCPUGenerator(9));
  EXPECT_TRUE(weights.tensors.at("body.stem.0.weight").equal(before));
}

TEST_F(WeightsFile, ErrorsNameTheTensor) {
  RetinaFace network = small_network(1);
  Weights weights = weights_of(*network, "");
  weights.tensors["extra"] = torch::zeros(1);
  EXPECT_EQ(message_of([&] { load_into(*network, weights, "w.pt"); }), "w.pt: tensor extra is not one of this network");
  weights.tensors.erase("extra");
  weights.tensors["body.stem.0.weight"] = torch::zeros({1, 2});
  EXPECT_EQ(message_of([&] { load_into(*network, weights, "w.pt"); }),
            "w.pt: tensor body.stem.0.weight: expected shape [16, 3, 3, 3], got [1, 2]");
  weights.tensors.erase("body.stem.0.weight");
  EXPECT_EQ(message_of([&] { load_into(*network, weights, "w.pt"); }), "w.pt: tensor body.stem.0.weight is missing");
}

TEST_F(WeightsFile, BrokenFilesAreRefused) {
  write_file_atomically(file("text.pt"), "not weights");
  EXPECT_NE(message_of([&] { load_weights(file("text.pt")); }).find("zip format"), std::string::npos);
  save_weights(file("w.pt"), weights_of(*small_network(1), ""));
  const std::string whole = read_file(file("w.pt"));
  write_file_atomically(file("cut.pt"), whole.substr(0, whole.size() / 2));
  EXPECT_NE(message_of([&] { load_weights(file("cut.pt")); }).find("cut.pt: "), std::string::npos);
  EXPECT_NE(message_of([&] { load_weights(file("none.pt")); }).find("none.pt"), std::string::npos);
}

}  // namespace
}  // namespace hyperfd
