// What systemd, or whoever else started the daemon with a NOTIFY_SOCKET, is told of it. Without one
// nothing happens. Loop thread only: that it is told at all shows that the loop turns.
#pragma once

#include "dagsync/ports/clock.h"

namespace dagsync {

class ServiceManager {
 public:
  // Asks the environment whether there is a watchdog (WatchdogSec=). From now on it is fed, three
  // times in its interval, and until ready() the time for the start is extended as often.
  explicit ServiceManager(Clock& clock);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready();
  void reloading();  // before ready() neither this nor the next one says anything
  void reloaded();
  void stopping();

 private:
  void feed();

  Clock& clock_;
  Duration interval_{0};  // of the watchdog; 0 is none
  TimerId timer_;
  bool started_ = false;
};

}  // namespace dagsync
