#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trial/data/face_dataset.h"
#include "trial/data/warnings.h"
#include "trial/describe/dataset_statistics.h"
#include "trial/describe/image_describer.h"
#include "tuner/ranker/dataset_features.h"

namespace hyperfd {

struct DescribeOptions {
  bool sizes = true;            // size_statistics()
  bool landmarks = false;       // landmark_statistics(); the describer has to give outcomes
  std::vector<Statistic> more;  // that the user gives
  int threads = 1;              // images described at the same time
};

// The features of these images of the data set in `folder`, in their order, with its statistics. Images that cannot be
// read are left out and counted in `warnings`. The numbers do not depend on the number of threads, nor an image's on
// the others. `progress` hears how many images are done, from one thread at a time. Throws InputError when no image can
// be read.
DatasetFeatures describe_images(const std::string& folder, const std::vector<AnnotatedImage>& images,
                                ImageDescriber& describer, const DescribeOptions& options, Warnings& warnings,
                                const std::function<void(std::size_t)>& progress);

// Features of a task without images.
DatasetFeatures describe_numbers(const std::vector<Statistic>& statistics);

}  // namespace hyperfd
