#include "hostile/session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

namespace dagsync::hostile {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "dagsync-hostile: %s\n", what);
  std::exit(2);
}

int connected_socket(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found) != 0)
    give_up("no such address");
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!target.from.empty()) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    if (inet_pton(AF_INET, target.from.c_str(), &from.sin_addr) != 1 ||
        bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
      give_up("no address to come from");
  }
  const bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected) give_up("cannot connect");
  return fd;
}

const char* name_of(const Message& message) {
  static constexpr std::array kNames = {"hello",       "goodbye",      "tell",   "announce",
                                        "page_done",   "snapshot_end", "list",   "fetch",
                                        "fetch_begin", "fetch_end",    "credit", "cancel",
                                        "ping",        "pong",         "verify", "verify_page"};
  static_assert(kNames.size() == std::variant_size_v<Message>);
  return kNames[message.index()];
}

}  // namespace

Session::Session(const Target& target) {
  std::signal(SIGPIPE, SIG_IGN);
  context_ = SSL_CTX_new(TLS_client_method());
  const unsigned char protocol[] =
      "\x09"
      "dagsync/1";
  const bool ready =
      SSL_CTX_load_verify_locations(context_, target.ca.c_str(), nullptr) == 1 &&
      SSL_CTX_use_certificate_chain_file(context_, target.cert.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context_, target.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_set_alpn_protos(context_, protocol, sizeof protocol - 1) == 0;
  if (!ready) give_up("no usable certificate");
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  socket_ = connected_socket(target);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, socket_);
  if (SSL_connect(ssl_) != 1) give_up("no handshake");
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  reader_.trust();
}

Session::~Session() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  close(socket_);
}

void Session::greet(const NodeName& name, const std::string& folder) {
  Hello hello;
  hello.name = name;
  hello.program_version = "hostile";
  hello.folders.push_back({folder, {name, {666}}, 0});
  send(hello);
  listen_until([this] { return heard_.greeted; });
}

void Session::send(const Message& message) {
  send_raw(frame_message(message));
}

void Session::send_chunk(std::uint64_t request, std::string_view bytes, bool compressed) {
  send_raw(frame_chunk_header(request, bytes.size(), compressed));
  send_raw(bytes);
}

// Gives up when the daemon has taken nothing for a while.
void Session::send_raw(std::string_view bytes) {
  auto last = steady_clock::now();
  while (!bytes.empty() && open()) {
    std::size_t sent = 0;
    if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent) == 1) {
      bytes_sent_ += sent;
      bytes.remove_prefix(sent);
      last = steady_clock::now();
      continue;
    }
    const int why = SSL_get_error(ssl_, 0);
    if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ) {
      while (read_some()) {  // the last words
      }
      heard_.closed = true;
      return;
    }
    if (steady_clock::now() - last > kPatience) return;
    wait(POLLOUT, milliseconds(50));
    if (!deaf_) read_some();
  }
}

void Session::wait(short events, milliseconds time) {
  pollfd one{socket_, events, 0};
  poll(&one, 1, static_cast<int>(time.count()));
}

// Whether there was something.
bool Session::read_some() {
  std::array<char, 65536> buffer;
  std::size_t got = 0;
  if (SSL_read_ex(ssl_, buffer.data(), buffer.size(), &got) != 1) {
    const int why = SSL_get_error(ssl_, 0);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) heard_.closed = true;
    return false;
  }
  const Status fed = reader_.feed({buffer.data(), got}, {[this](Message&& message) -> Status {
                                                           take(std::move(message));
                                                           return {};
                                                         },
                                                         [this](const Chunk& chunk) -> Status {
                                                           heard_.chunk_bytes += chunk.bytes.size();
                                                           return {};
                                                         }});
  if (!fed) give_up("the daemon itself breaks the format");
  return true;
}

void Session::take(Message&& message) {
  ++heard_.messages[name_of(message)];
  if (std::holds_alternative<Hello>(message)) heard_.greeted = true;
  if (auto* goodbye = std::get_if<Goodbye>(&message)) heard_.goodbye = std::move(goodbye->reason);
  if (auto* tell = std::get_if<Tell>(&message)) heard_.tells[tell->folder] = std::move(*tell);
  if (auto* fetch = std::get_if<Fetch>(&message)) heard_.fetches.push_back(std::move(*fetch));
  if (auto* end = std::get_if<FetchEnd>(&message)) heard_.fetch_errors.push_back(end->error);
  if (auto* page = std::get_if<VerifyPage>(&message)) {
    heard_.verify_rows += page->rows.size();
    if (!page->error.empty()) heard_.verify_errors.push_back(std::move(page->error));
  }
  if (auto* ping = std::get_if<Ping>(&message)) pings_.push_back(ping->id);
  if (auto* announce = std::get_if<Announce>(&message)) {
    for (const Announce::Item& item : announce->items)
      heard_.paths.push_back(item.change.path.bytes());
  }
}

void Session::listen(milliseconds time) {
  const auto end = steady_clock::now() + time;
  do {
    while (open() && read_some()) {
    }
    for (const std::uint64_t id : std::exchange(pings_, {}))
      send(Pong{id, {}});
    if (!open()) return;
    wait(POLLIN, milliseconds(5));
  } while (steady_clock::now() < end);
}

void Session::finish() {
  if (!open()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();  // where the last record was not sent to its end
  shutdown(socket_, SHUT_WR);
  const auto end = steady_clock::now() + kTakesAll;
  while (open()) {
    if (!read_some()) wait(POLLIN, milliseconds(50));
    if (steady_clock::now() > end) give_up("the daemon does not take what was sent");
  }
}

std::optional<Fetch> Session::next_fetch() {
  if (!listen_until([this] { return !heard_.fetches.empty(); })) return std::nullopt;
  Fetch fetch = std::move(heard_.fetches.front());
  heard_.fetches.pop_front();
  return fetch;
}

}  // namespace dagsync::hostile
