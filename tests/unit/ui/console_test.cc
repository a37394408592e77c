// SPDX-License-Identifier: Apache-2.0
#include "ui/console.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "unit/ui/pipe.h"

namespace mu::ui {
namespace {

class NoInterrupts : public ports::Interrupts {
 public:
  ports::Interrupt Pending() override { return pending; }
  int Signal() override { return 0; }
  ports::Interrupt pending = ports::Interrupt::kNone;
};

struct World {
  Pipe out;
  Pipe err;
  ConsoleSetup setup;
  World() {
    std::signal(SIGPIPE, SIG_IGN);
    setup.out = out.In();
    setup.err = err.In();
    setup.in = -1;
    setup.command = "plan compose";
  }
};

View Some() {
  View view;
  view.text = "result\n";
  view.json["has_changes"] = true;
  return view;
}

TEST(Console, PutsTheResultOnStdoutAndNothingElse) {
  World world;
  Console console(world.setup);
  console.Note("note");
  console.Warn("careful");
  console.Show(View{"shown\n", {}});
  EXPECT_EQ(console.End(ExitCode::kChanges, Some()), 10);
  EXPECT_EQ(world.out.Text(), "result\n");
  EXPECT_EQ(world.err.Text(), "note\nwarning: careful\nshown\n");
}

// Titles, cursor moves, a rewritten line: from a path, a .env, an image, whatever is shown.
TEST(Console, GivesATerminalNoEscapesOfForeignText) {
  const std::string evil =
      "a\x1b]0;title\x07 b\x1b[2J\x1b[1;1H c\rd\x9b e\x7f \x1b[31mred\x1b[0m\n";
  World world;
  Console console(world.setup);
  console.Show(View{evil, {}});
  console.Note(evil);
  console.Debug(evil);
  console.Fail(Error{ErrorCode::kUsage, evil, evil, {evil}});
  console.End(ExitCode::kDone, View{evil, {}});
  for (const std::string& text : {world.out.Text(), world.err.Text()}) {
    EXPECT_EQ(text.find_first_of("\x1b\x07\r\x7f"), std::string::npos) << text;
    EXPECT_NE(text.find("red"), std::string::npos);
  }
  Style style;
  style.has_color = true;
  const std::string painted = Harmless(style.Bold("x") + evil + style.Bad("y"), style);
  EXPECT_TRUE(painted.starts_with(style.Bold("x")));
  EXPECT_TRUE(painted.ends_with(style.Bad("y")));
  EXPECT_EQ(painted.find("\x1b[2J"), std::string::npos);
  EXPECT_EQ(painted.find("\x1b[1;1H"), std::string::npos);
  EXPECT_EQ(painted.find("\x1b]"), std::string::npos);
  EXPECT_EQ(Harmless("cut \x1b[", style), "cut ");
  EXPECT_EQ(Harmless("cut \x1b[3", style), "cut ");
}

TEST(Console, KeepsTheLiveLineWholeUnderDebugLines) {
  World world;
  Stream stream(world.err.In());
  stream.SetLive("[1/2] stop");
  stream.Write("12:00:00.000 debug: docker inspect\n");
  EXPECT_EQ(world.err.Text(),
            "\r\x1b[K[1/2] stop\r\x1b[K12:00:00.000 debug: docker inspect\n[1/2] stop");
}

TEST(Console, WritesOneJsonObjectOnSuccess) {
  World world;
  world.setup.output = config::Output::kJson;
  Console console(world.setup);
  console.Show(View{"shown\n", {}});
  console.End(ExitCode::kDone, Some());
  EXPECT_EQ(world.out.Text(),
            "{\"schema_version\":1,\"command\":\"plan compose\",\"exit_code\":0,"
            "\"has_changes\":true}\n");
  EXPECT_EQ(world.err.Text(), "");
}

TEST(Console, WritesOneJsonObjectOnFailureToo) {
  World world;
  world.setup.output = config::Output::kJson;
  Console console(world.setup);
  Error error{ErrorCode::kLocked, "held by \x1b[31mpid 3\xff", "", {"inner", "outer"}};
  EXPECT_EQ(console.Fail(error, ExitCode::kLocked, Some()), 5);
  const auto json = boost::json::parse(world.out.Text()).as_object();
  EXPECT_EQ(json.at("exit_code").as_int64(), 5);
  EXPECT_TRUE(json.at("has_changes").as_bool());
  const auto& told = json.at("error").as_object();
  EXPECT_EQ(told.at("id").as_string(), "MU-182");
  EXPECT_EQ(told.at("name").as_string(), "locked");
  EXPECT_EQ(told.at("message").as_string(), "held by pid 3\xEF\xBF\xBD");
  EXPECT_EQ(told.at("context").as_array().size(), 2u);
  EXPECT_TRUE(told.at("can_retry").as_bool());
  EXPECT_FALSE(told.at("hint").as_string().empty());
}

TEST(Console, TellsAnErrorWithItsNextStepOnStderr) {
  World world;
  Console console(world.setup);
  EXPECT_EQ(console.Fail(Error{ErrorCode::kUsage, "bad", "do this", {}}), 2);
  EXPECT_EQ(world.out.Text(), "");
  EXPECT_EQ(world.err.Text(), "error: MU-101: bad\nnext: do this\n");
}

TEST(Console, SurvivesAReaderThatWentAway) {
  World world;
  world.out.CloseReader();
  Console console(world.setup);
  EXPECT_EQ(console.End(ExitCode::kDone, Some()), 0);
  EXPECT_EQ(console.OutLost(), "");
}

TEST(Console, RemembersAResultThatAFullDiskSwallowed) {
  World world;
  world.setup.out = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(world.setup.out, 0);
  Console console(world.setup);
  console.End(ExitCode::kDone, Some());
  EXPECT_EQ(console.OutLost(), "No space left on device");
  close(world.setup.out);
}

TEST(Console, AsksOnlyWhereSomeoneCanAnswer) {
  World world;
  NoInterrupts interrupts;
  const Console blind(world.setup);
  const auto status = blind.CheckCanAsk(false);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNoTty);
  EXPECT_TRUE(blind.CheckCanAsk(true));

