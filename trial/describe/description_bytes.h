#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trial/describe/image_describer.h"

namespace hyperfd {

// Appends the description to `bytes`, for this machine's cache: its byte order, features as float16.
void append_description(const ImageDescription& description, std::string& bytes);

// Takes the description, with so many features, off the beginning of `bytes`. Throws InputError that begins with
// `source` when there is none.
ImageDescription take_description(std::string_view& bytes, std::int64_t features, const std::string& source);

}  // namespace hyperfd
