#include "tuner/space/constraint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/space/dimension.h"
#include "tuner/space/path.h"

namespace hyperfd {
namespace {

constexpr double kRounding = 1e-9;  // relative: 0.1 + 0.2 is 0.3 to a user

struct Range {
  std::optional<double> min, max;
};

Range parse_range(const Json& definition, const Path& path) {
  Range range;
  if (definition.contains("min")) range.min = parse_number(definition["min"], Path(path, "min"));
  if (definition.contains("max")) range.max = parse_number(definition["max"], Path(path, "max"));
  if (!range.min && !range.max) path.fail("expected max, or min, or both");
  if (range.min && range.max && *range.min > *range.max) path.fail("expected min ≤ max, got " + brief(definition));
  return range;
}

// 730000000, not 7.3e+08.
std::string number_text(double number) {
  return fingerprint(number);
}

// `slack`: by how much rounding may have moved the value.
std::optional<std::string> outside(const Range& range, const std::string& what, double value, double slack = 0) {
  if (range.max && value > *range.max + slack) {
    return what + " is " + number_text(value) + ", at most " + number_text(*range.max);
  }
  if (range.min && value < *range.min - slack) {
    return what + " is " + number_text(value) + ", at least " + number_text(*range.min);
  }
  return std::nullopt;
}

class CostConstraint : public Constraint {
 public:
  CostConstraint(const Json& definition, const ArchitectureTemplate* architecture, const Path& path)
      : Constraint("cost"), architecture_(architecture) {
    check_keys(definition, {"multiply_adds", "parameters", "input"}, path);
    if (!architecture) path.fail("needs an architecture to count");
    input_ = definition.contains("input") ? parse_image_size(definition["input"], Path(path, "input"))
                                          : architecture->input_size();
    multiply_adds_ = range(definition, "multiply_adds", path);
    parameters_ = range(definition, "parameters", path);
    if (!multiply_adds_ && !parameters_) path.fail("expected a bound on multiply_adds or parameters");
  }

  std::optional<std::string> violation(const Configuration& configuration) const override {
    const Cost cost = architecture_->cost(configuration, input_);
    std::optional<std::string> found;
    if (multiply_adds_) found = outside(*multiply_adds_, "multiply_adds", static_cast<double>(cost.multiply_adds));
    if (!found && parameters_) found = outside(*parameters_, "parameters", static_cast<double>(cost.parameters));
    return found;
  }

 private:
  static std::optional<Range> range(const Json& definition, const char* key, const Path& path) {
    if (!definition.contains(key)) return std::nullopt;
    const Path range_path(path, key);
    check_keys(definition[key], {"min", "max"}, range_path);
    return parse_range(definition[key], range_path);
  }

  const ArchitectureTemplate* architecture_;
  ImageSize input_;
  std::optional<Range> multiply_adds_, parameters_;
};

// min ≤ Σ coefficient · value ≤ max; a key that is not active adds nothing.
class LinearConstraint : public Constraint {
 public:
  LinearConstraint(std::string name, const Json& definition, const SpaceKeys& keys, const Path& path)
      : Constraint(std::move(name)) {
    check_keys(definition, {"name", "sum", "min", "max"}, path);
    range_ = parse_range(definition, path);
    const Path sum_path(path, "sum");
    if (!definition.contains("sum") || !definition["sum"].is_object() || definition["sum"].empty()) {
      sum_path.fail("expected coefficients by key");
    }
    for (const auto& [text, coefficient] : definition["sum"].items()) {
      const Path term_path(sum_path, text);
      const auto key = keys.find(text, term_path);
      if (!key->is_numeric()) term_path.fail("not every value of this key is a number");
      terms_.emplace_back(key, parse_number(coefficient, term_path));
    }
  }

  std::optional<std::string> violation(const Configuration& configuration) const override {
    double sum = 0, magnitude = 0;
    for (const auto& [key, coefficient] : terms_) {
      const Json* value = key->find(configuration);
      if (!value || !value->is_number()) continue;
      sum += coefficient * value->get<double>();
      magnitude += std::abs(coefficient * value->get<double>());
    }
    return outside(range_, "the sum", sum, kRounding * magnitude);
  }

