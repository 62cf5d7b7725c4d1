#include "trial/report/parameter_file.h"

#include <filesystem>
#include <optional>
#include <thread>

#include "trial/report/parameter_record.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {

Assignment read_parameter_file(const std::string& directory, std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  const std::string file = (std::filesystem::path(directory) / "parameter.cfg").string();
  const auto deadline = Clock::now() + patience;
  while (true) {
    std::optional<ProtocolError> problem;
    std::error_code error;
    if (const auto size = std::filesystem::file_size(file, error); error || size == 0) {
      problem =
          ProtocolError(file + ": expected NNI's parameter record, got " + (error ? error.message() : "an empty file"));
    } else {
      try {
        return parse_parameter_record(read_file(file), file);
      } catch (const ProtocolError& half_written) {
        problem = half_written;
      }
    }
    if (Clock::now() >= deadline) throw *problem;
    std::this_thread::sleep_for(std::min(patience, std::chrono::milliseconds(200)));
  }
}

}  // namespace hyperfd
