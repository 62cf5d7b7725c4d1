#pragma once

namespace hyperfd::commands {

// From now on SIGINT (NNI's stop, and Ctrl-C) and SIGTERM ask for an end, so that a run ends with what it has. A second
// signal ends it at once.
void stop_on_signals();
bool stop_was_asked_for();

}  // namespace hyperfd::commands
