#include "trial/data/warnings.h"

namespace hyperfd {
namespace {

constexpr std::size_t kExamples = 3;

}  // namespace

void Warnings::add(const std::string& kind, const std::string& example) {
  Entry& entry = kinds_[kind];
  ++entry.count;
  if (entry.examples.size() < kExamples) entry.examples.push_back(example);
}

std::size_t Warnings::count(const std::string& kind) const {
  const auto entry = kinds_.find(kind);
  return entry == kinds_.end() ? 0 : entry->second.count;
}

std::vector<std::string> Warnings::lines() const {
  std::vector<std::string> lines;
  for (const auto& [kind, entry] : kinds_) {
    std::string line = std::to_string(entry.count) + " " + kind + " (";
    if (entry.count > entry.examples.size()) line += "e.g. ";
    for (std::size_t i = 0; i < entry.examples.size(); ++i) line += (i ? "; " : "") + entry.examples[i];
    lines.push_back(line + ")");
  }
  return lines;
}

}  // namespace hyperfd
