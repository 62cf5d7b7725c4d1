#include "tuner/platform/configuration_encoding.h"

#include <memory>

namespace hyperfd {

EncodingShape encoding_shape(const SearchSpace& space, const Annotation& annotation) {
  const bool reads_graph = annotation.encoder() != EncoderKind::kMlp;
  return {annotation.encoder() == EncoderKind::kGin ? 0 : space.encoding_size(),
          reads_graph ? annotation.architecture()->feature_size() : 0};
}

EncodedConfiguration encode(const SearchSpace& space, const Annotation& annotation,
                            const Configuration& configuration) {
  EncodedConfiguration encoded(space.encode(configuration));
  if (annotation.encoder() != EncoderKind::kMlp) {
    encoded.graph = std::make_shared<const Graph>(annotation.architecture()->graph(configuration));
  }
  return encoded;
}

std::vector<EncodedConfiguration> encode(const SearchSpace& space, const Annotation& annotation,
                                         const std::vector<Configuration>& configurations) {
  std::vector<EncodedConfiguration> encoded;
  for (const Configuration& configuration : configurations) {
    encoded.push_back(encode(space, annotation, configuration));
  }
  return encoded;
}

}  // namespace hyperfd
