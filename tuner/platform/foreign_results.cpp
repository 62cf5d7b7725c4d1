#include "tuner/platform/foreign_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <utility>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "tuner/base/csv.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/python_json.h"
#include "tuner/base/yaml.h"
#include "tuner/platform/metric.h"

namespace hyperfd {
namespace {

class Collector {
 public:
  explicit Collector(const SearchSpace& space) : space_(space) {}

  void add(const std::string& place, Configuration configuration, std::optional<double> metric) {
    if (!metric || !std::isfinite(*metric)) return skip(place, "no finite result");
    try {
      space_.check(configuration);
    } catch (const InputError& error) {
      return skip(place, error.what());
    }
    results.rows.push_back({std::move(configuration), *metric});
  }
  void skip(const std::string& place, const std::string& reason) { results.skipped.push_back(place + ": " + reason); }

  ForeignResults results;

 private:
  const SearchSpace& space_;
};

// ---- NNI ----

// A member that NNI writes as JSON, or as text that holds JSON.
Json nested(const Json& trial, const char* key) {
  const auto found = trial.find(key);
  if (found == trial.end()) throw InputError(std::string(key) + ": missing");
  return found->is_string() ? parse_json(found->get<std::string>(), key) : *found;
}

void read_nni(const std::string& file, const std::string& text, Collector& collector) {
  const Json trials = parse_json(text, file);
  if (!trials.is_array()) throw InputError(file + ": expected a list of trials, got " + brief(trials));
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string place = file + ": trial " + std::to_string(i + 1);
    try {
      if (!trials[i].is_object()) throw InputError("expected an object, got " + brief(trials[i]));
      collector.add(place, nested(trials[i], "parameter"), parse_metric(nested(trials[i], "value").dump()).number);
    } catch (const InputError& error) {
      collector.skip(place, error.what());
    }
  }
}

// ---- CSV ----

// JSON, what Python's csv and NNI write of a value (a dictionary of theirs is YAML), or else a text.
Json cell_value(const std::string& cell) {
  try {
    return parse_json(cell, "cell");
  } catch (const InputError&) {
  }
  try {
    if (!cell.empty() && cell[0] == '{') return parse_yaml(cell, "cell");
  } catch (const InputError&) {
  }
  if (cell == "True" || cell == "False") return cell == "True";
  if (cell == "None") return nullptr;
  return cell;
}

// The same of a parameter; a choice among texts may have one that looks like something else.
Json parameter_value(const Json& definition, const std::string& cell) {
  if (definition.value("_type", "") == "choice") {
    const Json& options = definition.at("_value");
    if (std::find(options.begin(), options.end(), Json(cell)) != options.end()) return cell;
  }
  return cell_value(cell);
}

std::size_t metric_column(const ForeignSource& source, const std::vector<std::string>& header,
                          const SearchSpace& space) {
  const std::vector<std::string> names = source.metric.empty()
                                             ? std::vector<std::string>{"default", "reward", "value", "metric", "score"}
                                             : std::vector<std::string>{source.metric};
  for (const std::string& name : names) {
    if (source.metric.empty() && space.definition().contains(name)) continue;  // a parameter of that name
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  }
  throw InputError(source.file + ": no column " +
                   (source.metric.empty() ? "default, reward, value, metric or score" : source.metric) +
                   "; name the one that holds the result with --metric");
}

void read_csv(const ForeignSource& source, const std::string& text, const SearchSpace& space, Collector& collector) {
  const std::vector<CsvRecord> rows = parse_csv(text, source.file);
  if (rows.empty()) throw InputError(source.file + ": empty");
  const std::vector<std::string>& header = rows[0].fields;
  const std::size_t metric = metric_column(source, header, space);
  std::vector<bool> is_parameter;
  for (std::size_t i = 0; i < header.size(); ++i) {
    is_parameter.push_back(i != metric && space.definition().contains(header[i]));
  }
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const std::string place = source.file + ": row " + std::to_string(r + 1);
    const std::vector<std::string>& cells = rows[r].fields;
    if (rows[r].is_empty_line()) continue;
    if (cells.size() != header.size()) {
      collector.skip(place, std::to_string(cells.size()) + " cells, expected " + std::to_string(header.size()));
      continue;
    }
    Configuration configuration = Json::object();
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (is_parameter[i] && !cells[i].empty()) {
        configuration[header[i]] = parameter_value(space.definition().at(header[i]), cells[i]);
      }
    }
    const Json value = cell_value(cells[metric]);
    collector.add(place, std::move(configuration),
                  value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt);
  }
}

// ---- Optuna ----

// What its JournalStorage writes: a line for each operation.
bool is_optuna_journal(const std::string& text, std::size_t begin) {
  try {
    const Json first = parse_json(text.substr(begin, text.find('\n', begin) - begin), "line");
    return first.is_object() && first.contains("op_code");
  } catch (const InputError&) {
    return false;
  }
}

