#include "trial/data/loader.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "trial/data/sample_maker.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

void check(const LoaderOptions& options, std::size_t images) {
  const auto require = [](bool holds, const char* name, const char* expected, auto value) {
    if (!holds) throw InputError(std::string(name) + ": expected " + expected + ", got " + std::to_string(value));
  };
  const AugmentationOptions& augmentation = options.augmentation;
  require(images > 0, "training images", "at least one", images);
  require(options.batch_size > 0, "batch_size", "a number > 0", options.batch_size);
  require(options.workers >= 0, "workers", "a number >= 0", options.workers);
  require(options.prefetch > 0, "prefetch", "a number > 0", options.prefetch);
  require(augmentation.crop_size > 0, "crop_size", "a number > 0", augmentation.crop_size);
  require(augmentation.minimum_crop_ratio > 0 && augmentation.minimum_crop_ratio <= 1, "minimum_crop_ratio",
          "a number in (0, 1]", augmentation.minimum_crop_ratio);
  require(augmentation.flip_probability >= 0 && augmentation.flip_probability <= 1, "flip_probability",
          "a number in [0, 1]", augmentation.flip_probability);
}

}  // namespace

// Batches form one endless sequence: batch n is batch n mod batches_per_epoch of epoch n / batches_per_epoch.
// Workers take samples of the oldest unfinished batch first and run up to `prefetch` batches ahead of the consumer.
struct TrainingLoader::Impl {
  struct PendingBatch {
    std::uint64_t epoch = 0;
    std::size_t first_position = 0;
    std::shared_ptr<const std::vector<std::uint32_t>> order;
    Batch batch;
    std::size_t samples_taken = 0, samples_made = 0;
  };

  Impl(std::unique_ptr<ImageSource> source, std::vector<AnnotatedImage> images, const LoaderOptions& loader_options)
      : options(loader_options),
        samples(std::move(source), std::move(images), options.augmentation, options.seed),
        batch_size(static_cast<std::size_t>(options.batch_size)),
        batches_per_epoch((samples.size() + batch_size - 1) / batch_size) {}

  ~Impl() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  // The functions below are called with `mutex` held.

  void append_batch() {
    PendingBatch next;
    const std::uint64_t number = next_made;
    next.epoch = number / batches_per_epoch;
    next.first_position = number % batches_per_epoch * batch_size;
    if (!order || order_epoch != next.epoch) {
      order = std::make_shared<const std::vector<std::uint32_t>>(samples.epoch_order(next.epoch));
      order_epoch = next.epoch;
    }
    next.order = order;
    const int size = options.augmentation.crop_size;
    next.batch.pixels.create(std::vector<int>{options.batch_size, size, size, 3}, CV_8U);
    next.batch.faces.resize(batch_size);
    pending.push_back(std::move(next));  // when nothing can fail any more
    ++next_made;
  }

  // The batch that the next sample belongs to; nullptr when enough is under way.
  PendingBatch* batch_to_work_on() {
    for (PendingBatch& batch : pending) {
      if (batch.samples_taken < batch_size) return &batch;
    }
    if (pending.size() >= static_cast<std::size_t>(options.prefetch)) return nullptr;
    append_batch();
    return &pending.back();
  }

  void make_sample(std::unique_lock<std::mutex>& lock) {
    PendingBatch& target = *batch_to_work_on();
    const std::size_t sample = target.samples_taken++;
    ++in_flight;
    lock.unlock();
    std::exception_ptr error;
    try {
      const int size = options.augmentation.crop_size;
      cv::Mat slot(size, size, CV_8UC3, target.batch.pixels.ptr(static_cast<int>(sample)));
      samples.make(target.epoch, *target.order, target.first_position + sample, slot, target.batch.faces[sample]);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --in_flight;
    ++target.samples_made;
    if (error && !failure) failure = error;
    changed.notify_all();
  }

  void work() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      try {
        changed.wait(lock, [&] { return stopping || (!flushing && !failure && batch_to_work_on()); });
        if (stopping) return;
        make_sample(lock);
      } catch (...) {  // no memory for another batch; `mutex` is held
        if (!failure) failure = std::current_exception();
        changed.notify_all();
      }
    }
  }

  bool is_ready() const { return failure || (!pending.empty() && pending.front().samples_made == batch_size); }

  const LoaderOptions options;
  SampleMaker samples;
  const std::size_t batch_size, batches_per_epoch;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<PendingBatch> pending;  // oldest first; elements stay where they are while samples are made into them
  std::uint64_t next_made = 0;       // number of the batch that follows pending.back()
  std::uint64_t next_taken = 0, end_of_epoch = 0;
  std::shared_ptr<const std::vector<std::uint32_t>> order;
  std::uint64_t order_epoch = 0;
  std::size_t in_flight = 0;
  bool flushing = false, stopping = false;
  std::exception_ptr failure;
  double seconds_waited = 0;
  std::vector<std::thread> workers;
};

TrainingLoader::TrainingLoader(const std::string& folder, std::vector<AnnotatedImage> images,
                               const LoaderOptions& options)
    : TrainingLoader(cached_images(dataset_images(folder, images), options.cache_bytes), images, options) {}

TrainingLoader::TrainingLoader(std::unique_ptr<ImageSource> source, std::vector<AnnotatedImage> images,
                               const LoaderOptions& options) {
  check(options, images.size());
  impl_ = std::make_unique<Impl>(std::move(source), std::move(images), options);
}

TrainingLoader::~TrainingLoader() = default;

std::size_t TrainingLoader::batches_per_epoch() const {
  return impl_->batches_per_epoch;
}

void TrainingLoader::start_epoch(std::uint64_t epoch) {
  Impl& impl = *impl_;
  std::unique_lock<std::mutex> lock(impl.mutex);
  const std::uint64_t first = epoch * impl.batches_per_epoch;
  if (impl.next_taken != first) {
    impl.flushing = true;
    impl.changed.wait(lock, [&] { return impl.in_flight == 0; });
    impl.pending.clear();
    impl.next_made = impl.next_taken = first;
    impl.flushing = false;
  }
  impl.end_of_epoch = first + impl.batches_per_epoch;
  // Workers start here and not before, so that a resumed run does not make batches of epoch 0 first.
  for (int i = static_cast<int>(impl.workers.size()); i < impl.options.workers; ++i) {
    impl.workers.emplace_back([&impl] { impl.work(); });
  }
  impl.changed.notify_all();
}

bool TrainingLoader::next(Batch& batch) {
  Impl& impl = *impl_;
  std::unique_lock<std::mutex> lock(impl.mutex);
  if (impl.next_taken == impl.end_of_epoch) return false;
  if (!impl.is_ready()) {
    const auto start = std::chrono::steady_clock::now();
    if (impl.options.workers == 0) {
      while (!impl.is_ready()) impl.make_sample(lock);
    } else {
      impl.changed.wait(lock, [&] { return impl.is_ready(); });
    }
    impl.seconds_waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  if (impl.failure) std::rethrow_exception(impl.failure);
  batch = std::move(impl.pending.front().batch);
  impl.pending.pop_front();
  ++impl.next_taken;
  impl.changed.notify_all();
  return true;
}

double TrainingLoader::seconds_waited() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->seconds_waited;
}

Warnings TrainingLoader::warnings() const {
  return impl_->samples.warnings();
}

}  // namespace hyperfd
