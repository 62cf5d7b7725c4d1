#pragma once

#include <vector>

#include "tuner/ranker/encoded_configuration.h"
#include "tuner/space/annotation.h"
#include "tuner/space/search_space.h"

namespace hyperfd {

// What the ranker of a space reads: the space's numbers, the architecture's graph, or both, as the annotation's encoder
// says. The graph is made where a configuration has one; the numbers always are.
EncodingShape encoding_shape(const SearchSpace& space, const Annotation& annotation);
// Throws InputError for a configuration that is not a point of the space, or has no architecture.
EncodedConfiguration encode(const SearchSpace& space, const Annotation& annotation, const Configuration& configuration);
std::vector<EncodedConfiguration> encode(const SearchSpace& space, const Annotation& annotation,
                                         const std::vector<Configuration>& configurations);

}  // namespace hyperfd
