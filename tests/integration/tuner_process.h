#pragma once

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/process.hpp>

#include "tests/tuner/wire/test_client.h"

namespace hyperfd {

struct Finished {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs hyperfd-tuner to its end.
inline Finished run_tuner(const std::vector<std::string>& arguments) {
  namespace bp = boost::process;
  bp::ipstream out, err;
  bp::child child(std::string(HYPERFD_BIN_DIR "/hyperfd-tuner"), bp::args(arguments),
                  bp::std_in<bp::null, bp::std_out> out, bp::std_err > err);
  Finished finished;
  std::thread errors([&] { finished.err.assign(std::istreambuf_iterator<char>(err), {}); });
  finished.out.assign(std::istreambuf_iterator<char>(out), {});
  errors.join();
  child.wait();
  finished.exit_code = child.exit_code();
  return finished;
}

// A running `hyperfd-tuner serve`, killed at the end of its life if it still lives.
class ServingTuner {
 public:
  ServingTuner(const std::string& store, const std::string& endpoint, std::vector<std::string> more = {})
      : endpoint_(endpoint) {
    std::vector<std::string> arguments = {"serve", "--store", store, "--endpoint", endpoint, "--log-level", "error"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    child_ = boost::process::child(std::string(HYPERFD_BIN_DIR "/hyperfd-tuner"), boost::process::args(arguments));
  }
  ServingTuner(const ServingTuner&) = delete;
  ServingTuner& operator=(const ServingTuner&) = delete;
  ~ServingTuner() { kill(); }

  int pid() const { return child_.id(); }
  void wait_until_it_answers() const {
    wire::TestClient client(endpoint_);
    if (!client.ask({"-", "hello", wire::Ping{}})) throw std::runtime_error("the tuner does not answer");
  }
  // SIGKILL: no chance to tidy up. (boost::process' own terminate() does not wait for the end.)
  void kill() {
    std::error_code ignored;
    if (!child_.running(ignored)) return;
    signal(SIGKILL);
    child_.wait(ignored);
  }
  void signal(int number) const { ::kill(child_.id(), number); }
  int wait() {
    child_.wait();
    return child_.exit_code();
  }

 private:
  std::string endpoint_;
  boost::process::child child_;
};

}  // namespace hyperfd
