#include "dagsync/base/shared.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using dagsync::Shared;

TEST_CASE("copies share one value, and an empty one takes no memory") {
  const Shared<std::string> text = "one";
  const Shared<std::string> copy = text;
  CHECK(&*copy == &*text);
  CHECK_FALSE(text.is_alone());
  CHECK(Shared<std::string>("").is_alone());
  CHECK(&*Shared<std::string>("") == &*Shared<std::string>());
}

TEST_CASE("what changes one copy leaves the others alone") {
  Shared<std::string> text = "one";
  const Shared<std::string> copy = text;
  text.own() += " and two";
  CHECK(*text == "one and two");
  CHECK(*copy == "one");
  CHECK(copy.is_alone());
  const std::string* const before = &*text;
  text.own() += " and three";
  CHECK(&*text == before);
}

TEST_CASE("the empty value can be changed") {
  Shared<std::string> text;
  text.own() = "one";
  CHECK(*text == "one");
  CHECK(Shared<std::string>()->empty());
}

TEST_CASE("equal values are equal, shared or not, and are ordered as what they hold") {
  const Shared<std::string> a = "a";
  CHECK(a == Shared<std::string>("a"));
  CHECK(a == Shared(a));
  CHECK(a != Shared<std::string>());
  CHECK(a < Shared<std::string>("b"));
  CHECK(Shared<std::string>() < a);
}

TEST_CASE("a copy outlives what it was copied from") {
  Shared<std::string> copy;
  {
    Shared<std::string> text = "a text that is too long to stand in the string itself";
    copy = text;
    Shared<std::string> moved = std::move(text);
    copy = moved;
  }
  CHECK(copy.is_alone());
  CHECK(copy->starts_with("a text"));
}