  Pty pty(80);
  world.setup.in = world.setup.err = pty.Terminal();
  world.setup.output = config::Output::kJson;
  const Console json(world.setup);
  EXPECT_FALSE(json.CheckCanAsk(false));
}

TEST(Console, TakesYesForYesAndAllElseForNo) {
  const struct {
    std::string typed;
    bool is_yes;
  } cases[] = {{"y\n", true},  {"yes\n", true},  {" YES \n", true}, {"\n", false},
               {"n\n", false}, {"yep\n", false}, {"\x04", false}};
  for (const auto& c : cases) {
    World world;
    NoInterrupts interrupts;
    Pty pty(80);
    world.setup.in = world.setup.err = pty.Terminal();
    Console console(world.setup);
    pty.Type(c.typed);
    const auto answer = console.Ask("Go on?", false, interrupts);
    ASSERT_TRUE(answer) << c.typed;
    EXPECT_EQ(*answer, c.is_yes) << c.typed;
    EXPECT_NE(pty.Text().find("Go on? [y/N] "), std::string::npos);
  }
}

TEST(Console, EndsTheQuestionOnASignal) {
  World world;
  NoInterrupts interrupts;
  interrupts.pending = ports::Interrupt::kFinishStep;
  Pty pty(80);
  world.setup.in = world.setup.err = pty.Terminal();
  Console console(world.setup);
  const auto answer = console.Ask("Go on?", false, interrupts);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInterrupted);
}

TEST(Console, ColoursOnlyATerminalThatWantsIt) {
  Pty pty(80);
  World world;
  EXPECT_FALSE(Console(world.setup).ErrStyle().has_color);
  world.setup.err = pty.Terminal();
  EXPECT_TRUE(Console(world.setup).ErrStyle().has_color);
  EXPECT_EQ(Console(world.setup).ErrStyle().width, 80);
  world.setup.environment = {{"TERM", "dumb"}};
  EXPECT_FALSE(Console(world.setup).ErrStyle().has_color);
  world.setup.environment = {{"NO_COLOR", "1"}};
  EXPECT_FALSE(Console(world.setup).ErrStyle().has_color);
}

TEST(Console, KeepsForeignLinesFromBeingCommandsOfGithub) {
  World world;
  world.setup.progress = config::ProgressMode::kGithub;
  Console console(world.setup);
  console.End(ExitCode::kDone, View{"a log:\n  ::stop-commands::x\n", {}});
  EXPECT_EQ(world.out.Text(), "a log:\n|   ::stop-commands::x\n");
  console.End(ExitCode::kDone, View{});
  EXPECT_EQ(world.out.Text(), "");
}

TEST(Console, AnnotatesErrorsForGithubAndAppendsTheSummary) {
  World world;
  const std::string path = testing::TempDir() + "mu_step_summary";
  std::ofstream(path) << "before\n";
  world.setup.environment = {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", path}};
  Console console(world.setup);
  console.AppendStepSummary("# report\n");
  console.Show(View{" ::warning::forged\n", {}});
  console.Fail(Error{ErrorCode::kUsage, "50% bad\nvery", "do, this", {}});
  EXPECT_EQ(world.err.Text(),
            "|  ::warning::forged\n"
            "::error title=usage::MU-101: 50%25 bad%0Avery%0Ado, this\n");
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "before\n# report\n");
  std::remove(path.c_str());

  world.setup.environment["GITHUB_STEP_SUMMARY"] = "/proc/none/summary";
  Console unlucky(world.setup);
  unlucky.AppendStepSummary("x");
  EXPECT_TRUE(world.err.Text().starts_with("::warning::the step summary /proc/none/summary"));
}

}  // namespace
}  // namespace mu::ui
