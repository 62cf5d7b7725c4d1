#include "trial/training/weights_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "trial/detector/retinaface.h"
#include "trial/training/import_weights.h"
#include "trial/training/recipe.h"
#include "tests/message_of.h"
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

TEST_F(WeightsFile, HalfPrecisionIsReadAsFloats) {
  Weights weights = weights_of(*small_network(1), "");
  const Weights whole = weights;
  for (auto& [name, tensor] : weights.tensors) {
    if (tensor.is_floating_point()) tensor = tensor.to(torch::kHalf);
  }
  save_weights(file("half.pt"), weights);
  for (const auto& [name, tensor] : load_weights(file("half.pt")).tensors) {
    EXPECT_EQ(tensor.scalar_type(), whole.tensors.at(name).scalar_type()) << name;
    EXPECT_TRUE(tensor.allclose(whole.tensors.at(name), 1e-3, 1e-6)) << name;
  }
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
  EXPECT_NE(message_of([&] { load_weights(file("text.pt")); }).find("expected weights"), std::string::npos);
  save_weights(file("w.pt"), weights_of(*small_network(1), ""));
  const std::string whole = read_file(file("w.pt"));
  write_file_atomically(file("cut.pt"), whole.substr(0, whole.size() / 2));
  EXPECT_NE(message_of([&] { load_weights(file("cut.pt")); }).find("cut.pt: "), std::string::npos);
  EXPECT_NE(message_of([&] { load_weights(file("none.pt")); }).find("none.pt"), std::string::npos);
}

// A file of PyTorch's format before 1.6 with one float tensor "w" of two elements, whose parts a test may break.
struct LegacyFile {
  std::string magic = std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  std::string version = "\x80\x02M\xe9\x03.";
  std::string machine = "\x80\x02}X" + text("little_endian") + "\x88s.";
  std::string tensor = "ctorch._utils\n_rebuild_tensor_v2\n((X" + text("storage") + "ctorch\nFloatStorage\nX" +
                       text("7") + "X" + text("cpu") + "K\x02NtQK";  // then offset, sizes, strides
  std::string layout = std::string("\0K\x02\x85K\x01\x85", 7);
  std::string object_end = "tRs.";
  std::string keys = "\x80\x02]X" + text("7") + "a.";
  std::string data = std::string("\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40", 16);

  static std::string text(const std::string& content) {
    return std::string(1, static_cast<char>(content.size())) + std::string(3, '\0') + content;
  }
  std::string bytes() const {
    return magic + version + machine + "\x80\x02}X" + text("w") + tensor + layout + object_end + keys + data;
  }
};

TEST_F(WeightsFile, TheFormatBeforePyTorch16IsRead) {
  write_file_atomically(file("old.pth"), LegacyFile().bytes());
  EXPECT_TRUE(load_weights(file("old.pth")).tensors.at("w").equal(torch::tensor({1.0f, 2.0f})));
}

TEST_F(WeightsFile, HostileFilesOfTheOldFormatAreRefused) {
  const auto refused = [&](const LegacyFile& hostile) {
    write_file_atomically(file("bad.pth"), hostile.bytes());
    return message_of([&] { load_weights(file("bad.pth")); });
  };
  LegacyFile hostile;
  hostile.tensor = "cos\nsystem\n(X" + LegacyFile::text("true") + "tR((K";
  EXPECT_EQ(refused(hostile), file("bad.pth") + ": the pickle calls os system, which weights have no use for");
  hostile = {};
  hostile.data[7] = '\x40';
  EXPECT_NE(refused(hostile).find("more than the file holds"), std::string::npos);
  hostile.data[7] = '\x80';
  EXPECT_NE(refused(hostile).find("more than the file holds"), std::string::npos);
  hostile = {};
  hostile.tensor.replace(hostile.tensor.find("K\x02NtQ"), 2, "J\xff\xff\xff\xff");
  EXPECT_NE(refused(hostile).find("negative size"), std::string::npos);
  hostile = {};
  hostile.layout = std::string("\0J\xff\xff\xff\x7f\x85K\0\x85", 10);  // 2³¹−1 elements that are all the same
  EXPECT_NE(refused(hostile).find("w: the tensor has more elements than its storage"), std::string::npos);
  hostile.layout = std::string("\2K\x02\x85K\x01\x85", 7);
  EXPECT_NE(refused(hostile).find("w: the tensor lies outside of its storage"), std::string::npos);
  hostile = {};
  hostile.version = "\x80\x02]q\0h\0a.";  // a list that holds itself
  EXPECT_NE(refused(hostile).find("bad.pth: "), std::string::npos);
  hostile.version = "\x80\x02N" + std::string(1000000, '\x85') + ".";  // nested deeper than any stack
  EXPECT_NE(refused(hostile).find("bad.pth: "), std::string::npos);
}

