#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {

// A data set folder of the running test, empty at first, removed at its end.
class TemporaryDataset {
 public:
  TemporaryDataset() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "hyperfd_" + test->test_suite_name() + "_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/images");
  }
  ~TemporaryDataset() { std::filesystem::remove_all(folder_); }
  TemporaryDataset(const TemporaryDataset&) = delete;
  TemporaryDataset& operator=(const TemporaryDataset&) = delete;

  const std::string& folder() const { return folder_; }
  void write(const std::string& file, const std::string& content) const {
    write_file_atomically(folder_ + "/" + file, content);
  }
  void write_image(const std::string& file, const cv::Mat& image) const { cv::imwrite(folder_ + "/" + file, image); }

 private:
  std::string folder_;
};

// The message of the InputError that `action` throws.
inline std::string input_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace hyperfd
