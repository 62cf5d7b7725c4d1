#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "trial/report/http_client.h"
#include "trial/report/nni_rest.h"
#include "trial/report/sequenced_channel.h"

namespace hyperfd {

// How long the HTTP channel waits for what. The defaults suit a manager on a busy machine; tests shorten them.
struct NniHttpPatience {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds reply{30'000};    // one request; the manager itself holds a GET back for a second
  Milliseconds first_retry{50};  // doubled at each further attempt
  Milliseconds longest_retry{2'000};
  Milliseconds give_up{60'000};  // one operation, with all its attempts
  // Of those, while nobody listens. A manager that stopped listening never does so again on that port, and
  // `nnictl stop` does that before it interrupts the trials, which it kills five seconds later.
  Milliseconds unreachable{3'000};
  Milliseconds queue{5'000};  // for the parameter queue, where the trial's record will do as well
  Milliseconds registration{30'000};
  Milliseconds registration_poll{20};
  Milliseconds blind_wait{1'000};  // for the registration that cannot be seen
};

// NNI 3: commands by PUT and GET on NNI_TRIAL_COMMAND_CHANNEL.
//
// NNI 3.0's manager hands configurations out in the order of asking and not by trial, so that one trial that dies early
// shifts all later ones, and it drops metrics of trials that it has not stored yet. On the local training service both
// are cured here: the trial waits until the manager has it on record and runs with the configuration *on that record*.
// Elsewhere the record cannot be seen; the channel uses what it was handed and waits `blind_wait` before it goes on.
class NniHttpChannel : public SequencedChannel {
 public:
  // Throws InputError when the environment's command_channel is no http:// URL.
  explicit NniHttpChannel(const TrialEnvironment& environment, NniHttpPatience patience = {});

 private:
  Assignment ask() override;
  void send(const Metric& metric) override;

  // Returns whether the request may have been lost on the way.
  bool request_parameters();
  // The record that the manager hands out; none if it gives none in time.
  std::optional<Assignment> receive_queued(bool request_may_be_lost);
  // The record that the manager has of this trial; none if there is none to be seen.
  std::optional<Assignment> wait_for_registration();
  bool final_has_arrived() const;

  HttpUrl channel_;
  std::string trial_job_id_;
  NniHttpPatience patience_;
  std::optional<NniRest> rest_;  // local training service only
  std::string queue_problem_;    // why receive_queued returned none
};

}  // namespace hyperfd
