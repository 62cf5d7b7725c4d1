// A trial that takes no time, over the channel library of the real one: it shows what NNI does to trials that come and
// go faster than its manager looks. It reports the parameters that it really ran with, so that a result under another
// configuration shows. Every fifth trial (by NNI_TRIAL_SEQ_ID) dies: at one of four moments and in one of three ways.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <sys/time.h>

#include "trial/report/trial_channel.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/rng.h"

namespace {

using hyperfd::Json;

enum class Moment { kNever, kBeforeAsking, kAnyInstant, kAfterAsking, kAfterAnIntermediate };

struct Fate {
  Moment moment = Moment::kNever;
  int way = 0;
  double instant = 0;  // seconds after start, for kAnyInstant
};

// Drawn by the trial's random name, so that each trial's fate is its own.
Fate draw_fate() {
  const char* sequence = std::getenv("NNI_TRIAL_SEQ_ID");
  const char* trial = std::getenv("NNI_TRIAL_JOB_ID");
  if (!sequence || !trial || std::atoi(sequence) % 5 != 4) return {};
  hyperfd::Rng rng(hyperfd::stable_hash(trial));
  Fate fate;
  fate.moment = static_cast<Moment>(1 + rng.below(4));
  fate.way = static_cast<int>(rng.below(3));
  fate.instant = rng.uniform(0, 0.03);  // asking takes a few milliseconds
  return fate;
}

[[noreturn]] void die(int way) {
  if (way == 0) std::raise(SIGKILL);
  if (way == 1) std::raise(SIGSEGV);
  std::_Exit(1);
}

void die_after(double seconds) {
  itimerval timer{};
  timer.it_value.tv_usec = 1 + static_cast<suseconds_t>(seconds * 1e6);
  std::signal(SIGALRM, SIG_DFL);  // which ends the process
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void run(const Fate& fate) {
  const auto channel = hyperfd::open_trial_channel(Json{{"x", 0.5}});
  if (fate.moment == Moment::kBeforeAsking) die(fate.way);
  if (fate.moment == Moment::kAnyInstant) die_after(fate.instant);
  const Json& parameters = channel->assignment().parameters;
  if (fate.moment == Moment::kAfterAsking) die(fate.way);
  const double x = parameters.at("x").get<double>();
  for (int epoch = 0; epoch < 3; ++epoch) {
    channel->report_intermediate(x * epoch / 3);
    if (epoch == 1 && fate.moment == Moment::kAfterAnIntermediate) die(fate.way);
  }
  channel->report_final({{"default", x}, {"parameters", parameters}});
}

}  // namespace

int main() {
  try {
    run(draw_fate());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "instant_trial: " << error.what() << std::endl;
    return hyperfd::exit_code(error);
  }
}