// The one that is asked for, or the only one.
long long choose_study(const std::map<std::string, long long>& studies, const ForeignSource& source) {
  std::string names;
  for (const auto& [name, id] : studies) names += (names.empty() ? "" : ", ") + name;
  if (source.study.empty()) {
    if (studies.size() == 1) return studies.begin()->second;
    throw InputError(source.file + ": " + std::to_string(studies.size()) + " studies, choose one with --study" +
                     (names.empty() ? "" : ": " + names));
  }
  const auto found = studies.find(source.study);
  if (found == studies.end()) throw InputError(source.file + ": no study " + source.study + "; it has " + names);
  return found->second;
}

long long study_of(soci::session& sql, const ForeignSource& source) {
  std::map<std::string, long long> studies;
  const soci::rowset<soci::row> rows = (sql.prepare << "SELECT study_name, CAST(study_id AS TEXT) FROM studies");
  for (const soci::row& row : rows) studies[row.get<std::string>(0)] = std::stoll(row.get<std::string>(1));
  return choose_study(studies, source);
}

void check_objectives(const ForeignSource& source, std::size_t objectives) {
  if (objectives == 1) return;
  throw InputError(source.file + ": the study has " + std::to_string(objectives) + " objectives, expected one");
}

// A parameter's value: Optuna stores a number, for a categorical the place of the choice.
Json optuna_value(double number, const std::string& distribution) {
  const Json parsed = parse_json(distribution, "distribution");
  const std::string kind = parsed.value("name", "");
  if (kind == "CategoricalDistribution") {
    const Json& choices = parsed.at("attributes").at("choices");
    if (!(number >= 0 && number < static_cast<double>(choices.size()))) {
      throw InputError("choice " + std::to_string(number) + " does not exist");
    }
    return choices[static_cast<std::size_t>(number)];
  }
  constexpr double kExact = 9007199254740992;  // 2⁵³
  if (kind.compare(0, 3, "Int") == 0 && std::abs(number) <= kExact) return std::llround(number);
  return number;
}

// What the operations of a journal have made, as JournalStorage replays them. Ids count from 0.
class OptunaJournal {
 public:
  struct Study {
    std::string name;  // "": deleted
    Json directions;
    long long trials = 0;
  };
  struct Trial {
    long long study = 0, number = 0, state = kRunning;
    Configuration configuration = Json::object();
    std::string failure;
    Json values;
  };
  enum State : long long { kRunning, kComplete, kPruned, kFailed };

  void apply(const Json& operation) {
    switch (operation.at("op_code").get<long long>()) {
      case 0:
        operation.at("directions").at(0).get<long long>();
        // Optuna says this again whenever a program begins; a study that is there stays.
        if (is_live(operation.at("study_name").get<std::string>())) break;
        studies.push_back({operation.at("study_name").get<std::string>(), operation.at("directions")});
        break;
      case 1:
        if (Study* study = find(studies, operation.at("study_id"))) study->name.clear();
        break;
      case 4:
        add_trial(operation);
        break;
      case 5:
        if (Trial* trial = find_unfinished(operation.at("trial_id"))) {
          set(*trial, operation.at("param_name").get<std::string>(), operation.at("param_value_internal"),
              operation.at("distribution"));
        }
        break;
      case 6:
        if (Trial* trial = find_unfinished(operation.at("trial_id"))) {
          trial->state = operation.at("state").get<long long>();
          if (const Json values = operation.value("values", Json()); !values.is_null()) trial->values = values;
        }
        break;
      default:
        break;  // attributes, intermediate values
    }
  }

  std::vector<Study> studies;
  std::vector<Trial> trials;

 private:
  template <typename Item>
  static Item* find(std::vector<Item>& items, const Json& id) {
    const auto index = id.get<long long>();
    return index >= 0 && index < static_cast<long long>(items.size()) ? &items[static_cast<std::size_t>(index)]
                                                                      : nullptr;
  }

  bool is_live(const std::string& name) const {
    return std::any_of(studies.begin(), studies.end(), [&](const Study& study) { return study.name == name; });
  }

  Trial* find_unfinished(const Json& id) {
    Trial* trial = find(trials, id);
    return trial && (trial->state < kComplete || trial->state > kFailed) ? trial : nullptr;
  }

  void add_trial(const Json& operation) {
    Study* study = find(studies, operation.at("study_id"));
    if (!study || study->name.empty()) return;
    Trial trial;
    trial.study = operation.at("study_id").get<long long>();
    trial.number = study->trials++;
    trial.state = operation.value("state", static_cast<long long>(kRunning));
    trial.values = operation.value("values", Json());
    if (trial.values.is_null() && operation.contains("value")) trial.values = Json::array({operation.at("value")});
    const Json parameters = operation.value("params", Json::object());
    for (const auto& [name, value] : parameters.items()) {
      set(trial, name, value, operation.at("distributions").at(name));
    }
    trials.push_back(std::move(trial));
  }

  static void set(Trial& trial, const std::string& name, const Json& value, const Json& distribution) {
    try {
      trial.configuration[name] = optuna_value(value.get<double>(), distribution.get<std::string>());
    } catch (const std::exception& error) {
      trial.failure = name + ": " + error.what();
    }
  }
};

