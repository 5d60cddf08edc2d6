// Names to addresses without blocking the loop. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/address.h"
#include "net/uv_loop.h"

namespace dagsync {

inline constexpr int kMaxLookups = 32;  // threads that ask at the same time; more: kUnavailable

// What blocks and asks; resolve_host, or a table in tests. Runs on a thread of its own.
using Resolve = std::function<Result<std::vector<SocketAddress>>(const HostPort&)>;

// A question under way. `on_done` is called once, never from within the constructor, unless the
// lookup is destroyed before. Not uv_getaddrinfo: its threads cannot be left behind, and a name
// server that is away would hold up the end of the process for as long as it is silent.
class Lookup {
 public:
  using OnDone = std::function<void(Result<std::vector<SocketAddress>>)>;

  Lookup(UvLoop& loop, const Resolve& resolve, const HostPort& address, OnDone on_done);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dagsync
