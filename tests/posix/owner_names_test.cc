#include "posix/owner_names.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "dagsync/core/record.h"

namespace dagsync {
namespace {

// A machine whose users and groups the test makes, by the same names and numbers.
struct Machine {
  std::map<std::string, std::uint32_t> known{{"alice", 1000}, {"users", 100}};
  bool out_of_order = false;
  int asked = 0;
  OwnerNames::Clock::time_point now{};
  OwnerNames names{source()};

  OwnerNames::Source source() {
    const auto number = [this](const std::string& name, bool& failed) {
      ++asked;
      failed = out_of_order;
      const auto it = known.find(name);
      return it == known.end() || failed ? std::nullopt : std::optional(it->second);
    };
    const auto name = [this](std::uint32_t wanted, bool& failed) {
      ++asked;
      failed = out_of_order;
      for (const auto& [known_name, its] : known)
        if (its == wanted && !failed) return known_name;
      return std::string();
    };
    return {number, number, name, name, [this] { return now; }};
  }
  std::string name_of(std::uint32_t user, std::uint32_t group) {
    return *names.name_of({user, group});
  }
};

TEST_CASE_FIXTURE(Machine, "an owner has names, or numbers where the machine has none") {
  CHECK(name_of(1000, 100) == "alice:users");
  CHECK(name_of(1000, 7) == "alice:7");
  CHECK(name_of(5, 100) == "5:users");
  CHECK(names.ids_of("alice:users") == Owner{1000, 100});
  CHECK(names.ids_of("alice:7") == Owner{1000, 7});
  CHECK(names.ids_of("5:6") == Owner{5, 6});
  CHECK(names.ids_of("nobody-here:users") == std::nullopt);
  CHECK(names.ids_of("alice:nobody-here") == std::nullopt);
}

TEST_CASE_FIXTURE(Machine,
                  "the number that chown takes for no owner is none, nor is what is no owner") {
  CHECK(names.ids_of("4294967295:0") == std::nullopt);
  CHECK(names.ids_of("0:4294967295") == std::nullopt);
  CHECK(names.ids_of("4294967294:0") == Owner{4294967294, 0});
  for (const char* text :
       {"", "alice", "alice:", ":users", "alice:users:x", "-1:0", "+1:0", "1 :0"})
    CHECK(names.ids_of(text) == std::nullopt);
}

TEST_CASE_FIXTURE(Machine, "a name that cannot travel goes as a number") {
  known = {{"7", 1}, {"a/b", 2}, {std::string(257, 'x'), 3}, {"DOM\\user", 4}};
  CHECK(name_of(1, 2) == "1:2");
  CHECK(name_of(3, 4) == "3:DOM\\user");
  CHECK(names.ids_of("7:4") == Owner{1, 4});  // a name first
}

TEST_CASE_FIXTURE(Machine, "answers are held for a while, an unknown name for a short one") {
  CHECK(names.ids_of("bob:users") == std::nullopt);
  known["bob"] = 1001;
  const int before = asked;
  CHECK(names.ids_of("bob:users") == std::nullopt);
  CHECK(asked == before);
  now += OwnerNames::kUnknownHolds;
  CHECK(names.ids_of("bob:users") == Owner{1001, 100});
  CHECK(name_of(1001, 100) == "bob:users");
  known["bob"] = 1002;
  now += OwnerNames::kUnknownHolds;
  CHECK(names.ids_of("bob:users") == Owner{1001, 100});
  now += OwnerNames::kKnownHolds;
  CHECK(names.ids_of("bob:users") == Owner{1002, 100});
  CHECK(name_of(1001, 100) == "1001:users");
}

TEST_CASE_FIXTURE(Machine, "a name service out of order takes no name away") {
  CHECK(name_of(1000, 100) == "alice:users");
  CHECK(names.ids_of("alice:users") == Owner{1000, 100});
  out_of_order = true;
  now += 2 * OwnerNames::kKnownHolds;
  CHECK(name_of(1000, 100) == "alice:users");
  CHECK(names.ids_of("alice:users") == Owner{1000, 100});
  CHECK(name_of(1000, 7).empty());  // no number where there may be a name
  CHECK(names.ids_of("5:6") == std::nullopt);
}

TEST_CASE_FIXTURE(Machine, "those who hold a name share it, and few are held") {
  const Shared<std::string> one = names.name_of({1000, 100});
  now += 2 * OwnerNames::kKnownHolds;
  CHECK(names.name_of({1000, 100}).is_copy_of(one));
  for (std::uint32_t user = 0; user < 5000; ++user) {
    (void)names.name_of({user, 0});
    (void)names.ids_of(std::to_string(user) + ":0");
  }
  CHECK(name_of(4999, 0) == "4999:0");
}

TEST_CASE("this machine's own names are found") {
  OwnerNames names;
  CHECK(*names.name_of({0, 0}) == "root:root");
  CHECK(names.ids_of("root:root") == Owner{0, 0});
  CHECK(names.ids_of("dagsync-no-such-user:root") == std::nullopt);
  CHECK(*names.name_of({4000000000, 4000000001}) == "4000000000:4000000001");
}

}  // namespace
}  // namespace dagsync
