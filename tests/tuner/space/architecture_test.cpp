#include "tuner/space/architecture.h"

#include <functional>

#include <gtest/gtest.h>

#include "tests/message_of.h"
#include "tuner/base/error.h"
#include "tuner/space/backbones.h"
#include "tuner/space/detector_cost.h"
#include "tuner/space/search_space.h"

namespace hyperfd {
namespace {

SearchSpace shipped_space() {
  return SearchSpace::load(HYPERFD_SOURCE_DIR "/search_spaces/proxylessnas.yaml");
}

// A configuration of the space whose stages all have their first or last branch, first or last numbers.
Architecture corner(bool largest) {
  const SearchSpace space = shipped_space();
  return *architecture_from(space.at(largest ? *space.size() - 1 : 0), "parameters");
}

// Table 9: the sum over depths of (2 · 3)^depth, for each stage.
TEST(ProxylessNasSpace, HasTheArchitecturesOfTable9) {
  EXPECT_EQ(*shipped_space().size(), 258ull * 258 * 1548 * 1512 * 1548 * 6);
  EXPECT_EQ(*shipped_space().size(), 1447052760824832ull);
}

TEST(ProxylessNasSpace, EverySampleIsAnArchitectureThatItsTextGivesBack) {
  const SearchSpace space = shipped_space();
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const auto architecture = architecture_from(space.sample(rng), "parameters");
    ASSERT_TRUE(architecture);
    EXPECT_NO_THROW(check(*architecture));
    const std::string text = to_text(*architecture);
    EXPECT_EQ(to_text(architecture_from_text(text)), text);
    EXPECT_EQ(canonical_backbone(text), text);
  }
  EXPECT_EQ(to_text(corner(true)), to_text(proxylessnas_largest()));
}

TEST(ProxylessNasSpace, ContainsMobileNetV2) {
  Json configuration;
  const int depths[] = {2, 3, 4, 3, 3, 1};
  for (int stage = 2; stage <= 7; ++stage) {
    Json& value = configuration["stage" + std::to_string(stage)];
    value["_name"] = "depth" + std::to_string(depths[stage - 2]);
    for (int i = 1; i <= depths[stage - 2]; ++i) {
      value["kernel" + std::to_string(i)] = 3;
      value["expansion" + std::to_string(i)] = 6;
    }
  }
  EXPECT_NO_THROW(shipped_space().check(configuration));
  EXPECT_EQ(to_text(*architecture_from(configuration, "parameters")), to_text(mobilenet_v2_half()));
}

TEST(ArchitectureText, IsAsDocumented) {
  EXPECT_EQ(to_text(mobilenet_v2_half()),
            "16-8s1:k3e1-12s2:k3e6,k3e6-16s2:k3e6,k3e6,k3e6-32s2:k3e6,k3e6,k3e6,k3e6-48s1:k3e6,k3e6,k3e6-"
            "80s2:k3e6,k3e6,k3e6-160s1:k3e6");
}

TEST(ArchitectureText, ErrorsNameTheWrongPart) {
  const auto message = [](const std::string& text) { return message_of([&] { architecture_from_text(text); }); };
  EXPECT_EQ(message("x"), "architecture: expected a stem width like 16, got \"x\"");
  EXPECT_EQ(message("16-8"), "architecture: expected a stage's width and stride like 12s2, got \"8\"");
  EXPECT_EQ(message("16-8s1:k3"), "architecture: expected a block's kernel and expansion like k3e6, got \"k3\"");
  EXPECT_EQ(message("16-8s1:k3e1"), "architecture: expected 7 stages, got 1");
  std::string text = to_text(mobilenet_v2_half());
  text.replace(text.find("12s2:k3"), 7, "12s2:k4");
  EXPECT_EQ(message(text), "architecture: stages[1].blocks[0].kernel: expected 3, 5 or 7, got 4");
  EXPECT_EQ(message_of([] { canonical_backbone("mobilenet_v2_x0.6"); }),
            "unknown backbone \"mobilenet_v2_x0.6\"; did you mean \"mobilenet_v2_x0.5\"?");
}

TEST(ArchitectureFromConfiguration, ErrorsNameKeyAndValue) {
  const SearchSpace space = shipped_space();
  const Json good = space.at(0);
  const auto message = [&](const std::function<void(Json&)>& spoil) {
    Json configuration = good;
    spoil(configuration);
    return message_of([&] { architecture_from(configuration, "parameters"); });
  };
  EXPECT_EQ(message([](Json&) {}), "no InputError");
  EXPECT_EQ(message([](Json& c) { c["stage2"]["kernel1"] = 4; }),
            "parameters: stage2.kernel1: expected 3, 5 or 7, got 4");
  EXPECT_EQ(message([](Json& c) { c["stage2"]["kernel1"] = "3"; }),
            "parameters: stage2.kernel1: expected 3, 5 or 7, got \"3\"");
  EXPECT_EQ(message([](Json& c) { c["stage2"]["expansion1"] = 1e300; }),
            "parameters: stage2.expansion1: expected a whole number from 1 to 32, got 1e+300");
  EXPECT_EQ(message([](Json& c) { c["stage4"].erase("expansion2"); }), "parameters: stage4.expansion2: missing");
  EXPECT_EQ(message([](Json& c) { c["stage2"]["_name"] = "deep"; }),
            "parameters: stage2._name: expected depth1, depth2, …, got \"deep\"");
  EXPECT_EQ(message([](Json& c) { c["stage3"] = 7; }), "parameters: stage3: expected an object with \"_name\", got 7");
  EXPECT_EQ(message([](Json& c) { c.erase("stage7"); }),
            "parameters: stage7: missing; an architecture needs all of stage2 … stage7");
  EXPECT_NE(message([](Json& c) { c["stage2"]["kernel9"] = 3; }).find("unknown key \"kernel9\""), std::string::npos);
  EXPECT_FALSE(architecture_from(Json{{"learning_rate", 0.1}}, "parameters"));
}

// The numbers that detector_cost.h decides by.
TEST(DetectorCost, OfTable9IsBelowThePapersBoundInTheBackboneOnly) {
  EXPECT_EQ(backbone_cost(corner(false)).multiply_adds, 184541440);
  EXPECT_EQ(backbone_cost(mobilenet_v2_half()).multiply_adds, 364348800);
  EXPECT_EQ(backbone_cost(proxylessnas_largest()).multiply_adds, 679248000);
  EXPECT_LT(backbone_cost(proxylessnas_largest()).multiply_adds, kPaperBackboneMultiplyAdds);
  EXPECT_EQ(detector_cost(corner(false), 80).multiply_adds, 725331840);
  EXPECT_GT(detector_cost(mobilenet_v2_half(), 80).multiply_adds, kPaperBackboneMultiplyAdds);
}

// A 12-channel map of 8×6 pixels, two blocks, written out.
TEST(DetectorCost, OfOneStageIsTheHandCount) {
  Architecture small = mobilenet_v2_half();
  Architecture deeper = small;
  small.stages[1].blocks = {{6, 3}};
  deeper.stages[1].blocks = {{6, 3}, {4, 5}};
  // At 32×24 pixels, stage 2 lies at stride 4: 8×6. Its second block: 12 → 48, 5×5, → 12.
  const std::int64_t weights = 12 * 48 + 48 * 25 + 48 * 12;
  const ImageSize size{32, 24};
  EXPECT_EQ(backbone_cost(deeper, size).multiply_adds - backbone_cost(small, size).multiply_adds, weights * 8 * 6);
  EXPECT_EQ(backbone_cost(deeper, size).parameters - backbone_cost(small, size).parameters,
            weights + 2 * 48 + 2 * 48 + 2 * 12);
}

// Pytorch_Retinaface's MobileNetV1 × 0.25 at 64×32 pixels, layer by layer: weights · height · width.
TEST(DetectorCost, OfMobileNetV1IsTheHandCount) {
  const std::int64_t expected = 3 * 8 * 9 * 16 * 32                                                      // stem
                                + (8 * 9 + 8 * 16) * 16 * 32                                             // stride 2
                                + (16 * 9 + 16 * 32) * 8 * 16 + (32 * 9 + 32 * 32) * 8 * 16              // 4
                                + (32 * 9 + 32 * 64) * 4 * 8 + (64 * 9 + 64 * 64) * 4 * 8                // 8
                                + (64 * 9 + 64 * 128) * 2 * 4 + 5 * (128 * 9 + 128 * 128) * 2 * 4        // 16
                                + (128 * 9 + 128 * 256) * 1 * 2 + (256 * 9 + 256 * 256) * 1 * 2;         // 32
  EXPECT_EQ(backbone_cost("mobilenet_v1_x0.25", {64, 32}).multiply_adds, expected);
  const std::int64_t weights = 216 + 200 + 656 + 1312 + 2336 + 4672 + 8768 + 5 * 17536 + 33920 + 67840;
  const std::int64_t outputs = 8 + (8 + 16) + (16 + 32) + (32 + 32) + (32 + 64) + (64 + 64) + (64 + 128) +
                               5 * (128 + 128) + (128 + 256) + (256 + 256);
  EXPECT_EQ(backbone_cost("mobilenet_v1_x0.25").parameters, weights + 2 * outputs);
}

}  // namespace
}  // namespace hyperfd
