// A TLS client that is not ours and keeps to none of our rules, on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "support/test_certs.h"

namespace dagsync::test {

struct ForeignOptions {
  int tls_version = 0x0304;  // 1.3
  std::string protocol = "dagsync/1";
  std::optional<CertFiles> certificate;  // its CA is not looked at, nor is the server's certificate
};

// Connects, shakes hands and reads until the server closes.
class ForeignClient {
 public:
  ForeignClient(const std::string& address, const ForeignOptions& options);
  ~ForeignClient();

  [[nodiscard]] bool is_done() const { return done_; }
  // The rest once it is done.
  [[nodiscard]] bool was_refused() const { return bytes_ == 0 && (!shook_hands_ || !goodbye_); }
  [[nodiscard]] int bytes_read() const { return bytes_; }
  [[nodiscard]] std::chrono::nanoseconds took() const { return took_; }

 private:
  void run(const std::string& address, const ForeignOptions& options);

  std::atomic<bool> done_ = false;
  bool shook_hands_ = false;
  bool goodbye_ = false;  // the server ended in order
  int bytes_ = 0;
  std::chrono::nanoseconds took_{};
  std::thread thread_;
};

}  // namespace dagsync::test