void read_optuna_journal(const ForeignSource& source, const std::string& text, Collector& collector) {
  OptunaJournal journal;
  std::istringstream lines(without_nan(text));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = source.file + ": line " + std::to_string(number);
    Json operation;
    try {
      operation = parse_json(line, "operation");
    } catch (const InputError& error) {
      if (lines.peek() != std::istringstream::traits_type::eof()) throw InputError(place + ": " + error.what());
      collector.skip(place, error.what());  // the last line, torn
      continue;
    }
    try {
      journal.apply(operation);
    } catch (const Json::exception& error) {
      throw InputError(place + ": not an operation of Optuna's journal (" + error.what() + ")");
    }
  }
  std::map<std::string, long long> studies;
  for (std::size_t i = 0; i < journal.studies.size(); ++i) {
    if (!journal.studies[i].name.empty()) studies[journal.studies[i].name] = static_cast<long long>(i);
  }
  const long long chosen = choose_study(studies, source);
  const Json& directions = journal.studies[static_cast<std::size_t>(chosen)].directions;
  check_objectives(source, directions.size());
  collector.results.optimize_mode = directions.at(0) == 1 ? OptimizeMode::kMinimize : OptimizeMode::kMaximize;
  for (const OptunaJournal::Trial& trial : journal.trials) {
    if (trial.study != chosen || trial.state != OptunaJournal::kComplete) continue;
    const std::string place = source.file + ": trial " + std::to_string(trial.number);
    if (!trial.failure.empty()) {
      collector.skip(place, trial.failure);
      continue;
    }
    const bool has_value = trial.values.is_array() && trial.values.size() == 1 && trial.values[0].is_number();
    collector.add(place, trial.configuration,
                  has_value ? std::optional<double>(trial.values[0].get<double>()) : std::nullopt);
  }
}

void read_optuna(const ForeignSource& source, Collector& collector) {
  try {
    soci::session sql(soci::sqlite3, "db=\"" + source.file + "\" readonly=true");
    sql << "PRAGMA query_only = ON";
    const long long study = study_of(sql, source);
    std::string direction;
    long long objectives = 0;
    sql << "SELECT COUNT(*), MAX(direction) FROM study_directions WHERE study_id = :s", soci::into(objectives),
        soci::into(direction), soci::use(study);
    check_objectives(source, static_cast<std::size_t>(objectives));
    collector.results.optimize_mode = direction == "MINIMIZE" ? OptimizeMode::kMinimize : OptimizeMode::kMaximize;

    struct Trial {
      Configuration configuration = Json::object();
      std::string failure;
    };
    std::map<long long, Trial> trials;  // by number
    long long number = 0;
    double value = 0;
    soci::indicator has_value = soci::i_ok;
    std::string name, distribution;
    soci::statement parameters =
        (sql.prepare << "SELECT t.number, p.param_name, p.param_value, p.distribution_json FROM trials t JOIN "
                        "trial_params p ON p.trial_id = t.trial_id WHERE t.study_id = :s AND t.state = 'COMPLETE'",
         soci::use(study), soci::into(number), soci::into(name), soci::into(value, has_value),
         soci::into(distribution));
    parameters.execute();
    while (parameters.fetch()) {
      Trial& trial = trials[number];
      try {
        if (has_value != soci::i_ok) throw InputError("has no value");
        trial.configuration[name] = optuna_value(value, distribution);
      } catch (const std::exception& error) {
        trial.failure = name + ": " + error.what();
      }
    }
    std::string kind;
    soci::statement values =
        (sql.prepare << "SELECT t.number, v.value, v.value_type FROM trials t JOIN trial_values v ON v.trial_id = "
                        "t.trial_id WHERE t.study_id = :s AND t.state = 'COMPLETE' ORDER BY t.number",
         soci::use(study), soci::into(number), soci::into(value, has_value), soci::into(kind));
    values.execute();
    while (values.fetch()) {
      const std::string place = source.file + ": trial " + std::to_string(number);
      const Trial& trial = trials[number];
      if (!trial.failure.empty()) {
        collector.skip(place, trial.failure);
        continue;
      }
      const bool is_finite = has_value == soci::i_ok && kind == "FINITE";
      collector.add(place, trial.configuration, is_finite ? std::optional<double>(value) : std::nullopt);
    }
  } catch (const soci::soci_error& error) {
    const std::string text = error.what();
    throw InputError(source.file + ": not an Optuna storage (" +
                     text.substr(0, std::min<std::size_t>(text.find('\n'), 120)) + ")");
  }
}

}  // namespace

ForeignResults read_foreign_results(const ForeignSource& source, const SearchSpace& space) {
  std::string text = read_file(source.file);
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);  // the byte order mark that Excel writes
  Collector collector(space);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (text.compare(0, 15, "SQLite format 3") == 0) {
    read_optuna(source, collector);
  } else if (begin != std::string::npos && text[begin] == '{' && is_optuna_journal(text, begin)) {
    read_optuna_journal(source, text, collector);
  } else if (begin != std::string::npos && (text[begin] == '[' || text[begin] == '{')) {
    read_nni(source.file, text, collector);
  } else {
    read_csv(source, text, space, collector);
  }
  return std::move(collector.results);
}

}  // namespace hyperfd
