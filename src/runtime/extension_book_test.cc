#include "wolke/runtime/extension_book.h"

#include <gtest/gtest.h>

#include "wolke/base/env.h"

namespace wolke::runtime {
namespace {

using State = Extension::State;
const std::vector<std::string> both = {"INVOKE", "SHUTDOWN"};

std::string code_of(const auto& result) {
  return result ? "" : result.error().code;
}

/// Registered and waiting for its first event.
std::size_t readied(ExtensionBook& book, const std::string& name,
                    const std::vector<std::string>& events = both) {
  const std::size_t index = book.enroll(name, events, "id-" + name).value();
  EXPECT_TRUE(book.next(index));
  return index;
}

TEST(ExtensionBook, TheInitPhaseWaitsForEachExternalExtensionTwice) {
  ExtensionBook book({"a", "b"});
  EXPECT_FALSE(book.all_registered());
  const std::size_t a = readied(book, "a");
  EXPECT_FALSE(book.all_registered());
  const std::size_t b = book.enroll("b", {"INVOKE"}, "2").value();
  EXPECT_TRUE(book.all_registered());
  EXPECT_FALSE(book.all_ready());
  EXPECT_TRUE(book.next(b));
  EXPECT_TRUE(book.all_ready());
  EXPECT_EQ(book.all()[a].state_name(), "Ready");
  EXPECT_EQ(book.all()[b].events(), std::vector<std::string>{"INVOKE"});
}

TEST(ExtensionBook, AnInvocationEndsWhenAllWhoHeardOfItAskForMore) {
  ExtensionBook book({"a", "quiet"});
  const std::size_t a = readied(book, "a");
  const std::size_t quiet = readied(book, "quiet", {"SHUTDOWN"});
  book.begin_invoke("event");
  EXPECT_FALSE(book.all_ready());
  EXPECT_FALSE(book.take_event(quiet));
  EXPECT_EQ(book.take_event(a), "event");
  EXPECT_FALSE(book.take_event(a));
  EXPECT_FALSE(book.all_ready());
  EXPECT_TRUE(book.next(a));
  EXPECT_TRUE(book.all_ready());
}

TEST(ExtensionBook, AnEventThatDidNotArriveWaitsForTheNextPoll) {
  ExtensionBook book({"a"});
  const std::size_t a = readied(book, "a");
  book.begin_invoke("event");
  book.give_back(a, book.take_event(a).value());
  EXPECT_FALSE(book.all_ready());
  EXPECT_TRUE(book.next(a));
  EXPECT_EQ(book.take_event(a), "event");
}

TEST(ExtensionBook, InternalExtensionsHearOfNoShutdownAndComeOnlyDuringInit) {
  ExtensionBook book({});
  EXPECT_EQ(code_of(book.enroll("in", both, "1")), "Extension.InvalidEventType");
  EXPECT_EQ(code_of(book.enroll("in", {"NOISE"}, "1")), "Extension.InvalidEventType");
  EXPECT_TRUE(book.enroll("in", {"INVOKE"}, "1"));
  book.close_registration();
  EXPECT_EQ(code_of(book.enroll("late", {}, "2")), "Extension.RegistrationClosed");
  EXPECT_FALSE(book.expects_farewell());
}

TEST(ExtensionBook, WhatDoesNotFitIsRefusedAndChangesNothing) {
  ExtensionBook book({"a"});
  EXPECT_EQ(code_of(book.enroll("", {}, "1")), "Extension.InvalidExtensionName");
  EXPECT_EQ(code_of(book.enroll(std::string(129, 'x'), {}, "1")), "Extension.InvalidExtensionName");
  EXPECT_EQ(code_of(book.find("")), "Extension.MissingExtensionIdentifier");
  EXPECT_EQ(code_of(book.find("other")), "Extension.UnknownExtensionIdentifier");
  const std::size_t a = readied(book, "a");
  EXPECT_EQ(code_of(book.enroll("a", both, "2")), "Extension.InvalidExtensionState");
  EXPECT_EQ(code_of(book.next(a)), "Extension.InvalidExtensionState");
  EXPECT_EQ(code_of(book.init_error(a, "T")), "Extension.InvalidExtensionState");
  EXPECT_EQ(book.find("id-a").value(), a);
  EXPECT_TRUE(book.all_ready());
  EXPECT_FALSE(book.fault());
}

TEST(ExtensionBook, TenOfThemAreTheLimit) {
  ExtensionBook book({});
  for (std::size_t i = 0; i < extensions_max; ++i) {
    EXPECT_TRUE(book.enroll(std::to_string(i), {}, std::to_string(i)));
  }
  EXPECT_EQ(code_of(book.enroll("more", {}, "more")), "Extension.TooManyExtensions");
  EXPECT_TRUE(ExtensionBook(std::vector<std::string>(11, "x")).fault());
}

TEST(ExtensionBook, TheFirstFailureIsTheFault) {
  ExtensionBook book({"a", "b", "c"});
  const std::size_t a = book.enroll("a", both, "1").value();
  EXPECT_TRUE(book.init_error(a, "Own.Kind"));
  EXPECT_EQ(book.all()[a].state_name(), "InitError");
  EXPECT_EQ(book.all()[a].error_type, "Own.Kind");
  book.process_ended(a, "exit status 1");
  book.process_ended(1, "exit status 2");
  EXPECT_EQ(book.fault()->type, "Extension.InitError");
  EXPECT_EQ(book.all()[1].error_type, "Extension.Crash");
  book.launch_failed(2, "permission denied");
  EXPECT_EQ(book.all()[2].state_name(), "LaunchError");
}

TEST(ExtensionBook, AfterItsShutdownEventAnExtensionMayEndOrAskForMore) {
  ExtensionBook book({"a", "b", "deaf"});
  const std::size_t a = readied(book, "a");
  const std::size_t b = readied(book, "b");
  readied(book, "deaf", {"INVOKE"});
  EXPECT_TRUE(book.expects_farewell());
  book.begin_shutdown("bye");
  EXPECT_EQ(book.take_event(a), "bye");
  EXPECT_EQ(book.take_event(b), "bye");
  EXPECT_FALSE(book.farewell_done());
  book.process_ended(a, "exit status 1");
  EXPECT_FALSE(book.next(b));
  EXPECT_TRUE(book.farewell_done());
  EXPECT_FALSE(book.fault());
}

TEST(ExtensionBook, NoOrderOfRequestsBreaksIt) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::uint64_t state = seed;
    auto below = [&state](std::uint64_t bound) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return (state >> 33) % bound;
    };
    ExtensionBook book({"a", "b"});
    bool over = false;
    for (int step = 0; step < 60; ++step) {
      const std::size_t index = below(book.all().size());
      const std::string& name = book.all()[index].name;
      const bool ready_before = book.all_ready();
      switch (below(9)) {
        case 0:
          (void)book.enroll(std::string(name), both, std::to_string(step));
          break;
        case 1:
          (void)book.enroll(std::to_string(step), {"INVOKE"}, std::to_string(step));
          break;
        case 2:
          (void)book.next(index);
          break;
        case 3:
          if (auto event = book.take_event(index); event && below(2) == 0) {
            book.give_back(index, *event);
          }
          break;
        case 4:
          if (ready_before) book.begin_invoke("event");
          break;
        case 5:
          if (below(20) == 0) (void)book.exit_error(index, "T");
          break;
        case 6:
          if (below(20) == 0 && book.all()[index].external) book.process_ended(index, "gone");
          break;
        case 7:
          if (below(10) == 0) book.close_registration();
          break;
        default:
          if (below(20) == 0) {
            book.begin_shutdown("bye");
            over = true;
          }
      }
      ASSERT_LE(book.all().size(), extensions_max);
      // Whoever failed before the end has left a fault; nobody is ready who has.
      for (const Extension& one : book.all()) {
        if (one.state != State::failed) continue;
        ASSERT_TRUE(over || book.fault()) << seed;
        ASSERT_FALSE(book.all_ready()) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace wolke::runtime
