#include "daemon/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <string>

namespace dagsync {
namespace {

constexpr int kMealsAnInterval = 3;  // one may be late, and one be lost in between

}  // namespace

ServiceManager::ServiceManager(Clock& clock) : clock_(clock) {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0)
    interval_ = std::chrono::microseconds(microseconds);
  sd_notify(0, "STATUS=comparing the folders with the index");
  if (interval_ > Duration(0)) feed();
}

ServiceManager::~ServiceManager() {
  clock_.cancel(timer_);
}

void ServiceManager::ready() {
  started_ = true;
  sd_notify(0, "READY=1\nSTATUS=replicating: see `dagsync status`");
}

void ServiceManager::reloading() {
  if (started_) sd_notify(0, "RELOADING=1");
}

void ServiceManager::reloaded() {
  if (started_) sd_notify(0, "READY=1");
}

void ServiceManager::stopping() {
  sd_notify(0, "STOPPING=1\nSTATUS=making everything durable");
}

void ServiceManager::feed() {
  std::string meal = "WATCHDOG=1";
  if (!started_) {
    const auto more = std::chrono::duration_cast<std::chrono::microseconds>(interval_);
    meal += "\nEXTEND_TIMEOUT_USEC=" + std::to_string(more.count());
  }
  sd_notify(0, meal.c_str());
  timer_ = clock_.after(interval_ / kMealsAnInterval, [this] { feed(); });
}

}  // namespace dagsync
