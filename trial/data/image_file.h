#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <opencv2/core/mat.hpp>

namespace hyperfd {

// More than any camera makes; a file of a few kilobytes can say that it has more.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 27;

// The way up of an image: as its pixels are stored, which boxes of annotations mostly mean, or as a camera says by
// EXIF, which viewers show.
enum class Orientation { kStored, kShown };

// Reads one image (BGR, 8 bits). Throws InputError that names the file when
// it is missing, not an image, or cut off: decoders fill the missing rest with grey, which would be trained on.
cv::Mat read_image(const std::string& file, Orientation orientation = Orientation::kStored);
// The same the way up that makes it as large as annotations say: as shown where that alone fits, which is what programs
// mean that turn photographs before they are labelled. 0: not said.
cv::Mat read_annotated_image(const std::string& file, int width, int height);

// Endings of image files, with their dot, in lower and in upper case.
const std::vector<std::string>& image_endings();
// Whether the name ends in one of `endings` (lower case, with their dot), in upper or lower case.
bool has_ending(const std::string& name, const std::vector<std::string>& endings);
// Whether the name has one of an image.
bool is_image_name(const std::string& name);

// Whether a JPEG file's bytes reach its end-of-image marker. Walks the segments, since thumbnails in them have such
// markers, too.
bool is_complete_jpeg(std::string_view bytes);

}  // namespace hyperfd
