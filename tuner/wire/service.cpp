#include "tuner/wire/service.h"

#include <utility>

#include "tuner/base/digest.h"
#include "tuner/base/log.h"
#include "tuner/base/version.h"
#include "tuner/wire/codec.h"

namespace hyperfd::wire {
namespace {

std::vector<NamedNumber> named_numbers(const std::vector<Statistic>& statistics) {
  std::vector<NamedNumber> numbers;
  for (const Statistic& statistic : statistics)
    numbers.push_back({statistic.name, statistic.value.value_or(kWithheld)});
  return numbers;
}

void check_session(const std::string& session) {
  if (session.size() < 16 || session.size() > kMaxIdBytes) {
    throw InputError("session: expected 16 to " + std::to_string(kMaxIdBytes) + " bytes, got " +
                     std::to_string(session.size()));
  }
}

// One overload for each request: what it does to the platform, and its reply.
class Executor {
 public:
  Executor(Platform& platform, DatasetHub& datasets, const std::string& experiment, std::string* wait_for)
      : platform_(platform), datasets_(datasets), experiment_(experiment), wait_for_(wait_for) {}

  Body operator()(const Initialize& in) {
    const RunInfo info = platform_.begin_run(
        experiment_, {in.run, in.space, in.optimize_mode, in.budget, in.policy, in.seed, in.annotation.value_or(""),
                      named_numbers(in.meta_features.value_or(std::vector<Statistic>()))});
    if (!info.resumed) *wait_for_ = info.signature;
    return Initialized{std::string("hyperfd-tuner ") + kVersion, info.task, info.resumed, info.results,
                       info.past_tasks};
  }

  Body operator()(const UpdateSearchSpace& update) {
    platform_.change_space(experiment_, update.run, update.space);
    return Acknowledged{};
  }

  Body operator()(const RequestTrialJobs& wanted) {
    NewTrialJobs jobs;
    for (Suggestion& suggestion : platform_.suggest(experiment_, wanted.run, wanted.parameter_ids)) {
      jobs.trials.push_back({suggestion.parameter_id, std::move(suggestion.parameters), suggestion.source});
    }
    if (jobs.trials.empty()) return exhausted();
    return jobs;
  }

  Body operator()(const ReportMetric& metric) {
    if (metric.kind == MetricKind::kRequestParameter) return send_parameter(metric);
    const Effect effect = platform_.add_metric(
        experiment_, metric.run,
        {metric.parameter_id, metric.trial_job_id, metric.kind, metric.sequence, metric.value, metric.parameters});
    return acknowledged(effect);
  }

  Body operator()(const TrialEnd& end) {
    return acknowledged(platform_.end_trial(experiment_, end.run, end.parameter_id, end.trial_job_id, end.outcome));
  }

  Body operator()(const ImportData& data) {
    std::vector<ImportedResult> results;
    for (const ImportedRecord& record : data.records) results.push_back({record.parameters, record.value});
    return acknowledged(platform_.import_results(experiment_, data.run, results));
  }

  Body operator()(const AddCustomizedTrials& added) {
    std::vector<AdoptedTrial> trials;
    for (const CustomizedTrial& record : added.records) trials.push_back({record.parameter_id, record.parameters});
    return acknowledged(platform_.adopt(experiment_, added.run, trials));
  }

  Body operator()(const Terminate& end) {
    platform_.end_run(experiment_, end.run);
    return Acknowledged{};
  }

  Body operator()(const OpenDataset& start) {
    check_session(start.session);
    const DatasetStart dataset{start.extractor, start.image_features, start.images, named_numbers(start.statistics)};
    platform_.open_dataset(experiment_, dataset);
    datasets_.open(platform_.task(experiment_), experiment_, start.session,
                   {start.extractor, static_cast<std::size_t>(start.image_features), start.statistics.size()},
                   start.updates.value_or(true));
    return Acknowledged{};
  }

  // Replies, which a client has no business to send; a ping, poll or request for a bundle never gets here.
  template <typename Reply>
  Body operator()(const Reply&) {
    throw MalformedMessage("unknown_type", std::string("type: ") + Reply::kType + " is not a request");
  }

 private:
  static Body acknowledged(const Effect& effect) { return Acknowledged{effect.counted, clean_text(effect.warning)}; }
  static Body exhausted() {
    return NoMoreTrialJobs{"every configuration of the search space has been tried or is being tried"};
  }

  Body send_parameter(const ReportMetric& metric) {
    if (!metric.parameter_id) throw InputError("parameter_id: expected an integer to request parameters for, got nil");
    if (!metric.parameters.empty()) {
      platform_.adopt(experiment_, metric.run, {{*metric.parameter_id, metric.parameters}});
    }
    const auto suggestions = platform_.suggest(experiment_, metric.run, {*metric.parameter_id});
    if (suggestions.empty()) return exhausted();
    return SendTrialJobParameter{*metric.parameter_id, metric.trial_job_id, suggestions.front().parameters};
  }

