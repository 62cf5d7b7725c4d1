#include "trial/describe/description_bytes.h"

#include <cstring>
#include <vector>

#include <c10/util/Half.h>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

template <typename Number>
void append(Number number, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

class Reader {
 public:
  Reader(std::string_view& bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  template <typename Number>
  Number take() {
    require(sizeof(Number));
    Number number;
    std::memcpy(&number, bytes_.data(), sizeof number);
    bytes_.remove_prefix(sizeof number);
    return number;
  }
  // How many items of at least `size` bytes follow.
  std::size_t count(std::size_t size) {
    const auto count = take<std::uint32_t>();
    require(count * size);
    return count;
  }
  void require(std::size_t size) const {
    if (bytes_.size() < size) throw InputError(source_ + ": damaged");
  }

 private:
  std::string_view& bytes_;
  const std::string& source_;
};

}  // namespace

void append_description(const ImageDescription& description, std::string& bytes) {
  for (const float feature : description.features) append(c10::Half(feature), bytes);
  append(static_cast<std::uint32_t>(description.face_sizes.size()), bytes);
  for (const float size : description.face_sizes) append(size, bytes);
  const DetectorOutcome& outcome = description.outcome;
  for (const float loss : {outcome.class_loss, outcome.box_loss, outcome.landmark_loss}) append(loss, bytes);
  for (const std::uint32_t count : {outcome.matched_anchors, outcome.landmark_anchors, outcome.faces,
                                    static_cast<std::uint32_t>(outcome.detections.size())}) {
    append(count, bytes);
  }
  for (const auto& [score, is_face] : outcome.detections) {
    append(score, bytes);
    append(static_cast<char>(is_face), bytes);
  }
}

ImageDescription take_description(std::string_view& bytes, std::int64_t features, const std::string& source) {
  Reader reader(bytes, source);
  ImageDescription description;
  reader.require(static_cast<std::size_t>(features) * sizeof(c10::Half));
  for (std::int64_t i = 0; i < features; ++i) description.features.push_back(reader.take<c10::Half>());
  for (std::size_t i = reader.count(sizeof(float)); i > 0; --i) description.face_sizes.push_back(reader.take<float>());
  DetectorOutcome& outcome = description.outcome;
  outcome.class_loss = reader.take<float>();
  outcome.box_loss = reader.take<float>();
  outcome.landmark_loss = reader.take<float>();
  outcome.matched_anchors = reader.take<std::uint32_t>();
  outcome.landmark_anchors = reader.take<std::uint32_t>();
  outcome.faces = reader.take<std::uint32_t>();
  for (std::size_t i = reader.count(sizeof(float) + 1); i > 0; --i) {
    const auto score = reader.take<float>();
    outcome.detections.emplace_back(score, reader.take<char>() != 0);
  }
  return description;
}

}  // namespace hyperfd
