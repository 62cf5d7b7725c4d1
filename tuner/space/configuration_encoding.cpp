#include "tuner/space/configuration_encoding.h"

namespace hyperfd {
namespace {

Json without(Json object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) object.erase(key);
  return object;
}

}  // namespace

ConfigurationEncoding::ConfigurationEncoding(const SearchSpace& space, const Annotation& annotation)
    : space_(space), annotation_(annotation) {
  if (annotation.encoder() != EncoderKind::kJoint) return;
  const Json rest = without(space.definition(), annotation.architecture()->keys());
  rest_ = std::make_unique<const SearchSpace>(SearchSpace::parse(rest));
}

std::size_t ConfigurationEncoding::flat_size() const {
  if (annotation_.encoder() == EncoderKind::kGin) return 0;
  return rest_ ? rest_->encoding_size() : space_.encoding_size();
}

std::vector<float> ConfigurationEncoding::flat(const Configuration& configuration) const {
  if (annotation_.encoder() == EncoderKind::kGin) return {};
  if (!rest_) return space_.encode(configuration);
  return rest_->encode(without(configuration, annotation_.architecture()->keys()));
}

std::size_t ConfigurationEncoding::node_feature_size() const {
  return annotation_.encoder() == EncoderKind::kMlp ? 0 : annotation_.architecture()->feature_size();
}

std::optional<Graph> ConfigurationEncoding::graph(const Configuration& configuration) const {
  if (annotation_.encoder() == EncoderKind::kMlp) return std::nullopt;
  return annotation_.architecture()->graph(configuration);
}

}  // namespace hyperfd
