// The node's own certificate as the days go by: new files are taken over, and it is said in time
// when what is in force will end. Loop thread only; a look at the files blocks for as long as they
// do.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "dagsync/ports/clock.h"

namespace dagsync {

class CertificateWatch {
 public:
  static constexpr int kWarningDays = 30;

  struct State {
    UnixNanos expires;                  // of the certificate in force
    std::vector<std::string> warnings;  // what will end soon, or could not be taken over
  };
  struct Hooks {
    std::function<Status(const TlsPaths&)> take_over;  // uses the files for new connections
    std::function<void(const State&)> tell;            // at the start, and whenever it has changed
  };

  // The files of `paths` are in force already. Tells the state at once.
  CertificateWatch(Clock& clock, TlsPaths paths, Hooks hooks);
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

  // Takes over what is there now, under names that may be others. After an error everything is as
  // it was.
  [[nodiscard]] Status reload(const TlsPaths& paths);

 private:
  struct Stamp {  // changes when the file does, also when another one takes its name
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;

  [[nodiscard]] static Stamps look_at(const TlsPaths& paths);
  void look();  // again and again
  void read_dates();
  void tell();
  [[nodiscard]] std::vector<std::string> warnings() const;

  Clock& clock_;
  TlsPaths paths_;
  Hooks hooks_;
  Stamps tried_;  // of the files that are in force, or that were refused
  Stamps seen_;
  UnixNanos expires_;
  UnixNanos authority_expires_;
  std::string trouble_;  // why the present files are not in force
  State told_;
  MonoNanos logged_;
  TimerId timer_;
};

}  // namespace dagsync
