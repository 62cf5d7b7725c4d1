#include "trial/data/warnings.h"

#include <algorithm>

namespace hyperfd {

void Warnings::add(const std::string& kind, const std::string& example) {
  Entry& entry = kinds_[kind];
  ++entry.count;
  if (entry.examples.size() < kept_) entry.examples.push_back(example);
}

std::size_t Warnings::count(const std::string& kind) const {
  const auto entry = kinds_.find(kind);
  return entry == kinds_.end() ? 0 : entry->second.count;
}

std::vector<std::string> Warnings::lines() const {
  constexpr std::size_t kExamples = 3;
  std::vector<std::string> lines;
  for (const auto& [kind, entry] : kinds_) {
    const std::size_t shown = std::min(entry.examples.size(), kExamples);
    std::string line = std::to_string(entry.count) + " " + kind + " (";
    if (entry.count > shown) line += "e.g. ";
    for (std::size_t i = 0; i < shown; ++i) line += (i ? "; " : "") + entry.examples[i];
    lines.push_back(line + ")");
  }
  return lines;
}

std::string Warnings::notes() const {
  std::string text;
  for (const auto& [kind, entry] : kinds_) {
    for (const std::string& example : entry.examples) text += example + ": " + kind + "\n";
  }
  return text;
}

}  // namespace hyperfd
