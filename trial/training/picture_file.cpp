#include "trial/training/picture_file.h"

#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {

void write_picture(const std::string& file, const cv::Mat& picture) {
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".png", picture, bytes)) throw Error(file + ": the picture cannot be encoded");
  write_file_atomically(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace hyperfd
