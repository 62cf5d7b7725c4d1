#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "tuner/base/json.h"

namespace hyperfd {

// A derived data set is a folder with derived.json: some images of another data set, shifted as they are read. Nothing
// is copied.
//
//   {"source": "/data/my_faces", "images": ["images/a.jpg", …], "shift": [{"kind": "blur", "sigma": 2.1}], "seed": 7}
//
// source: a data set's folder, relative to derived.json's; it may be derived, too. images: some of its images, all if
// absent. shift: applied in this order, none if absent (shift_kinds()). seed: 0 if absent; what is random follows from
// it and the image's file name. note: any text. Images keep their names, and the split that they have in the source
// unless the folder has its own splits.json.
struct DerivedDescription {
  std::string source;               // as given
  std::vector<std::string> images;  // empty: all
  Json shift = Json::array();
  std::uint64_t seed = 0;
  std::string note;
};

bool is_derived(const std::string& folder);

// Writes folder/derived.json with its source as an absolute path. Throws InputError if the folder holds a data set.
void write_derived(const std::string& folder, const DerivedDescription& description);

// The images that folder/derived.json describes, their faces and sizes shifted. Reads no pixels. Throws InputError that
// names the file, the key and the value.
std::vector<AnnotatedImage> read_derived(const std::string& folder, Warnings& warnings);

// The images of `source` that have one of these names, in its order; a name without images/ will do. Names it does not
// have are counted in `warnings`. All images when `names` is empty.
std::vector<AnnotatedImage> images_named(const std::vector<std::string>& names,
                                         const std::vector<AnnotatedImage>& source, Warnings& warnings);

}  // namespace hyperfd
