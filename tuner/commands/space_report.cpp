#include "tuner/commands/space_report.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "tuner/space/feasible.h"

namespace hyperfd::commands {
namespace {

constexpr int kShareDraws = 2000;
constexpr int kCostDraws = 200;

const char* encoder_name(EncoderKind kind) {
  constexpr const char* kNames[] = {"mlp", "gin", "joint"};
  return kNames[static_cast<int>(kind)];
}

bool is_branch(const Json& option) {
  return option.is_object() && option.contains("_name");
}

void print_group(std::ostream& out, const Json& group, const std::string& indent) {
  std::size_t width = 0;
  for (const auto& entry : group.items()) width = std::max(width, entry.key().size());
  for (const auto& [key, dimension] : group.items()) {
    if (key == "_name") continue;
    const Json& value = dimension["_value"];
    const bool is_nested = dimension["_type"] == "choice" && is_branch(value.at(0));
    out << indent << fmt::format("{:<{}}  ", key, width) << dimension["_type"].get<std::string>();
    if (!is_nested) {
      out << ' ' << brief(value) << '\n';
      continue;
    }
    out << " of branches\n";
    for (const Json& branch : value) {
      out << indent << "  " << branch["_name"].get<std::string>() << (branch.size() > 1 ? ":" : "") << '\n';
      print_group(out, branch, indent + "    ");
    }
  }
}

double millions(std::int64_t number) {
  return static_cast<double>(number) / 1e6;
}

}  // namespace

SpaceReport examine(const SearchSpace& space, const Annotation& annotation, Rng& rng) {
  SpaceReport report;
  FeasibleSampler sampler(space, annotation);
  if (!annotation.constraints().empty()) {
    sampler.draw(rng);
    int feasible = 0;
    for (int i = 0; i < kShareDraws; ++i) feasible += annotation.find_violated(space.sample(rng)) == nullptr;
    report.feasible_share = static_cast<double>(feasible) / kShareDraws;
    if (sampler.can_enumerate()) report.feasible = sampler.feasible().size();
  }
  for (int i = 0; annotation.architecture() && i < kCostDraws; ++i) {
    const Configuration configuration = sampler.draw(rng);
    const Cost cost = annotation.architecture()->cost(configuration);
    const std::size_t nodes = annotation.architecture()->graph(configuration).nodes();
    if (i == 0) {
      report.cost = {cost, cost};
      report.nodes = {nodes, nodes};
    }
    auto& [least, most] = report.cost;
    least.multiply_adds = std::min(least.multiply_adds, cost.multiply_adds);
    least.parameters = std::min(least.parameters, cost.parameters);
    most.multiply_adds = std::max(most.multiply_adds, cost.multiply_adds);
    most.parameters = std::max(most.parameters, cost.parameters);
    report.nodes.first = std::min(report.nodes.first, nodes);
    report.nodes.second = std::max(report.nodes.second, nodes);
  }
  return report;
}

Json as_json(const Annotation& annotation, const SpaceReport& report) {
  Json json = {{"encoder", encoder_name(annotation.encoder())}, {"constraints", Json::array()}};
  for (const auto& constraint : annotation.constraints()) json["constraints"].push_back(constraint->name());
  json["feasible"] = report.feasible ? Json(*report.feasible) : Json();
  json["feasible_share"] = report.feasible_share;
  if (const ArchitectureTemplate* architecture = annotation.architecture()) {
    const auto& [least, most] = report.cost;
    json["architecture"] = {{"input", {architecture->input_size().width, architecture->input_size().height}},
                            {"multiply_adds", {least.multiply_adds, most.multiply_adds}},
                            {"parameters", {least.parameters, most.parameters}},
                            {"nodes", {report.nodes.first, report.nodes.second}},
                            {"feature_size", architecture->feature_size()}};
  }
  return json;
}

void print_dimensions(std::ostream& out, const SearchSpace& space) {
  print_group(out, space.definition(), "");
}

void print(std::ostream& out, const Annotation& annotation, const SpaceReport& report) {
  out << "encoder " << encoder_name(annotation.encoder()) << '\n';
  if (!annotation.constraints().empty()) {
    std::string names;
    for (const auto& constraint : annotation.constraints()) names += (names.empty() ? "" : ", ") + constraint->name();
    out << "constraints " << names << ": "
        << (report.feasible ? fmt::format("{} configurations, ", *report.feasible) : std::string())
        << fmt::format("{:.1f} % of {} random ones\n", 100 * report.feasible_share, kShareDraws);
  }
  if (const ArchitectureTemplate* architecture = annotation.architecture()) {
    const auto& [least, most] = report.cost;
    out << fmt::format(
        "architectures of {} draws at {}×{}: {:.4g} to {:.4g} M multiply-adds, {:.4g} to {:.4g} M parameters, graphs "
        "of {} to {} nodes\n",
        kCostDraws, architecture->input_size().width, architecture->input_size().height, millions(least.multiply_adds),
        millions(most.multiply_adds), millions(least.parameters), millions(most.parameters), report.nodes.first,
        report.nodes.second);
  }
}

}  // namespace hyperfd::commands
