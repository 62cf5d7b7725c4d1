#include "tuner/ranker/dataset_features.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include <torch/torch.h>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

constexpr std::string_view kMagic = "HyperFD features 1\n";
constexpr std::size_t kDigits = 64, kMaxName = 128, kMaxHeader = 1 << 27;
constexpr double kLargestHalf = 65504;

bool is_digest(std::string_view text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Calls `fail` with what is wrong about a header field.
template <typename Fail>
std::int64_t size_field(const Json& header, const char* key, std::int64_t most, const Fail& fail) {
  const auto found = header.find(key);
  if (found == header.end() || !found->is_number_integer()) fail(std::string("header has no valid \"") + key + "\"");
  const auto size = found->template get<std::int64_t>();
  if (size < 0 || size > most) fail(std::string("\"") + key + "\" is " + brief(*found));
  return size;
}

}  // namespace

torch::Tensor to_half_precision(const torch::Tensor& numbers) {
  return numbers.clamp(-kLargestHalf, kLargestHalf).to(torch::kHalf).to(torch::kFloat32);
}

torch::Tensor DatasetFeatures::statistics_tensor() const {
  return torch::tensor(statistics, torch::kFloat64).to(torch::kFloat32);
}

void DatasetFeatures::keep_images(std::int64_t most) {
  const std::int64_t n = images.size(0);
  if (n <= most) return;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < most; ++i) rows.push_back(i * n / most);
  images = images.index_select(0, torch::tensor(rows));
}

void DatasetFeatures::check(const std::string& source) const {
  const auto fail = [&](const std::string& what) { throw InputError(source + ": " + what); };
  if (!is_digest(extractor)) fail("extractor: expected 64 hexadecimal digits");
  if (!images.defined() || images.dim() != 2 || images.scalar_type() != torch::kFloat32)
    fail("image features: expected a float32 matrix");
  if (images.size(0) > kMaxImages || images.size(1) > kMaxFeatures) {
    fail("image features: expected at most " + std::to_string(kMaxImages) + " × " + std::to_string(kMaxFeatures) +
         ", got " + std::to_string(images.size(0)) + " × " + std::to_string(images.size(1)));
  }
  if (images.numel() > 0 &&
      !(images.isfinite().all().item<bool>() && images.abs().max().item<double>() <= kLargestHalf)) {
    fail("image features: expected finite numbers that float16 can hold");
  }
  if (statistic_names.size() != statistics.size() || statistics.size() > static_cast<std::size_t>(kMaxStatistics)) {
    fail("statistics: expected a name for each of at most " + std::to_string(kMaxStatistics));
  }
  if (face_counts.size() > static_cast<std::size_t>(kMaxImages) ||
      std::any_of(face_counts.begin(), face_counts.end(), [](std::int64_t count) { return count < 0; })) {
    fail("face_counts: expected at most " + std::to_string(kMaxImages) + " numbers from 0 on");
  }
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    const std::string& name = statistic_names[i];
    if (name.empty() || name.size() > kMaxName) fail("statistics: a name is empty or too long");
    if (!seen.insert(name).second) fail("statistics: " + name + " is there twice");
    if (!std::isfinite(statistics[i])) fail("statistics: " + name + ": expected a finite number");
  }
}

void DatasetFeatures::require_extractor(const std::string& expected, const std::string& source) const {
  if (extractor == expected) return;
  throw InputError(source + ": described by extractor " + extractor.substr(0, 12) + "…, expected " +
                   expected.substr(0, 12) +
                   "…; describe it again with the weights, the options and the program version of the others");
}

std::string DatasetFeatures::serialize() const {
  check("features");
  Json header = {{"extractor", extractor},
                 {"images", images.size(0)},
                 {"features", images.size(1)},
                 {"statistic_names", statistic_names},
                 {"statistics", statistics}};
  if (!face_counts.empty()) header["face_counts"] = face_counts;
  std::string content;
  try {
    content = header.dump() + "\n";
  } catch (const Json::exception&) {
    throw InputError("features: statistics: a name is not UTF-8");
  }
  const torch::Tensor halves = images.to(torch::kHalf).contiguous();
  const auto bytes = static_cast<std::size_t>(halves.numel()) * sizeof(c10::Half);
  if (bytes > 0) content.append(reinterpret_cast<const char*>(halves.data_ptr<c10::Half>()), bytes);
  return std::string(kMagic) + sha256(content) + "\n" + content;
}

DatasetFeatures DatasetFeatures::deserialize(const std::string& bytes, const std::string& source) {
  const auto fail = [&](const std::string& what) { throw InputError(source + ": " + what); };
  std::string_view rest = bytes;
  if (rest.substr(0, kMagic.size()) != kMagic) fail("does not start with \"HyperFD features 1\"");
  rest.remove_prefix(kMagic.size());
  if (rest.size() <= kDigits || rest[kDigits] != '\n' || rest.substr(0, kDigits) != sha256(rest.substr(kDigits + 1)))
    fail("damaged: content and digest differ");
  rest.remove_prefix(kDigits + 1);

  const std::size_t end = rest.substr(0, kMaxHeader).find('\n');
  if (end == std::string_view::npos) fail("header is cut off");
  const Json header = parse_json(rest.substr(0, end), source + ": header");
  rest.remove_prefix(end + 1);
  if (!header.is_object()) fail("header is " + brief(header));

  DatasetFeatures features;
  const std::int64_t count = size_field(header, "images", kMaxImages, fail),
                     width = size_field(header, "features", kMaxFeatures, fail);
  if (rest.size() != static_cast<std::size_t>(count * width) * sizeof(c10::Half)) {
    fail(std::to_string(rest.size()) + " bytes of features, expected " + std::to_string(count) + " × " +
         std::to_string(width) + " float16");
  }
  try {
    features.extractor = header.at("extractor").get<std::string>();
    features.statistic_names = header.at("statistic_names").get<std::vector<std::string>>();
    for (const Json& number : header.at("statistics")) {
      if (!number.is_number()) fail("statistics: " + brief(number) + " is no number");
      features.statistics.push_back(number.get<double>());
    }
    const Json face_counts = header.value("face_counts", Json::array());
    if (!face_counts.is_array()) fail("face_counts: expected a list");
    for (const Json& number : face_counts) {
      if (!number.is_number_integer()) fail("face_counts: " + brief(number) + " is no whole number");
      features.face_counts.push_back(number.get<std::int64_t>());
    }
  } catch (const Json::exception&) {
    fail("header lacks a valid extractor, statistic_names, statistics or face_counts");
  }
  torch::Tensor halves = torch::empty({count, width}, torch::kHalf);
  if (!rest.empty()) std::memcpy(halves.data_ptr<c10::Half>(), rest.data(), rest.size());
  features.images = halves.to(torch::kFloat32);
  features.check(source);
  return features;
}

}  // namespace hyperfd