  Platform& platform_;
  DatasetHub& datasets_;
  const std::string& experiment_;
  std::string* wait_for_;
};

}  // namespace

Answer Service::answer(std::string_view frame, const std::string& tenant) {
  Message reply;
  Failure failure;
  try {
    const Message request = decode(frame);
    reply.experiment = request.experiment;
    reply.request = request.request;
    rates_.count(tenant);
    if (std::holds_alternative<Ping>(request.body)) {
      reply.body = Acknowledged{};
      return {encode(reply), "", std::nullopt};
    }
    if (const auto* bundle = std::get_if<RequestBundle>(&request.body)) {
      reply.body = bundle_part(*bundle);
      return {encode(reply), "", std::nullopt};
    }
    const std::string experiment = owned_name(tenant, request.experiment);
    if (std::holds_alternative<NextOrder>(request.body)) return answer_poll(request, experiment);
    if (const auto* in = std::get_if<Initialize>(&request.body)) {
      check_experiments(tenant, experiment);
      check_policy(tenant, in->policy);
    }
    return apply(request, experiment, frame);
  } catch (const MalformedMessage& error) {
    if (reply.request.empty()) {
      reply.experiment = error.experiment;
      reply.request = error.request;
    }
    failure = {error.code, error.what()};
  } catch (const UnknownExperiment& error) {
    failure = {"unknown_experiment", error.what()};
  } catch (const UnknownSession& error) {
    failure = {"unknown_session", error.what()};
  } catch (const LimitExceeded& error) {
    failure = {"limit", error.what()};
  } catch (const InputError& error) {
    failure = {"input", error.what()};
  } catch (const StoreError& error) {
    failure = {"store", error.what()};
    spdlog::error("{}", error.what());
  } catch (const std::exception& error) {
    failure = {"internal", error.what()};
    spdlog::error("experiment {} request {}: {}", reply.experiment, reply.request, error.what());
  }
  // A client calls its experiments by the names that it gave.
  for (const std::string prefix = name_prefix(tenant); !prefix.empty();) {
    const std::size_t at = failure.message.find(prefix);
    if (at == std::string::npos) break;
    failure.message.erase(at, prefix.size());
  }
  failure.message = clean_text(std::move(failure.message));
  spdlog::debug("experiment {} request {}: answered {}: {}", reply.experiment, reply.request, failure.code,
                failure.message);
  reply.body = std::move(failure);
  return {encode(reply), "", std::nullopt};
}

BundlePart Service::bundle_part(const RequestBundle& request) const {
  if (!bundle_) throw InputError("bundle: this tuner offers none (serve --offer-bundle)");
  return bundle_->part(request.offset);
}

void Service::check_experiments(const std::string& tenant, const std::string& experiment) {
  if (tenant.empty() || store_.find_experiment(experiment)) return;
  if (store_.count_experiments(name_prefix(tenant)) < limits_.experiments) return;
  throw InputError("experiment: this client has " + std::to_string(limits_.experiments) +
                   " already, and may have no more");
}

void Service::check_policy(const std::string& tenant, const std::string& policy) const {
  const std::size_t options = policy.find(':');
  if (tenant.empty() || limits_.policy_options || options == std::string::npos) return;
  throw InputError("policy: expected a name without options, as clients with keys share their rankers, got \"" +
                   policy.substr(0, kMaxIdBytes) + "\" (the tuner's owner may allow them: serve --policy-options)");
}

Answer Service::apply(const Message& request, const std::string& experiment, std::string_view frame) {
  const std::string digest = sha256(frame);
  if (const auto stored = store_.find_reply(experiment, request.request)) {
    if (stored->digest == digest) return {stored->frame, "", std::nullopt};
    throw InputError("request: \"" + request.request + "\" was used before for another message of this experiment");
  }
  Answer answer;
  Message reply{request.experiment, request.request, {}};
  // Waiting for the disk would be most of a suggestion's time. One that a crash of the machine undoes comes back with its
  // result, which says what it is of.
  const bool suggests = std::holds_alternative<RequestTrialJobs>(request.body);
  try {
    StoreTransaction transaction(store_, suggests ? Durability::kProcess : Durability::kMachine);
    reply.body = std::visit(Executor(platform_, datasets_, experiment, &answer.wait_for), request.body);
    answer.frame = encode(reply);
    store_.add_reply(platform_.task(experiment), request.request, {digest, answer.frame});
    transaction.commit();
  } catch (...) {
    platform_.forget(experiment);  // may be ahead of the store
    throw;
  }
  try {
    platform_.start_due_updates();
    platform_.attend_datasets();
  } catch (const StoreError& error) {
    spdlog::error("ranker update put off: {}", error.what());  // the request itself is committed
  }
  if (!is_learning(answer.wait_for)) answer.wait_for.clear();
  return answer;
}

Answer Service::answer_poll(const Message& request, const std::string& experiment) {
  const auto& poll = std::get<NextOrder>(request.body);
  const std::optional<Body> order = datasets_.poll(experiment, poll);
  for (FeatureAnswer& answer : datasets_.take_features()) {
    const std::int64_t task = answer.task;
    try {
      StoreTransaction transaction(store_);
      platform_.set_feature(task, answer.version, std::move(answer.feature));
      transaction.commit();
    } catch (const StoreError& error) {  // there may be others; the next ranker version asks again
      platform_.forget(experiment);
      spdlog::error("task {}: what its data set looks like could not be stored: {}", task, error.what());
    }
  }
  platform_.attend_datasets();
  const WaitingPoll waiting{request.experiment, request.request, poll.session};
  if (!order) return {"", "", waiting};
  return {encode({waiting.experiment, waiting.request, *order}), "", std::nullopt};
}

std::optional<std::string> Service::next_order(const WaitingPoll& poll) {
  const std::optional<Body> order = datasets_.next_order(poll.session);
  if (!order) return std::nullopt;
  return encode({poll.experiment, poll.request, *order});
}

std::string Service::no_order(const WaitingPoll& poll) {
  return encode({poll.experiment, poll.request, NoOrder{}});
}

void Service::commit_learned() {
  try {
    platform_.commit_learned();
    platform_.attend_datasets();
  } catch (const std::exception& error) {
    spdlog::error("ranker version not committed: {}", error.what());
  }
}

}  // namespace hyperfd::wire
