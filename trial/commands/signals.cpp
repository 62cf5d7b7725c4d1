#include "trial/commands/signals.h"

#include <csignal>

namespace hyperfd::commands {
namespace {

volatile std::sig_atomic_t asked = 0;

}  // namespace

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { asked = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_was_asked_for() {
  return asked != 0;
}

}  // namespace hyperfd::commands
