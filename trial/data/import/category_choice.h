#pragma once

#include <map>
#include <string>
#include <vector>

#include "trial/data/warnings.h"

namespace hyperfd {

// Which of the categories in a label file are faces.
class CategoryChoice {
 public:
  // `chosen`: names (or indices, as text); "any" takes all of them. Empty: `usual`.
  CategoryChoice(std::vector<std::string> chosen, const std::string& usual);

  // Whether the category is a face. Counts it, and in `warnings` the object if it is not.
  bool takes(const std::string& category, const std::string& example, Warnings& warnings);
  // Throws InputError that lists the categories of `source` when there were objects and none was taken: with such
  // labels all images would count as free of faces.
  void check(const std::string& source) const;

 private:
  std::vector<std::string> chosen_;
  std::map<std::string, std::size_t> seen_;
  bool took_one_ = false;
};

}  // namespace hyperfd
