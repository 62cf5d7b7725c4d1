#include "trial/training/progress.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace hyperfd {
namespace {

using Clock = std::chrono::steady_clock;

std::string bar(double share) {
  constexpr int kWidth = 24;
  const int full = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  return std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kWidth - full), '.');
}

constexpr auto kBetweenDrawings = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress() : terminal_(::isatty(STDOUT_FILENO) == 1), start_(Clock::now()), last_drawn_(start_) {}

void Progress::clear_line() const {
  if (terminal_) std::fputs("\r\x1b[2K", stdout);
}

void Progress::step(const StepReport& step) {
  const auto now = Clock::now();
  const auto share_at = [&](std::size_t batch) {
    return (step.epoch - 1 + static_cast<double>(batch) / static_cast<double>(step.batches)) / step.epochs;
  };
  if (!share_before_) share_before_ = share_at(step.batch - 1);
  if (!terminal_ || (now - last_drawn_ < kBetweenDrawings && step.batch < step.batches)) return;
  last_drawn_ = now;
  const double share = share_at(step.batch);
  const double left = std::chrono::duration<double>(now - start_).count() * (1 - share) / (share - *share_before_);
  clear_line();
  std::printf("epoch %d/%d [%s] loss %.3f", step.epoch, step.epochs, bar(share).c_str(), step.loss);
  if (average_precision_) std::printf("  AP@50 %.3f", *average_precision_);
  std::printf("  %.0f images/s  at most %.0f s left", step.images_per_second, left);
  std::fflush(stdout);
}

void Progress::epoch(const EpochReport& epoch) {
  if (epoch.average_precision) average_precision_ = epoch.average_precision;
  if (terminal_ && !epoch.average_precision) return;  // the bar says enough
  clear_line();
  std::printf("epoch %3d  loss %.3f (class %.3f, box %.3f, landmarks %.3f)  rate %.2g  %.0f images/s", epoch.epoch,
              epoch.loss, epoch.classification, epoch.location, epoch.landmarks, epoch.learning_rate,
              epoch.images_per_second);
  if (epoch.average_precision)
    std::printf("  validation AP@50 %.4f%s", *epoch.average_precision, epoch.best ? " (best)" : "");
  std::printf("\n");
  std::fflush(stdout);
}

void Progress::result(const TrainingResult& result, const std::string& folder) {
  clear_line();
  // What the parts took counts earlier lives of a run that was cut off, too.
  const bool went_on = share_before_.value_or(0) > 0;
  std::printf("%s after %zu epochs in %.1f s%s: training %.1f, validation %.1f, test %.1f\n", name_of(result.ending),
              result.epochs.size(), std::chrono::duration<double>(Clock::now() - start_).count(),
              went_on ? " since it went on; in all" : "", result.training_seconds, result.validation_seconds,
              result.test_seconds);
  std::printf("%.1f images/s in training; %.1f %% of the time it waited for images\n", result.images_per_second,
              100 * result.waiting_share);
  if (result.best_epoch > 0)
    std::printf("best validation AP@50 %.4f, epoch %d\n", result.best_validation, result.best_epoch);
  if (result.test) std::printf("test AP@50 %.4f\n", *result.test);
  std::printf("in %s\n", folder.c_str());
  std::fflush(stdout);
}

CountProgress::CountProgress(std::string things, std::size_t total)
    : things_(std::move(things)),
      total_(total),
      terminal_(::isatty(STDOUT_FILENO) == 1),
      start_(Clock::now()),
      last_drawn_(start_) {}

void CountProgress::show(std::size_t done) {
  const auto now = Clock::now();
  if (!terminal_ || (now - last_drawn_ < kBetweenDrawings && done < total_)) return;
  last_drawn_ = now;
  const double share = static_cast<double>(done) / static_cast<double>(total_);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::printf("\r\x1b[2K%zu of %zu %s [%s] %.0f s left", done, total_, things_.c_str(), bar(share).c_str(),
              seconds * (1 - share) / share);
  std::fflush(stdout);
}

void CountProgress::finish() const {
  if (!terminal_) return;
  std::fputs("\r\x1b[2K", stdout);
  std::fflush(stdout);
}

}  // namespace hyperfd
