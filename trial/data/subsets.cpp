#include "trial/data/subsets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/rng.h"

namespace hyperfd {
namespace {

std::array<double, 3> split_shares(const std::vector<AnnotatedImage>& images, const std::vector<std::size_t>& chosen) {
  std::array<double, 3> shares{};
  for (const std::size_t i : chosen)
    shares[static_cast<std::size_t>(images[i].split)] += 1.0 / static_cast<double>(chosen.size());
  return shares;
}

bool balanced(const std::array<double, 3>& shares, const std::array<double, 3>& source, double tolerance) {
  for (std::size_t split = 0; split < shares.size(); ++split) {
    if (shares[split] == 0 || std::abs(shares[split] - source[split]) > tolerance * source[split]) return false;
  }
  return true;
}

// Intersection over union of ascending lists.
double overlap(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::vector<std::size_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const auto common = static_cast<double>(both.size());
  return common / (static_cast<double>(a.size() + b.size()) - common);
}

// `count` of the items, in their order.
template <typename Item>
void sample(std::vector<Item>& items, std::size_t count, Rng& rng) {
  if (count == 0 || items.size() <= count) return;
  std::vector<std::size_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  rng.shuffle(order);
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<Item> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(std::move(items[order[i]]));
  items = std::move(chosen);
}

}  // namespace

std::size_t smallest_subset(std::size_t images, const SubsetOptions& options) {
  constexpr double kPapersShare = 800.0 / 32203;
  constexpr std::size_t kTrainable = 100;
  if (options.minimum > 0) return options.minimum;
  return std::max(kTrainable, static_cast<std::size_t>(std::ceil(kPapersShare * static_cast<double>(images))));
}

std::vector<Subset> choose_subsets(const std::vector<AnnotatedImage>& images,
                                   const std::vector<Clustering>& clusterings, const SubsetOptions& options,
                                   SubsetCounts& counts) {
  const std::size_t minimum = smallest_subset(images.size(), options);
  std::vector<std::size_t> all(images.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const std::array<double, 3> source_shares = split_shares(images, all);

  std::vector<Subset> subsets;
  for (const Clustering& clustering : clusterings) {
    if (clustering.labels.size() != images.size())
      throw InputError(clustering.name + ": expected a label for each of " + std::to_string(images.size()) +
                       " images, got " + std::to_string(clustering.labels.size()));
    std::map<int, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (clustering.labels[i] >= 0) groups[clustering.labels[i]].push_back(i);
    }
    for (auto& [label, group] : groups) {
      ++counts.groups;
      if (group.size() < minimum || group.size() + minimum > images.size()) {
        ++counts.wrong_size;
      } else if (!balanced(split_shares(images, group), source_shares, options.split_tolerance)) {
        ++counts.unbalanced;
      } else if (std::any_of(subsets.begin(), subsets.end(), [&, &members = group](const Subset& earlier) {
                   return overlap(earlier.images, members) >= options.duplicate_overlap;
                 })) {
        ++counts.duplicates;
      } else {
        subsets.push_back({clustering.name + "_c" + std::to_string(label), std::move(group)});
      }
    }
  }
  Rng rng(stable_hash("subsets " + std::to_string(options.seed)));
  sample(subsets, options.most_subsets, rng);
  for (Subset& subset : subsets) sample(subset.images, options.most_images, rng);
  return subsets;
}

}  // namespace hyperfd
