#include "tuner/platform/sqlite_store.h"

#include <cstring>
#include <utility>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/platform/sqlite_file.h"
#include "tuner/platform/sqlite_merge.h"

namespace hyperfd {
namespace {

template <typename Enumeration>
Enumeration word_of(const std::string& word) {
  const auto value = from_word<Enumeration>(word);
  if (!value) throw StoreError("unexpected word \"" + word + "\" in the store");
  return *value;
}

// [[name, number], …]
std::string statistics_text(const std::vector<NamedNumber>& statistics) {
  Json list = Json::array();
  for (const NamedNumber& number : statistics) list.push_back(Json::array({number.name, number.value}));
  return list.dump();
}

std::vector<NamedNumber> statistics_of(const std::string& text) {
  std::vector<NamedNumber> statistics;
  try {
    for (const Json& entry : parse_json(text, "statistics")) {
      const Json& value = entry.at(1);  // null: withheld
      statistics.push_back({entry.at(0).get<std::string>(), value.is_null() ? kWithheld : value.get<double>()});
    }
  } catch (const std::exception& error) {
    throw StoreError(std::string("a data set's statistics: ") + error.what());
  }
  return statistics;
}

std::vector<float> floats_of(const std::string& bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

class SqliteStore : public ExperienceStore {
 public:
  SqliteStore(const std::string& file, StoreAccess access) : file_(file, access), sql_(file_.session()) {}

  void begin(Durability durability) override { file_.begin(durability); }
  void commit() override { file_.commit(); }
  void rollback() noexcept override { file_.rollback(); }

  std::int64_t space(const std::string& signature, const std::string& definition) override {
    return guarded([&] {
      sql_ << "INSERT INTO spaces (signature, definition) VALUES (:s, :d) ON CONFLICT (definition) DO NOTHING",
          soci::use(signature), soci::use(definition);
      long long id = 0;
      sql_ << "SELECT id FROM spaces WHERE definition = :d", soci::into(id), soci::use(definition);
      return static_cast<std::int64_t>(id);
    });
  }

  std::string definition(const std::string& signature) override {
    return guarded([&] {
      std::string text;
      sql_ << "SELECT definition FROM spaces WHERE signature = :s ORDER BY id DESC LIMIT 1", soci::into(text),
          soci::use(signature);
      if (!sql_.got_data()) throw StoreError("no space has the signature " + signature);
      return text;
    });
  }

  std::int64_t count_experiments(const std::string& prefix) override {
    return guarded([&] {
      long long count = 0;
      sql_ << "SELECT count(*) FROM experiments WHERE substr(name, 1, length(:p)) = :q", soci::into(count),
          soci::use(prefix), soci::use(prefix);
      return static_cast<std::int64_t>(count);
    });
  }

  std::optional<ExperimentRecord> find_experiment(const std::string& name) override {
    return guarded([&]() -> std::optional<ExperimentRecord> {
      ExperimentRecord found;
      found.name = name;
      long long id = 0, space = 0, budget = 0, seed = 0;
      std::string mode;
      sql_ << "SELECT e.id, e.space_id, s.signature, s.definition, e.optimize_mode, e.budget, e.policy, e.seed, "
              "e.annotation "
              "FROM experiments e JOIN spaces s ON s.id = e.space_id WHERE e.name = :n",
          soci::into(id), soci::into(space), soci::into(found.signature), soci::into(found.definition),
          soci::into(mode), soci::into(budget), soci::into(found.policy), soci::into(seed),
          soci::into(found.annotation), soci::use(name);
      if (!sql_.got_data()) return std::nullopt;
      found.id = id;
      found.space = space;
      found.optimize_mode = word_of<OptimizeMode>(mode);
      found.budget = budget;
      found.seed = seed;
      return found;
    });
  }

  std::int64_t add_experiment(const ExperimentRecord& experiment) override {
    return guarded([&] {
      const long long space = experiment.space, budget = experiment.budget, seed = experiment.seed;
      const std::string mode = to_word(experiment.optimize_mode);
      sql_ << "INSERT INTO experiments (name, space_id, optimize_mode, budget, policy, seed, annotation) "
              "VALUES (:n, :s, :m, :b, :p, :r, :a)",
          soci::use(experiment.name), soci::use(space), soci::use(mode), soci::use(budget),
          soci::use(experiment.policy), soci::use(seed), soci::use(experiment.annotation);
      return last_id();
    });
  }

  void update_experiment(const ExperimentRecord& experiment) override {
    guarded([&] {
      const long long id = experiment.id, space = experiment.space, budget = experiment.budget, seed = experiment.seed;
      const std::string mode = to_word(experiment.optimize_mode);
      sql_ << "UPDATE experiments SET space_id = :s, optimize_mode = :m, budget = :b, policy = :p, seed = :r, "
              "annotation = :a WHERE id = :i",
          soci::use(space), soci::use(mode), soci::use(budget), soci::use(experiment.policy), soci::use(seed),
          soci::use(experiment.annotation), soci::use(id);
    });
  }

  std::optional<std::int64_t> find_run(std::int64_t experiment, const std::string& name) override {
    return guarded([&]() -> std::optional<std::int64_t> {
      const long long owner = experiment;
      long long id = 0;
      sql_ << "SELECT id FROM runs WHERE experiment_id = :e AND name = :n", soci::into(id), soci::use(owner),
          soci::use(name);
      return sql_.got_data() ? std::optional<std::int64_t>(id) : std::nullopt;
    });
  }

  std::int64_t add_run(std::int64_t experiment, const std::string& name) override {
    return guarded([&] {
      const long long owner = experiment;
      sql_ << "INSERT INTO runs (experiment_id, name) VALUES (:e, :n)", soci::use(owner), soci::use(name);
      return last_id();
    });
  }

  void end_run(std::int64_t run) override {
    guarded([&] {
      const long long id = run;
      sql_ << "UPDATE runs SET ended = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = :i", soci::use(id);
    });
  }

  std::vector<ConfigurationRecord> configurations(std::int64_t experiment) override {
    return guarded([&] {
      const long long owner = experiment;
      std::vector<ConfigurationRecord> found;
      long long id = 0, run = 0;
      int has_result = 0;
      NullableId parameter_id, space;
      NullableReal metric;
      std::string job, fingerprint, parameters, source, outcome;
      soci::statement rows =
          (sql_.prepare
               << "SELECT c.id, c.run_id, c.parameter_id, c.trial_job_id, c.space_id, c.fingerprint, c.parameters, "
                  "c.source, r.configuration_id IS NOT NULL, r.metric, coalesce(("
                  "SELECT t.outcome FROM trial_ends t WHERE t.run_id = c.run_id AND "
                  "(t.parameter_id = c.parameter_id OR (t.parameter_id IS NULL AND c.parameter_id IS NULL AND "
                  "t.trial_job_id <> '' AND t.trial_job_id = c.trial_job_id)) LIMIT 1), '') "
                  "FROM configurations c LEFT JOIN results r ON r.configuration_id = c.id "
                  "WHERE c.experiment_id = :e ORDER BY c.id",
           soci::into(id), soci::into(run), soci::into(parameter_id.value, parameter_id.indicator), soci::into(job),
           soci::into(space.value, space.indicator), soci::into(fingerprint), soci::into(parameters),
           soci::into(source), soci::into(has_result), soci::into(metric.value, metric.indicator), soci::into(outcome),
           soci::use(owner));
      rows.execute();
      while (rows.fetch()) {
        found.push_back({id, run, parameter_id.get(), job, space.get().value_or(0), fingerprint, parameters,
                         word_of<ConfigurationSource>(source), has_result != 0, metric.get(),
                         from_word<TrialOutcome>(outcome)});
      }
      return found;
    });
  }

  std::int64_t add_configuration(std::int64_t experiment, const ConfigurationRecord& configuration) override {
    return guarded([&] {
      const long long owner = experiment, run = configuration.run;
      NullableId parameter_id(configuration.parameter_id);
      NullableId space(configuration.space ? std::optional<std::int64_t>(configuration.space) : std::nullopt);
      const std::string source = to_word(configuration.source);
      sql_ << "INSERT INTO configurations (experiment_id, run_id, parameter_id, trial_job_id, space_id, fingerprint, "
              "parameters, source) VALUES (:e, :r, :i, :j, :s, :f, :p, :o)",
          soci::use(owner), soci::use(run), soci::use(parameter_id.value, parameter_id.indicator),
          soci::use(configuration.trial_job_id), soci::use(space.value, space.indicator),
          soci::use(configuration.fingerprint), soci::use(configuration.parameters), soci::use(source);
      return last_id();
    });
  }

  void add_result(std::int64_t configuration, const std::string& value, std::optional<double> metric) override {
    guarded([&] {
      const long long id = configuration;
      NullableReal number(metric);
      sql_ << "INSERT INTO results (configuration_id, value, metric) VALUES (:c, :v, :m)", soci::use(id),
          soci::use(value), soci::use(number.value, number.indicator);
    });
  }

  bool add_intermediate_result(const IntermediateResult& result) override {
    return guarded([&] {
      const long long id = result.configuration, sequence = result.sequence;
      sql_ << "INSERT INTO intermediate_results (configuration_id, sequence, value) VALUES (:c, :s, :v) "
              "ON CONFLICT DO NOTHING",
          soci::use(id), soci::use(sequence), soci::use(result.value);
      return changed();
    });
  }

  bool add_trial_end(const TrialEndRecord& end) override {
    return guarded([&] {
      const long long run = end.run;
      NullableId parameter_id(end.parameter_id);
      const std::string outcome = to_word(end.outcome);
      sql_ << "INSERT INTO trial_ends (run_id, parameter_id, trial_job_id, outcome) VALUES (:r, :i, :j, :o) "
              "ON CONFLICT DO NOTHING",
          soci::use(run), soci::use(parameter_id.value, parameter_id.indicator), soci::use(end.trial_job_id),
          soci::use(outcome);
      return changed();
    });
  }

  std::optional<TrialOutcome> trial_outcome(const ConfigurationRecord& configuration) override {
    return guarded([&] {
      const long long run = configuration.run;
      NullableId parameter_id(configuration.parameter_id);
      std::string outcome;
      sql_ << "SELECT outcome FROM trial_ends WHERE run_id = :r AND (parameter_id = :i OR "
              "(parameter_id IS NULL AND :i2 IS NULL AND trial_job_id <> '' AND trial_job_id = :j)) LIMIT 1",
          soci::into(outcome), soci::use(run), soci::use(parameter_id.value, parameter_id.indicator),
          soci::use(parameter_id.value, parameter_id.indicator), soci::use(configuration.trial_job_id);
      return sql_.got_data() ? from_word<TrialOutcome>(outcome) : std::nullopt;
    });
  }

  std::optional<DatasetRecord> find_dataset(std::int64_t task) override {
    return guarded([&]() -> std::optional<DatasetRecord> {
      std::vector<DatasetRecord> found = datasets_where("experiment_id = " + std::to_string(task));
      return found.empty() ? std::nullopt : std::optional<DatasetRecord>(std::move(found.front()));
    });
  }

  void set_dataset(const DatasetRecord& dataset) override {
    guarded([&] {
      const long long task = dataset.task, width = dataset.image_features, images = dataset.images,
                      version = dataset.ranker_version;
      const std::string statistics = statistics_text(dataset.statistics);
      soci::blob feature(sql_);
      feature.write(0, reinterpret_cast<const char*>(dataset.feature.data()), dataset.feature.size() * sizeof(float));
      sql_ << "INSERT OR REPLACE INTO datasets (experiment_id, extractor, image_features, images, statistics, feature, "
              "ranker_signature, ranker_version) VALUES (:e, :x, :w, :i, :s, :f, :g, :v)",
          soci::use(task), soci::use(dataset.extractor), soci::use(width), soci::use(images), soci::use(statistics),
          soci::use(feature), soci::use(dataset.ranker_signature), soci::use(version);
    });
  }

  std::vector<DatasetRecord> datasets(const std::string& signature) override {
    return guarded([&] {
      return datasets_where("experiment_id IN (SELECT experiment_id FROM experience WHERE signature = :s)", &signature);
    });
  }

  void add_offline_features(std::int64_t task, const std::string& features) override {
    guarded([&] {
      const long long id = task;
      soci::blob blob(sql_);
      blob.write(0, features.data(), features.size());
      sql_ << "INSERT INTO offline_features (experiment_id, features) VALUES (:e, :f)", soci::use(id), soci::use(blob);
    });
  }

  std::vector<std::pair<std::int64_t, std::string>> offline_features(const std::string& signature) override {
    return guarded([&] {
      std::vector<std::pair<std::int64_t, std::string>> found;
      long long task = 0;
      soci::blob features(sql_);
      soci::statement rows =
          (sql_.prepare << "SELECT experiment_id, features FROM offline_features WHERE experiment_id IN (SELECT "
                           "experiment_id FROM experience WHERE signature = :s) ORDER BY experiment_id",
           soci::use(signature), soci::into(task), soci::into(features));
      rows.execute();
      while (rows.fetch()) found.emplace_back(task, bytes_of(features));
      return found;
    });
  }

  std::vector<ExperienceRecord> experience(const std::string& signature, std::optional<std::int64_t> task) override {
    return guarded([&] {
      std::vector<ExperienceRecord> found;
      ExperienceRecord row;
      std::string mode;
      long long id = 0;
      const long long number = task.value_or(0);  // no row has number 0
      const std::string compare = task ? "= " : "<> ";
      soci::statement rows =
          (sql_.prepare << "SELECT e.id, e.name, e.optimize_mode, x.parameters, x.metric FROM experience x "
                           "JOIN experiments e ON e.id = x.experiment_id WHERE x.signature = :s "
                           "AND x.experiment_id " +
                               compare + ":e ORDER BY x.experiment_id, x.configuration_id",
           soci::into(id), soci::into(row.experiment), soci::into(mode), soci::into(row.parameters),
           soci::into(row.metric), soci::use(signature), soci::use(number));
      rows.execute();
      while (rows.fetch()) {
        row.task = id;
        row.optimize_mode = word_of<OptimizeMode>(mode);
        found.push_back(row);
      }
      return found;
    });
  }

  std::int64_t count_results(const std::string& signature) override {
    return guarded([&] {
      long long count = 0;
      sql_ << "SELECT count(*) FROM experience WHERE signature = :s", soci::into(count), soci::use(signature);
      return static_cast<std::int64_t>(count);
    });
  }

  std::int64_t count_past_tasks(const std::string& signature, std::int64_t experiment) override {
    return guarded([&] {
      const long long except = experiment;
      long long count = 0;
      sql_ << "SELECT count(DISTINCT experiment_id) FROM experience WHERE signature = :s AND experiment_id <> :e",
          soci::into(count), soci::use(signature), soci::use(except);
      return static_cast<std::int64_t>(count);
    });
  }

  std::optional<StoredReply> find_reply(const std::string& experiment, const std::string& request) override {
    return guarded([&]() -> std::optional<StoredReply> {
      StoredReply reply;
      soci::blob frame(sql_);
      sql_ << "SELECT r.digest, r.frame FROM replies r JOIN experiments e ON e.id = r.experiment_id "
              "WHERE e.name = :e AND r.request = :r",
          soci::into(reply.digest), soci::into(frame), soci::use(experiment), soci::use(request);
      if (!sql_.got_data()) return std::nullopt;
      reply.frame = bytes_of(frame);
      return reply;
    });
  }

  void add_reply(std::int64_t experiment, const std::string& request, const StoredReply& reply) override {
    guarded([&] {
      const long long owner = experiment;
      soci::blob frame(sql_);
      frame.write(0, reply.frame.data(), reply.frame.size());
      sql_ << "INSERT INTO replies (experiment_id, request, digest, frame) VALUES (:e, :r, :d, :f)", soci::use(owner),
          soci::use(request), soci::use(reply.digest), soci::use(frame);
      const int kept = kKeptReplies;
      sql_
          << "DELETE FROM replies WHERE experiment_id = :e AND id <= (SELECT id FROM replies WHERE experiment_id = :e2 "
             "ORDER BY id DESC LIMIT 1 OFFSET :k)",
          soci::use(owner), soci::use(owner), soci::use(kept);
    });
  }

  std::optional<RankerRecord> latest_ranker(const std::string& signature) override {
    return guarded([&]() -> std::optional<RankerRecord> {
      RankerRecord ranker;
      ranker.signature = signature;
      long long version = 0, results = 0;
      soci::blob model(sql_);
      sql_ << "SELECT version, results, model FROM rankers WHERE signature = :s ORDER BY version DESC LIMIT 1",
          soci::into(version), soci::into(results), soci::into(model), soci::use(signature);
      if (!sql_.got_data()) return std::nullopt;
      ranker.version = version;
      ranker.results = results;
      ranker.model = bytes_of(model);
      return ranker;
    });
  }

  void add_ranker(const RankerRecord& ranker) override {
    guarded([&] {
      const long long version = ranker.version, results = ranker.results, outdated = ranker.version - kKeptRankers;
      soci::blob model(sql_);
      model.write(0, ranker.model.data(), ranker.model.size());
      sql_ << "INSERT INTO rankers (signature, version, results, model) VALUES (:s, :v, :r, :m)",
          soci::use(ranker.signature), soci::use(version), soci::use(results), soci::use(model);
      sql_ << "DELETE FROM rankers WHERE signature = :s AND version <= :v", soci::use(ranker.signature),
          soci::use(outdated);
    });
  }

  MergedExperience merge(const std::string& file) override { return merge_store(file_, file); }
  void export_to(const std::string& file) override { export_store(file_, file); }

  std::vector<ExperimentSummary> experiments() override {
    return guarded([&] {
      std::vector<ExperimentSummary> found;
      long long id = 0, budget = 0, runs = 0, configurations = 0, results = 0, failed = 0;
      ExperimentSummary row;
      std::string mode;
      soci::statement rows =
          (sql_.prepare << "SELECT e.id, e.name, s.signature, e.optimize_mode, e.budget, e.policy, "
                           "(SELECT count(*) FROM runs WHERE experiment_id = e.id), "
                           "(SELECT count(*) FROM configurations WHERE experiment_id = e.id), "
                           "(SELECT count(*) FROM results r JOIN configurations c ON c.id = r.configuration_id "
                           "WHERE c.experiment_id = e.id), "
                           "(SELECT count(*) FROM trial_ends t JOIN runs u ON u.id = t.run_id "
                           "WHERE u.experiment_id = e.id AND t.outcome = 'FAILED') "
                           "FROM experiments e JOIN spaces s ON s.id = e.space_id ORDER BY e.id",
           soci::into(id), soci::into(row.name), soci::into(row.signature), soci::into(mode), soci::into(budget),
           soci::into(row.policy), soci::into(runs), soci::into(configurations), soci::into(results),
           soci::into(failed));
      rows.execute();
      while (rows.fetch()) {
        row.id = id;
        row.optimize_mode = word_of<OptimizeMode>(mode);
        row.budget = budget;
        row.runs = runs;
        row.configurations = configurations;
        row.results = results;
        row.failed = failed;
        found.push_back(row);
      }
      for (ExperimentSummary& experiment : found) add_best(experiment);
      return found;
    });
  }

  std::vector<RankerSummary> rankers() override {
    return guarded([&] {
      std::vector<RankerSummary> found;
      RankerSummary row;
      long long version = 0, results = 0;
      soci::statement rows =
          (sql_.prepare << "SELECT signature, version, results, created FROM rankers "
                           "ORDER BY signature, version",
           soci::into(row.signature), soci::into(version), soci::into(results), soci::into(row.created));
      rows.execute();
      while (rows.fetch()) {
        row.version = version;
        row.results = results;
        found.push_back(row);
      }
      return found;
    });
  }

 private:
  template <typename Work>
  auto guarded(Work&& work) -> decltype(work()) {
    return file_.guarded(std::forward<Work>(work));
  }

  std::vector<DatasetRecord> datasets_where(const std::string& condition, const std::string* value = nullptr) {
    std::vector<DatasetRecord> found;
    long long task = 0, width = 0, images = 0, version = 0;
    std::string extractor, statistics, signature;
    soci::blob feature(sql_);
    soci::statement rows(sql_);
    rows.alloc();
    rows.prepare(
        "SELECT experiment_id, extractor, image_features, images, statistics, feature, ranker_signature, "
        "ranker_version FROM datasets WHERE " +
        condition + " ORDER BY experiment_id");
    if (value) rows.exchange(soci::use(*value));
    rows.exchange(soci::into(task));
    rows.exchange(soci::into(extractor));
    rows.exchange(soci::into(width));
    rows.exchange(soci::into(images));
    rows.exchange(soci::into(statistics));
    rows.exchange(soci::into(feature));
    rows.exchange(soci::into(signature));
    rows.exchange(soci::into(version));
    rows.define_and_bind();
    rows.execute();
    while (rows.fetch()) {
      found.push_back({task, extractor, width, images, statistics_of(statistics), floats_of(bytes_of(feature)),
                       signature, version});
    }
    return found;
  }

  void add_best(ExperimentSummary& experiment) {
    const long long id = experiment.id;
    double best = 0;
    const std::string order = experiment.optimize_mode == OptimizeMode::kMaximize ? "DESC" : "ASC";
    sql_ << "SELECT metric, parameters FROM experience WHERE experiment_id = :e ORDER BY metric " + order + " LIMIT 1",
        soci::into(best), soci::into(experiment.best_parameters), soci::use(id);
    if (sql_.got_data()) experiment.best = best;
  }

  std::int64_t last_id() {
    long long id = 0;
    sql_ << "SELECT last_insert_rowid()", soci::into(id);
    return id;
  }
  bool changed() {
    int rows = 0;
    sql_ << "SELECT changes()", soci::into(rows);
    return rows > 0;
  }

  SqliteFile file_;
  soci::session& sql_;
};

}  // namespace

std::unique_ptr<ExperienceStore> open_store(const std::string& file, StoreAccess access) {
  return std::make_unique<SqliteStore>(file, access);
}

}  // namespace hyperfd
