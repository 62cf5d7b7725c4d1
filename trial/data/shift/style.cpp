// Shifts of how the world is rendered: grey, thermal cameras, drawings. Faces stay where they are.
#include <algorithm>
#include <map>

#include <opencv2/imgproc.hpp>

#include "trial/data/shift/shift.h"

namespace hyperfd {
namespace {

template <typename Change>
Shift on_pixels(Change change) {
  return [change](ShiftedImage& image, Rng&, const AnotherImage&) {
    if (!image.pixels.empty()) change(image.pixels);
  };
}

cv::Mat grey_of(const cv::Mat& pixels) {
  cv::Mat grey;
  cv::cvtColor(pixels, grey, cv::COLOR_BGR2GRAY);
  return grey;
}

void smooth(cv::Mat& pixels, double strength, int times) {
  for (int i = 0; i < times; ++i) {
    cv::Mat smoothed;
    cv::bilateralFilter(pixels, smoothed, 7, strength, 5);
    pixels = smoothed;
  }
}

// Dark lines where a picture is darker than what surrounds it.
cv::Mat outlines_of(const cv::Mat& pixels) {
  cv::Mat grey, lines;
  cv::medianBlur(grey_of(pixels), grey, 5);
  cv::adaptiveThreshold(grey, lines, 255, cv::ADAPTIVE_THRESH_MEAN_C, cv::THRESH_BINARY, 9, 4);
  return lines;
}

const std::map<std::string, int>& palettes() {
  static const std::map<std::string, int> maps = {{"grey", -1},
                                                  {"bone", cv::COLORMAP_BONE},
                                                  {"cool", cv::COLORMAP_COOL},
                                                  {"hot", cv::COLORMAP_HOT},
                                                  {"inferno", cv::COLORMAP_INFERNO},
                                                  {"jet", cv::COLORMAP_JET},
                                                  {"ocean", cv::COLORMAP_OCEAN},
                                                  {"rainbow", cv::COLORMAP_RAINBOW},
                                                  {"twilight", cv::COLORMAP_TWILIGHT},
                                                  {"viridis", cv::COLORMAP_VIRIDIS}};
  return maps;
}

std::vector<std::string> palette_names() {
  std::vector<std::string> names;
  for (const auto& [name, map] : palettes()) names.push_back(name);
  return names;
}

Shift make_palette(ShiftParameters& parameters) {
  const int map = palettes().at(parameters.choice("map", palette_names()));
  const bool inverted = parameters.flag_or("inverted", false);
  return on_pixels([=](cv::Mat& pixels) {
    cv::Mat grey = grey_of(pixels);
    if (inverted) cv::bitwise_not(grey, grey);
    if (map < 0)
      cv::cvtColor(grey, pixels, cv::COLOR_GRAY2BGR);
    else
      cv::applyColorMap(grey, pixels, map);
  });
}

Shift make_edge_preserving(ShiftParameters& parameters) {
  const double strength = parameters.number("strength", 1, 200);
  const int times = parameters.integer("times", 1, 20);
  return on_pixels([=](cv::Mat& pixels) { smooth(pixels, strength, times); });
}

Shift make_flat_colours(ShiftParameters& parameters) {
  const int levels = parameters.integer("levels", 2, 32);
  const bool outlines = parameters.flag_or("outlines", false);
  cv::Mat table(1, 256, CV_8U);
  for (int value = 0; value < 256; ++value)
    table.at<uchar>(value) = cv::saturate_cast<uchar>((value * levels / 256 + 0.5) * 256 / levels);
  return on_pixels([=](cv::Mat& pixels) {
    const cv::Mat lines = outlines ? outlines_of(pixels) : cv::Mat();
    smooth(pixels, 40, 2);
    cv::LUT(pixels, table, pixels);
    if (outlines) pixels.setTo(cv::Scalar::all(20), lines == 0);
  });
}

// Grey divided by its blurred self: paper is white, lines stay ("colour dodge").
Shift make_pencil(ShiftParameters& parameters) {
  const double sigma = parameters.number("sigma", 0.5, 50);
  const bool coloured = parameters.flag_or("coloured", false), negative = parameters.flag_or("negative", false);
  return on_pixels([=](cv::Mat& pixels) {
    const cv::Mat grey = grey_of(pixels);
    cv::Mat surroundings, drawing;
    cv::GaussianBlur(grey, surroundings, {}, sigma);
    cv::divide(grey, surroundings + 1, drawing, 250);
    if (negative) cv::bitwise_not(drawing, drawing);
    if (coloured) {
      cv::Mat lab;
      cv::cvtColor(pixels, lab, cv::COLOR_BGR2Lab);
      cv::insertChannel(drawing, lab, 0);
      cv::cvtColor(lab, pixels, cv::COLOR_Lab2BGR);
    } else {
      cv::cvtColor(drawing, pixels, cv::COLOR_GRAY2BGR);
    }
  });
}

}  // namespace

std::vector<ShiftKind> style_kinds() {
  std::string maps;
  for (const std::string& name : palette_names()) maps += (maps.empty() ? "" : ", ") + name;
  return {
      {"edge_preserving", "areas smoothed, edges kept: strength (grey values), times", false, make_edge_preserving,
       [](Rng& rng) {
         return Json{{"strength", rng.uniform(40, 120)}, {"times", 3 + rng.below(6)}};
       }},
      {"flat_colours", "a drawing in few colours: levels (of each channel), outlines", false, make_flat_colours,
       [](Rng& rng) {
         return Json{{"levels", 2 + rng.below(5)}, {"outlines", rng.below(2) == 1}};
       }},
      {"pencil", "a pencil drawing: sigma (pixels), coloured, negative", false, make_pencil,
       [](Rng& rng) {
         return Json{{"sigma", rng.uniform(1.5, 12)}, {"coloured", rng.below(3) == 0}, {"negative", rng.below(3) == 0}};
       }},
      {"palette", "brightness as colour, as thermal cameras show it: map (" + maps + "), inverted", false, make_palette,
       [](Rng& rng) {
         const std::vector<std::string> names = palette_names();
         return Json{{"map", names[rng.below(names.size())]}, {"inverted", rng.below(2) == 1}};
       }},
      {"grey", "no colours", false,
       [](ShiftParameters&) {
         return on_pixels([](cv::Mat& pixels) { cv::cvtColor(grey_of(pixels), pixels, cv::COLOR_GRAY2BGR); });
       },
       [](Rng&) { return Json::object(); }},
  };
}

}  // namespace hyperfd
