// How fast images are described, and how fast the bare network is on the same images with as many threads:
//   build/release/bin/describe_benchmark DATA [THREADS]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <functional>
#include <thread>

#include "trial/describe/describe.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/recipe_files.h"
#include "trial/training/trained_detector.h"

namespace hyperfd {
namespace {

// By the processor's time, of all threads: what else runs on the machine does not count.
double images_per_second(std::size_t images, const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(images) * CLOCKS_PER_SEC / static_cast<double>(std::clock() - start);
}

void on_threads(int threads, std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      torch::set_num_threads(1);
      for (std::size_t at = next++; at < count; at = next++) work(at);
    });
  }
  for (std::thread& worker : workers) worker.join();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const std::string& folder, int threads) {
  set_up_computing(1);
  Warnings warnings;
  const FaceDataset dataset = FaceDataset::load(folder, warnings);
  std::vector<AnnotatedImage> images = dataset.images();
  images.resize(std::min<std::size_t>(images.size(), 200));
  const std::string weights = find_model("mobilenet_v1_x0.25");
  TrainedDetector detector = load_trained_detector(weights);
  const auto read = [&](const AnnotatedImage& image) {
    const cv::Mat seen = read_for_evaluation(folder, image, detector.recipe).image.clone();
    return torch::from_blob(seen.data, {1, seen.rows, seen.cols, 3}, torch::kByte).clone();
  };
  std::vector<torch::Tensor> pixels;
  for (const AnnotatedImage& image : images) pixels.push_back(read(image));
  const auto plain = detector_describer(weights, {}, false), with_outcome = detector_describer(weights, {}, true);
  DescribeOptions options;
  options.threads = threads;
  const auto described = [&](ImageDescriber& describer) {
    return images_per_second(images.size(), [&] { describe_images(folder, images, describer, options, warnings, {}); });
  };
  std::vector<double> network, from_files, features, landmarks, reading;
  const auto detect = [&](const torch::Tensor& image) {
    const torch::NoGradGuard no_gradient;
    detector.network->forward(normalise_pixels(image, torch::kCPU));
  };
  for (int round = 0; round < 5; ++round) {
    network.push_back(images_per_second(images.size(), [&] {
      on_threads(threads, images.size(), [&](std::size_t i) { detect(pixels[i]); });
    }));
    from_files.push_back(images_per_second(images.size(), [&] {
      on_threads(threads, images.size(), [&](std::size_t i) { detect(read(images[i])); });
    }));
    reading.push_back(images_per_second(images.size(), [&] {
      on_threads(threads, images.size(),
                 [&](std::size_t i) { read_for_evaluation(folder, images[i], detector.recipe); });
    }));
    features.push_back(described(*plain));
    options.landmarks = true;
    landmarks.push_back(described(*with_outcome));
    options.landmarks = false;
  }
  const double bare = median(network), fed = median(from_files);
  std::printf("%s, %zu images, %d threads, images per second of a core (median of 5)\n", folder.c_str(), images.size(), threads);
  std::printf("  bare network, images in memory       %7.1f\n", bare);
  std::printf("  bare network, images read from files %7.1f\n", fed);
  std::printf("  reading and resizing alone           %7.1f\n", median(reading));
  std::printf("  describe                             %7.1f  %.2f of the bare network, files read by both\n",
              median(features), median(features) / fed);
  std::printf("  describe --landmarks                 %7.1f  %.2f\n", median(landmarks), median(landmarks) / fed);
  const double unread = 1 / (1 / median(features) - 1 / median(reading));
  std::printf("  describe, less reading and resizing  %7.1f  %.2f of the bare network, images in memory\n", unread,
              unread / bare);
}

}  // namespace
}  // namespace hyperfd

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: describe_benchmark DATA [THREADS]\n");
    return 2;
  }
  hyperfd::run(argv[1], argc > 2 ? std::atoi(argv[2]) : static_cast<int>(std::thread::hardware_concurrency()));
}
