#include "tuner/platform/sqlite_merge.h"

#include <filesystem>

#include "tuner/platform/sqlite_file.h"
#include "tuner/platform/store_schema.h"

namespace hyperfd {
namespace {

// Ids of what is new are moved behind those that are there, as versions of rankers are. Spaces are equal by their text;
// an experiment is the one of its name, where that is one on a space of the same signature. A bundle's task
// (kOfflinePrefix) that was made again later takes the place of the earlier one, and its ranker that of the signature:
// it may read other numbers of data sets. A φ stays only where the ranker that it belongs to comes along.
constexpr const char* kMerge[] = {
    R"(CREATE TEMP TABLE namesakes AS
         SELECT m.id, m.name, o.id AS other_id, ms.signature, ms.signature = os.signature AS is_same,
                o.created > m.created AS is_later
         FROM main.experiments m JOIN main.spaces ms ON ms.id = m.space_id
         JOIN other.experiments o ON o.name = m.name JOIN other.spaces os ON os.id = o.space_id)",
    R"(CREATE TEMP TABLE replaced_experiments AS
         SELECT id, signature FROM namesakes WHERE name GLOB 'offline/*' AND is_same AND is_later)",
    R"(DELETE FROM main.results WHERE configuration_id IN
         (SELECT c.id FROM main.configurations c JOIN replaced_experiments r ON r.id = c.experiment_id))",
    R"(DELETE FROM main.intermediate_results WHERE configuration_id IN
         (SELECT c.id FROM main.configurations c JOIN replaced_experiments r ON r.id = c.experiment_id))",
    R"(DELETE FROM main.trial_ends WHERE run_id IN
         (SELECT u.id FROM main.runs u JOIN replaced_experiments r ON r.id = u.experiment_id))",
    R"(DELETE FROM main.configurations WHERE experiment_id IN (SELECT id FROM replaced_experiments))",
    R"(DELETE FROM main.runs WHERE experiment_id IN (SELECT id FROM replaced_experiments))",
    R"(DELETE FROM main.replies WHERE experiment_id IN (SELECT id FROM replaced_experiments))",
    R"(DELETE FROM main.offline_features WHERE experiment_id IN (SELECT id FROM replaced_experiments))",
    R"(DELETE FROM main.datasets WHERE experiment_id IN (SELECT id FROM replaced_experiments))",
    R"(DELETE FROM main.experiments WHERE id IN (SELECT id FROM replaced_experiments))",

    R"(CREATE TEMP TABLE new_experiments AS
         SELECT id, id + (SELECT coalesce(max(id), 0) FROM main.experiments) AS new_id FROM other.experiments
         WHERE name NOT IN (SELECT name FROM main.experiments))",
    R"(CREATE TEMP TABLE new_runs AS
         SELECT r.id, r.id + (SELECT coalesce(max(id), 0) FROM main.runs) AS new_id, n.new_id AS experiment_id
         FROM other.runs r JOIN new_experiments n ON n.id = r.experiment_id)",
    R"(CREATE TEMP TABLE new_configurations AS
         SELECT c.id, c.id + (SELECT coalesce(max(id), 0) FROM main.configurations) AS new_id,
                n.new_id AS run_id, n.experiment_id
         FROM other.configurations c JOIN new_runs n ON n.id = c.run_id)",
    R"(CREATE TEMP TABLE new_rankers AS
         SELECT o.signature, (SELECT coalesce(max(version), 0) FROM main.rankers m WHERE m.signature = o.signature)
                             AS versions_before
         FROM (SELECT DISTINCT signature FROM other.rankers) o
         WHERE o.signature NOT IN (SELECT signature FROM main.rankers)
            OR o.signature IN (SELECT signature FROM replaced_experiments))",
    R"(UPDATE main.datasets SET feature = x'' WHERE ranker_signature IN (SELECT signature FROM new_rankers))",

    R"(INSERT INTO main.spaces (signature, definition)
         SELECT signature, definition FROM other.spaces
         WHERE definition NOT IN (SELECT definition FROM main.spaces) ORDER BY id)",
    R"(CREATE TEMP TABLE same_spaces AS
         SELECT o.id, s.id AS new_id FROM other.spaces o JOIN main.spaces s ON s.definition = o.definition)",
    R"(INSERT INTO main.experiments (id, name, space_id, optimize_mode, budget, policy, seed, annotation, created)
         SELECT n.new_id, e.name, s.new_id, e.optimize_mode, e.budget, e.policy, e.seed, e.annotation, e.created
         FROM other.experiments e JOIN new_experiments n ON n.id = e.id JOIN same_spaces s ON s.id = e.space_id)",
    R"(INSERT INTO main.runs (id, experiment_id, name, started, ended)
         SELECT n.new_id, n.experiment_id, r.name, r.started, r.ended
         FROM other.runs r JOIN new_runs n ON n.id = r.id)",
    R"(INSERT INTO main.configurations (id, experiment_id, run_id, parameter_id, trial_job_id, space_id, fingerprint,
                                        parameters, source, created)
         SELECT n.new_id, n.experiment_id, n.run_id, c.parameter_id, c.trial_job_id, s.new_id, c.fingerprint,
                c.parameters, c.source, c.created
         FROM other.configurations c JOIN new_configurations n ON n.id = c.id
         LEFT JOIN same_spaces s ON s.id = c.space_id)",
    R"(INSERT INTO main.results (configuration_id, value, metric, received)
         SELECT n.new_id, r.value, r.metric, r.received
         FROM other.results r JOIN new_configurations n ON n.id = r.configuration_id)",
    R"(INSERT INTO main.intermediate_results (configuration_id, sequence, value, received)
         SELECT n.new_id, r.sequence, r.value, r.received
         FROM other.intermediate_results r JOIN new_configurations n ON n.id = r.configuration_id)",
    R"(INSERT INTO main.trial_ends (run_id, parameter_id, trial_job_id, outcome, received)
         SELECT n.new_id, t.parameter_id, t.trial_job_id, t.outcome, t.received
         FROM other.trial_ends t JOIN new_runs n ON n.id = t.run_id ORDER BY t.id)",
    R"(INSERT INTO main.datasets (experiment_id, extractor, image_features, images, statistics, feature,
                                  ranker_signature, ranker_version)
         SELECT n.new_id, d.extractor, d.image_features, d.images, d.statistics,
                CASE WHEN d.ranker_signature IN (SELECT signature FROM new_rankers) THEN d.feature ELSE x'' END,
                d.ranker_signature,
                d.ranker_version + coalesce((SELECT k.versions_before FROM new_rankers k
                                             WHERE k.signature = d.ranker_signature), 0)
         FROM other.datasets d JOIN new_experiments n ON n.id = d.experiment_id)",
    R"(INSERT INTO main.offline_features (experiment_id, features)
         SELECT n.new_id, o.features FROM other.offline_features o JOIN new_experiments n ON n.id = o.experiment_id)",
    R"(INSERT INTO main.rankers (signature, version, results, model, created)
         SELECT o.signature, o.version + k.versions_before, o.results, o.model, o.created
         FROM other.rankers o JOIN new_rankers k ON k.signature = o.signature)",
};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