 private:
  Range range_;
  std::vector<std::pair<std::shared_ptr<const SpaceKey>, double>> terms_;
};

// Quantised numbers are multiples with their rounding, 0.30000000000000004, of which users write 0.3.
bool are_same(const Json& a, const Json& b) {
  if (!a.is_number() || !b.is_number()) return fingerprint(a) == fingerprint(b);
  const double x = a.get<double>(), y = b.get<double>();
  return std::abs(x - y) <= kRounding * std::max(std::abs(x), std::abs(y));
}

// Rows of key: value or list of values. A row matches when all its keys are active and have one of the values.
class TableConstraint : public Constraint {
 public:
  TableConstraint(std::string name, const Json& definition, const SpaceKeys& keys, const Path& path)
      : Constraint(std::move(name)) {
    check_keys(definition, {"name", "forbidden", "allowed"}, path);
    forbids_ = definition.contains("forbidden");
    if (forbids_ == definition.contains("allowed")) path.fail("expected either forbidden or allowed combinations");
    const Json& rows = definition[forbids_ ? "forbidden" : "allowed"];
    const Path rows_path(path, forbids_ ? "forbidden" : "allowed");
    if (!rows.is_array() || rows.empty()) rows_path.fail("expected a list of combinations, got " + brief(rows));
    for (const Json& row : rows) rows_.push_back(parse_row(row, keys, Path(rows_path, rows_.size())));
  }

  std::optional<std::string> violation(const Configuration& configuration) const override {
    const auto matches = [&](const Row& row) {
      return std::all_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
        const Json* value = cell.key->find(configuration);
        return value && std::any_of(cell.values.begin(), cell.values.end(),
                                    [&](const Json& wanted) { return are_same(*value, wanted); });
      });
    };
    const auto row = std::find_if(rows_.begin(), rows_.end(), matches);
    if ((row != rows_.end()) != forbids_) return std::nullopt;
    return forbids_ ? row->text + " is forbidden" : std::string("none of the allowed combinations");
  }

 private:
  struct Cell {
    std::shared_ptr<const SpaceKey> key;
    std::vector<Json> values;
  };
  struct Row {
    std::string text;
    std::vector<Cell> cells;
  };

  static Row parse_row(const Json& definition, const SpaceKeys& keys, const Path& path) {
    if (!definition.is_object() || definition.empty()) path.fail("expected values by key, got " + brief(definition));
    Row row{brief(definition), {}};
    for (const auto& [text, values] : definition.items()) {
      const Path cell_path(path, text);
      Cell cell{keys.find(text, cell_path), {}};
      const Json list = values.is_array() ? values : Json::array({values});
      for (const Json& value : list) {
        if (!cell.key->may_be(value)) cell_path.fail("never is " + brief(value));
        cell.values.push_back(value);
      }
      row.cells.push_back(std::move(cell));
    }
    return row;
  }

  bool forbids_ = true;
  std::vector<Row> rows_;
};

template <typename Kind>
void parse_list(const Json& definition, const char* kind, const SpaceKeys& keys, const Path& path,
                std::vector<std::unique_ptr<const Constraint>>& constraints) {
  if (!definition.contains(kind)) return;
  const Path list_path(path, kind);
  const Json& list = definition[kind];
  if (!list.is_array()) list_path.fail("expected a list, got " + brief(list));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Path entry_path(list_path, i);
    if (!list[i].is_object()) entry_path.fail("expected an object, got " + brief(list[i]));
    std::string name = std::string(kind) + "[" + std::to_string(i) + "]";
    if (list[i].contains("name")) {
      if (!list[i]["name"].is_string())
        Path(entry_path, "name").fail("expected a string, got " + brief(list[i]["name"]));
      name = list[i]["name"].get<std::string>();
    }
    constraints.push_back(std::make_unique<Kind>(name, list[i], keys, entry_path));
  }
}

}  // namespace

std::vector<std::unique_ptr<const Constraint>> parse_constraints(const Json& definition, const SpaceKeys& keys,
                                                                 const ArchitectureTemplate* architecture,
                                                                 const Path& path) {
  check_keys(definition, {"cost", "linear", "table"}, path);
  std::vector<std::unique_ptr<const Constraint>> constraints;
  // The cheap ones first: the others are not asked about what these turn away.
  parse_list<LinearConstraint>(definition, "linear", keys, path, constraints);
  parse_list<TableConstraint>(definition, "table", keys, path, constraints);
  if (definition.contains("cost")) {
    constraints.push_back(std::make_unique<CostConstraint>(definition["cost"], architecture, Path(path, "cost")));
  }
  return constraints;
}

}  // namespace hyperfd