// Cut and bit-flipped at several hundred places, files are refused or read, never anything else.
TEST_F(WeightsFile, TornAndFlippedFilesDoNoHarm) {
  Weights weights;
  weights.description = "channels: 8\n";
  for (int i = 0; i < 4; ++i) weights.tensors["tensor" + std::to_string(i)] = torch::randn({3, 2});
  save_weights(file("new.pt"), weights);
  const std::map<std::string, std::string> formats = {{"new", read_file(file("new.pt"))}, {"old", LegacyFile().bytes()}};
  for (const auto& [name, whole] : formats) {
    const std::size_t stride = std::max<std::size_t>(1, whole.size() / 400);
    const auto survives = [&](const std::string& bytes) {
      std::ofstream(file("bad.pt"), std::ios::binary) << bytes;
      try {
        load_weights(file("bad.pt"));
        return true;
      } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()).rfind(file("bad.pt") + ": ", 0), 0u) << error.what();
        return false;
      }
    };
    for (std::size_t at = 0; at < whole.size(); at += stride) {
      EXPECT_FALSE(survives(whole.substr(0, at))) << name << " cut at " << at;
      for (const int bit : {0, 3, 7}) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        survives(flipped);
      }
    }
  }
}

TEST_F(WeightsFile, AreIdentified) {
  DetectorOptions options;
  options.backbone = "mobilenet_v1_x0.25";
  options.channels = 64;
  Weights foreign = weights_of(*RetinaFace(options), "");
  const Weights imported = identify_weights(foreign, {"anchor_sizes=[10,20,32,64,128,256]"}, "f.pth");
  const Recipe recipe = recipe_from_yaml(imported.description, "f.pth");
  EXPECT_EQ(recipe.backbone, "mobilenet_v1_x0.25");
  EXPECT_EQ(recipe.evaluation_side, 0);
  EXPECT_EQ(recipe.anchor_sizes.front(), 10);
  EXPECT_EQ(identify_weights(imported, {}, "f.pt").description, imported.description);

  Weights bare;
  for (const auto& [name, tensor] : foreign.tensors) {
    if (name.rfind("body.", 0) == 0) bare.tensors[name.substr(5)] = tensor;
  }
  bare.tensors["fc.weight"] = torch::zeros({1000, 256});
  const Weights backbone = identify_weights(bare, {}, "b.tar");
  EXPECT_EQ(backbone.description, kBackboneOnly);
  EXPECT_EQ(backbone.tensors.size(), bare.tensors.size() - 1);
  EXPECT_EQ(backbone.tensors.count("body.stage1.0.0.weight"), 1u);
  EXPECT_NE(message_of([&] { identify_weights(bare, {"epochs=3"}, "b.tar"); }).find("backbone only"), std::string::npos);

  foreign.tensors["body.stage9.weight"] = torch::zeros(1);
  EXPECT_EQ(message_of([&] { identify_weights(foreign, {}, "f.pth"); }),
            "f.pth: tensor body.stage9.weight fits neither Pytorch_Retinaface's mobilenet0.25 nor its backbone");
}

}  // namespace
}  // namespace hyperfd
