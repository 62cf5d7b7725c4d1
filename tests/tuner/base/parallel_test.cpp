#include "tuner/base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace hyperfd {
namespace {

TEST(ForEachInParallel, CallsEveryIndexOnce) {
  std::vector<std::atomic<int>> calls(1000);
  for_each_in_parallel(calls.size(), 4, [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST(ForEachInParallel, ThrowsWhatACallThrowsAndBeginsNoFurther) {
  std::atomic<int> calls{0};
  EXPECT_THROW(for_each_in_parallel(1000, 1,
                                    [&](std::size_t i) {
                                      ++calls;
                                      if (i == 3) throw std::runtime_error("three");
                                    }),
               std::runtime_error);
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace hyperfd
