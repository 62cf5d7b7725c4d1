#include "trial/training/enough_memory.h"

#include <new>

#include <c10/util/Exception.h>
#include <opencv2/core.hpp>

namespace hyperfd {

bool is_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error)) return true;
  if (const auto* of_opencv = dynamic_cast<const cv::Exception*>(&error)) return of_opencv->code == cv::Error::StsNoMem;
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  if (!of_torch) return false;
  const std::string message = of_torch->what_without_backtrace();
  return message.find("can't allocate memory") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

}  // namespace hyperfd