// A second database beside the store's, and the temporary tables of a merge, gone with the object.
class Attached {
 public:
  Attached(soci::session& sql, const std::string& file) : sql_(sql) { sql_ << "ATTACH " + quoted(file) + " AS other"; }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() {
    try {
      for (const char* table : {"namesakes", "replaced_experiments", "new_experiments", "new_runs",
                                "new_configurations", "new_rankers", "same_spaces"})
        sql_ << std::string("DROP TABLE IF EXISTS temp.") + table;
      sql_ << "DETACH other";
    } catch (const std::exception&) {
      // Goes with the connection at the latest.
    }
  }

 private:
  soci::session& sql_;
};

void check_version(SqliteFile& store, const std::string& file) {
  int version = 0;
  store.guarded([&] { store.session() << "PRAGMA user_version", soci::into(version); });
  if (version != kStoreSchemaVersion) {
    throw StoreError(file + ": schema version " + std::to_string(version) + ", expected " +
                     std::to_string(kStoreSchemaVersion) +
                     "; a program that opens it for writing brings it up to date (hyperfd-tuner serve --store)");
  }
}

}  // namespace

void check_bundle(const std::string& file) {
  SqliteFile bundle(file, StoreAccess::kReadOnly);
  check_version(bundle, file);
}

MergedExperience merge_store(SqliteFile& store, const std::string& other) {
  // Throws if it is no store; its tables stay until we have read them.
  SqliteFile source(other, StoreAccess::kReadOnly);
  check_version(source, other);
  return store.guarded([&] {
    soci::session& sql = store.session();
    const Attached attached(sql, other);
    soci::transaction all(sql);
    for (const char* statement : kMerge) sql << statement;
    MergedExperience merged;
    long long experiments = 0, results = 0, replaced = 0, rankers = 0;
    sql << "SELECT count(*) FROM new_experiments", soci::into(experiments);
    sql << "SELECT count(*) FROM new_configurations n JOIN other.results r ON r.configuration_id = n.id",
        soci::into(results);
    sql << "SELECT count(*) FROM replaced_experiments", soci::into(replaced);
    sql << "SELECT count(*) FROM new_rankers", soci::into(rankers);
    for (const std::string& name :
         soci::rowset<std::string>(sql.prepare << "SELECT name FROM namesakes WHERE NOT is_same ORDER BY other_id")) {
      merged.of_other_spaces.push_back(name);
    }
    all.commit();
    merged.experiments = experiments;
    merged.results = results;
    merged.replaced = replaced;
    merged.rankers = rankers;
    return merged;
  });
}

void export_store(SqliteFile& store, const std::string& file) {
  std::error_code none;
  if (std::filesystem::exists(file, none)) throw StoreError(file + ": exists");
  if (const std::filesystem::path folder = std::filesystem::path(file).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder, none);
    if (!std::filesystem::is_directory(folder, none)) throw StoreError(file + ": its folder cannot be made");
  }
  store.guarded([&] {
    soci::session& sql = store.session();
    int query_only = 0;
    sql << "PRAGMA query_only", soci::into(query_only);
    sql << "PRAGMA query_only = OFF";  // or nothing may be written anywhere; this writes the new file alone
    sql << "VACUUM INTO " + quoted(file);
    sql << "PRAGMA query_only = " + std::to_string(query_only);
  });
}

}  // namespace hyperfd
