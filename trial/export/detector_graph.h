#pragma once

#include <map>
#include <string>

#include "trial/detector/retinaface.h"

namespace hyperfd {

// The network as an ONNX file's bytes (docs/onnx.md says what goes in and comes out), batch norm folded into the
// convolutions. `width` and `height` of the images in pixels; 0, 0: any, which OpenCV does not read. The network must be
// in evaluation mode, on the CPU. Throws Error that names a layer which cannot be exported.
std::string export_detector(RetinaFaceImpl& network, int width, int height,
                            const std::map<std::string, std::string>& metadata);

}  // namespace hyperfd
