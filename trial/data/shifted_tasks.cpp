#include "trial/data/shifted_tasks.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "trial/data/shift/shift.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// In the images' order.
std::vector<std::string> draw_images(const std::vector<AnnotatedImage>& images, const ShiftedTaskOptions& options,
                                     Rng& rng) {
  const auto spread = static_cast<std::uint64_t>(options.most_images - options.fewest_images) + 1;
  const std::size_t count =
      std::min(images.size(), static_cast<std::size_t>(options.fewest_images) + rng.below(spread));
  std::vector<std::size_t> order(images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.shuffle(order);
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(images[order[i]].file);
  return names;
}

// The numbers of `parameters` to four digits: descriptions are for people, too.
Json rounded(Json parameters) {
  for (auto& entry : parameters.items()) {
    if (entry.value().is_number_float()) entry.value() = std::stod(fmt::format("{:.4g}", entry.value().get<double>()));
  }
  return parameters;
}

}  // namespace

std::vector<ShiftedTask> draw_shifted_tasks(const std::string& source, const std::vector<AnnotatedImage>& images,
                                            const ShiftedTaskOptions& options) {
  if (options.fewest_images < 1 || options.most_images < options.fewest_images)
    throw InputError(fmt::format("images per task: expected 1 <= fewest <= most, got {} and {}", options.fewest_images,
                                 options.most_images));
  std::vector<const ShiftKind*> kinds;
  for (const std::string& name : options.kinds) shift_kind(name, "--kinds");
  for (const ShiftKind& kind : shift_kinds()) {
    const bool wanted = options.kinds.empty() ||
                        std::find(options.kinds.begin(), options.kinds.end(), kind.name) != options.kinds.end();
    if (wanted) kinds.push_back(&kind);
  }
  Rng rng(stable_hash("shifted tasks " + std::to_string(options.seed)));
  std::vector<ShiftedTask> tasks;
  std::vector<std::size_t> firsts;  // indices of kinds, every one before any comes again
  for (int task = 0; task < options.tasks; ++task) {
    if (firsts.empty()) {
      firsts.resize(kinds.size());
      std::iota(firsts.begin(), firsts.end(), std::size_t{0});
      rng.shuffle(firsts);
    }
    std::vector<std::size_t> chosen = {firsts.back()};
    firsts.pop_back();
    if (rng.below(2) == 0) {
      const std::size_t second = rng.below(kinds.size());
      if (second != chosen[0]) chosen.push_back(second);
    }
    std::sort(chosen.begin(), chosen.end());

    ShiftedTask drawn{fmt::format("{:02}", task + 1), {}};
    drawn.description.source = source;
    drawn.description.images = draw_images(images, options, rng);
    drawn.description.seed = rng.below(1u << 31);
    for (const std::size_t kind : chosen) {
      Json shift = {{"kind", kinds[kind]->name}};
      shift.update(rounded(kinds[kind]->draw(rng)));
      drawn.description.shift.push_back(std::move(shift));
      drawn.name += "_" + kinds[kind]->name;
    }
    tasks.push_back(std::move(drawn));
  }
  return tasks;
}

}  // namespace hyperfd
