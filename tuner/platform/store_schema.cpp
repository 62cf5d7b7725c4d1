#include "tuner/platform/store_schema.h"

namespace hyperfd {
namespace {

constexpr char kDatasets[] = R"(CREATE TABLE datasets (
           experiment_id INTEGER PRIMARY KEY REFERENCES experiments (id),
           extractor TEXT NOT NULL,
           image_features INTEGER NOT NULL,
           images INTEGER NOT NULL,
           statistics TEXT NOT NULL,
           feature BLOB NOT NULL,
           ranker_signature TEXT NOT NULL,
           ranker_version INTEGER NOT NULL))";

constexpr char kOfflineFeatures[] = R"(CREATE TABLE offline_features (
           experiment_id INTEGER PRIMARY KEY REFERENCES experiments (id),
           features BLOB NOT NULL))";

}  // namespace

const std::vector<std::string>& store_schema() {
  static const std::vector<std::string> statements = {
      R"(CREATE TABLE spaces (
           id INTEGER PRIMARY KEY,
           signature TEXT NOT NULL,
           definition TEXT NOT NULL UNIQUE))",
      R"(CREATE INDEX spaces_by_signature ON spaces (signature))",

      R"(CREATE TABLE experiments (
           id INTEGER PRIMARY KEY,
           name TEXT NOT NULL UNIQUE,
           space_id INTEGER NOT NULL REFERENCES spaces (id),
           optimize_mode TEXT NOT NULL,
           budget INTEGER NOT NULL,
           policy TEXT NOT NULL,
           seed INTEGER NOT NULL,
           annotation TEXT NOT NULL DEFAULT '',
           created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))))",

      kDatasets,
      kOfflineFeatures,

      R"(CREATE TABLE runs (
           id INTEGER PRIMARY KEY,
           experiment_id INTEGER NOT NULL REFERENCES experiments (id),
           name TEXT NOT NULL,
           started TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           ended TEXT,
           UNIQUE (experiment_id, name)))",

      R"(CREATE TABLE configurations (
           id INTEGER PRIMARY KEY,
           experiment_id INTEGER NOT NULL REFERENCES experiments (id),
           run_id INTEGER NOT NULL REFERENCES runs (id),
           parameter_id INTEGER,
           trial_job_id TEXT NOT NULL DEFAULT '',
           space_id INTEGER REFERENCES spaces (id),
           fingerprint TEXT NOT NULL,
           parameters TEXT NOT NULL,
           source TEXT NOT NULL,
           created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           UNIQUE (run_id, parameter_id)))",
      R"(CREATE INDEX configurations_by_experiment ON configurations (experiment_id))",
      R"(CREATE INDEX configurations_by_space ON configurations (space_id))",

      R"(CREATE TABLE results (
           configuration_id INTEGER PRIMARY KEY REFERENCES configurations (id),
           value TEXT NOT NULL,
           metric REAL,
           received TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))))",

      R"(CREATE TABLE intermediate_results (
           configuration_id INTEGER NOT NULL REFERENCES configurations (id),
           sequence INTEGER NOT NULL,
           value TEXT NOT NULL,
           received TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           PRIMARY KEY (configuration_id, sequence)))",

      R"(CREATE TABLE trial_ends (
           id INTEGER PRIMARY KEY,
           run_id INTEGER NOT NULL REFERENCES runs (id),
           parameter_id INTEGER,
           trial_job_id TEXT NOT NULL,
           outcome TEXT NOT NULL,
           received TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           UNIQUE (run_id, parameter_id)))",
      R"(CREATE UNIQUE INDEX trial_ends_without_parameter_id ON trial_ends (run_id, trial_job_id)
           WHERE parameter_id IS NULL AND trial_job_id <> '')",

      R"(CREATE TABLE replies (
           id INTEGER PRIMARY KEY,
           experiment_id INTEGER NOT NULL REFERENCES experiments (id),
           request TEXT NOT NULL,
           digest TEXT NOT NULL,
           frame BLOB NOT NULL,
           UNIQUE (experiment_id, request)))",
      R"(CREATE INDEX replies_by_age ON replies (experiment_id, id))",

      R"(CREATE TABLE rankers (
           signature TEXT NOT NULL,
           version INTEGER NOT NULL,
           results INTEGER NOT NULL,
           model BLOB NOT NULL,
           created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           PRIMARY KEY (signature, version)))",

      // What a ranker may learn from.
      R"(CREATE VIEW experience AS
           SELECT s.signature AS signature, c.experiment_id AS experiment_id, c.id AS configuration_id,
                  c.parameters AS parameters, r.metric AS metric
           FROM spaces s
           JOIN configurations c ON c.space_id = s.id
           JOIN results r ON r.configuration_id = c.id
           WHERE r.metric IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM trial_ends t
             WHERE t.run_id = c.run_id AND t.outcome = 'FAILED' AND
                   (t.parameter_id = c.parameter_id OR
                    (t.parameter_id IS NULL AND c.parameter_id IS NULL AND t.trial_job_id <> '' AND
                     t.trial_job_id = c.trial_job_id))))",
  };
  return statements;
}

const std::vector<std::string>& store_migration(int from_version) {
  static const std::vector<std::vector<std::string>> migrations = {
      {"ALTER TABLE experiments ADD COLUMN annotation TEXT NOT NULL DEFAULT ''"},
      {kDatasets, kOfflineFeatures},
  };
  return migrations.at(static_cast<std::size_t>(from_version - 1));
}

}  // namespace hyperfd
