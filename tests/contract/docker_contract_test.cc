// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Docker, asked of the fake and of the real engine alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "contract/engine_under_test.h"

namespace mu::contract {
namespace {

using Names = std::vector<std::string>;

class DockerContract : public testing::TestWithParam<EngineRow> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().make(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
  }
  ports::Docker& Docker() { return engine_->Docker(); }
  std::string Created(Make make) {
    make.name = engine_->Name(make.name);
    engine_->Create(make);
    return make.name;
  }
  std::string Started(Make make) {
    const std::string name = Created(std::move(make));
    const Status started = Docker().Start({name});
    EXPECT_TRUE(started) << started.error().Text();
    engine_->Clock().Sleep(Millis(300));  // its trap is set
    return name;
  }
  model::Container Look(const std::string& name) {
    const auto found = Docker().Inspect({name});
    EXPECT_TRUE(found && found->front()) << name;
    return found && found->front() ? *found->front() : model::Container{};
  }
  std::unique_ptr<EngineUnderTest> engine_;
};

TEST_P(DockerContract, InfoNamesTheEngine) {
  const auto info = Docker().Info();
  ASSERT_TRUE(info);
  EXPECT_FALSE(info->id.empty());
  EXPECT_FALSE(info->version.empty());
}

TEST_P(DockerContract, InspectKeepsTheOrderAndLeavesAPlaceForTheUnknown) {
  const std::string a = Created({"a"});
  const std::string b = Created({"b"});
  const auto found = Docker().Inspect({b, engine_->Name("nobody"), a}).value();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].value().name, b);
  EXPECT_FALSE(found[1]);
  EXPECT_EQ(found[2].value().name, a);
  EXPECT_EQ(Look(found[0]->id).name, b) << "by id as well";
  EXPECT_TRUE(Docker().Inspect({})->empty());
}

TEST_P(DockerContract, ACreatedOneHasNeverStarted) {
  const model::Container container = Look(Created({"a"}));
  EXPECT_EQ(container.status, "created");
  EXPECT_EQ(container.started_at, "");
  EXPECT_FALSE(container.HasEverStarted());
  EXPECT_FALSE(container.IsRunning());
  EXPECT_EQ(container.image, kImage);
  EXPECT_EQ(container.image_id, Docker().InspectImage(kImage)->value().id);
  EXPECT_EQ(container.id.size(), 64U);
}

// The lock of a stack stands on it.
TEST_P(DockerContract, OfFiftyThatCreateOneNameAtOnceOneWins) {
  const std::string name = engine_->Name("lock");
  std::atomic<int> winners = 0;
  std::atomic<int> refused = 0;
  const auto create = [&](int who) {
    const auto created = Docker().Create(name, kImage, {{"who", std::to_string(who)}});
    if (created) ++winners;
    if (!created && created.error().code == ErrorCode::kLocked) ++refused;
  };
  std::vector<std::thread> threads;
  for (int who = 0; who < 50; ++who) {
    if (engine_->TakesThreads()) {
      threads.emplace_back(create, who);
    } else {
      create(who);
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(refused, 49);
  ASSERT_TRUE(Docker().Remove(name, false));
}

TEST_P(DockerContract, StartedOnesRunAndHaveAnAddress) {
  const std::string name = Started({"a"});
  const model::Container container = Look(name);
  EXPECT_TRUE(container.IsRunning());
  EXPECT_TRUE(container.HasEverStarted());
  EXPECT_EQ(container.restart_count, 0);
  ASSERT_FALSE(container.network_ips.empty());
  EXPECT_FALSE(container.network_ips.begin()->second.empty());
  EXPECT_TRUE(Docker().Start({name})) << "starting a running one is no error";
  EXPECT_EQ(Look(name).started_at, container.started_at) << "and does nothing";
}

TEST_P(DockerContract, StopReturnsWhenItHasEnded) {
  const std::string name = Started({"a"});
  const std::string started_at = Look(name).started_at;
  ASSERT_TRUE(Docker().Stop({name}, Millis(10'000)));
  const model::Container container = Look(name);
  EXPECT_EQ(container.status, "exited");
  EXPECT_EQ(container.exit_code, 0);
  EXPECT_FALSE(container.finished_at.empty());
  EXPECT_EQ(container.started_at, started_at);
  EXPECT_TRUE(container.network_ips.empty() || container.network_ips.begin()->second.empty());
  EXPECT_TRUE(Docker().Stop({name}, Millis(10'000))) << "stopping a stopped one is no error";
}

TEST_P(DockerContract, StopKillsAllSideBySideAfterTheGrace) {
  for (const Millis grace : {Millis(2000), Millis(1700)}) {
    const std::string suffix = std::to_string(grace.count());
    const Names names = {Started({"a" + suffix, true}), Started({"b" + suffix, true}),
                         Started({"c" + suffix, true})};
    const Millis start = engine_->Clock().Monotonic();
    const Status stopped = Docker().Stop(names, grace);
    ASSERT_TRUE(stopped) << stopped.error().Text();
    const Millis took = engine_->Clock().Monotonic() - start;
    EXPECT_GE(took, grace);
    EXPECT_LT(took, 3 * grace) << "one after another";
    for (const std::string& name : names) {
      EXPECT_EQ(Look(name).status, "exited");
      EXPECT_EQ(Look(name).exit_code, 137);
    }
  }
}

TEST_P(DockerContract, ALongGraceCostsNothingWhenTheyEndByThemselves) {
  const std::string name = Started({"a"});
  const Millis start = engine_->Clock().Monotonic();
  ASSERT_TRUE(Docker().Stop({name}, Millis(30'000)));
  EXPECT_LT(engine_->Clock().Monotonic() - start, Millis(10'000));
}

TEST_P(DockerContract, AStoppedOneWithAPolicyStaysDown) {
  Make make{"a", true};
  make.restart = "always";
  const std::string name = Started(make);
  ASSERT_TRUE(Docker().Stop({name}, Millis(300)));
  engine_->Clock().Sleep(Millis(1500));
  EXPECT_EQ(Look(name).status, "exited");
}

TEST_P(DockerContract, VerbsOnUnknownNamesSayThatItIsGone) {
  const std::string nobody = engine_->Name("nobody");
  EXPECT_EQ(Docker().Stop({nobody}, Millis(1000)).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().Start({nobody}).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().Remove(nobody, false).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().Remove(nobody, true).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().SetRestartPolicy({nobody}, "no", 0).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().Exec(nobody, {"true"}, {}, Millis(5000)).error().code,
            ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().Logs(nobody, 1).error().code, ErrorCode::kContainerGone);
  EXPECT_EQ(Docker().ReadFile(nobody, "/etc/passwd").error().code, ErrorCode::kContainerGone);
}

TEST_P(DockerContract, CreateTakesANameOnceAndNeverStarts) {
  const std::string name = engine_->Name("lock");
  const std::string label = "contract-lock=" + name;
  const auto id = Docker().Create(name, kImage, {{"contract-lock", name}, {"run", "1"}});
  ASSERT_TRUE(id) << id.error().Text();
  EXPECT_EQ(Look(name).id, *id);
  EXPECT_EQ(Look(name).status, "created");
  EXPECT_EQ(Look(name).Label("run"), "1");
  const auto again = Docker().Create(name, kImage, {{"contract-lock", name}, {"run", "2"}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kLocked);
  EXPECT_EQ(Look(name).Label("run"), "1");
  EXPECT_EQ(Docker().List({label, "run=1"}).value(), Names{*id});
  EXPECT_TRUE(Docker().Remove(name, false));
  EXPECT_TRUE(Docker().List({label})->empty());
}

TEST_P(DockerContract, CreateOfAMissingImageSaysSo) {
  const auto created = Docker().Create(engine_->Name("x"), "ground.local/mu-contract/nobody:1", {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kImageMissing);
}

TEST_P(DockerContract, ListNeedsAllLabels) {
  const std::string mark = "contract-mark=" + engine_->Name("m");
  Make make{"a"};
  make.labels = {mark, "color=red"};
  const std::string a = Created(make);
  make.name = "b";
  make.labels = {mark, "color=blue"};
  const std::string b = Started(make);
  Names all = Docker().List({mark}).value();
  Names expected = {Look(a).id, Look(b).id};
  std::sort(all.begin(), all.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(all, expected) << "running or not";
  EXPECT_EQ(Docker().List({mark, "color=red"}).value(), Names{Look(a).id});
  EXPECT_EQ(Docker().List({mark, "color"})->size(), 2U);
  EXPECT_TRUE(Docker().List({mark, "color=green"})->empty());
}

TEST_P(DockerContract, RestartPoliciesAreSeenAtOnce) {
  const Names names = {Started({"a"}), Created({"b"})};
  ASSERT_TRUE(Docker().SetRestartPolicy(names, "unless-stopped", 0));
  for (const std::string& name : names) EXPECT_EQ(Look(name).restart_policy, "unless-stopped");
  ASSERT_TRUE(Docker().SetRestartPolicy(names, "on-failure", 3));
  EXPECT_EQ(Look(names[0]).restart_policy, "on-failure");
  EXPECT_EQ(Look(names[0]).restart_max_retries, 3);
  ASSERT_TRUE(Docker().SetRestartPolicy(names, "no", 0));
  for (const std::string& name : names) EXPECT_EQ(Look(name).restart_policy, "no");
  EXPECT_TRUE(Look(names[0]).IsRunning()) << "a running one goes on running";
}

TEST_P(DockerContract, ATakenPortFailsBeforeTheFirstStart) {
  Make make{"a"};
  make.host_port = engine_->FreePort();
  const std::string a = Started(make);
  ASSERT_EQ(Look(a).ports.size(), 1U);
  EXPECT_EQ(Look(a).ports[0], (model::PublishedPort{"127.0.0.1", make.host_port, 80}));
  make.name = "b";
  const std::string b = Created(make);
  const Status started = Docker().Start({b});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kContainerFailed);
  EXPECT_NE(started.error().message.find("allocated"), std::string::npos)
      << started.error().message;
  EXPECT_FALSE(Look(b).HasEverStarted());
  EXPECT_FALSE(Look(b).error.empty());
  ASSERT_TRUE(Docker().Stop({a}, Millis(1000)));
  EXPECT_TRUE(Look(a).ports.empty()) << "a stopped one publishes nothing";
  EXPECT_TRUE(Docker().Start({b})) << "the port is free now";
  EXPECT_EQ(Look(b).error, "");
}

TEST_P(DockerContract, RemoveWantsForceForARunningOne) {
  const std::string name = Started({"a", true});
  const Status refused = Docker().Remove(name, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kContainerFailed);
  EXPECT_TRUE(Look(name).IsRunning());
  ASSERT_TRUE(Docker().Remove(name, true));
  EXPECT_FALSE(Docker().Inspect({name})->front());
}

TEST_P(DockerContract, ExecReturnsAnExitCodeAndNeedsARunningOne) {
  const std::string name = Started({"a"});
  const auto result = Docker().Exec(name, {"no-such-program"}, {}, Millis(10'000));
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_TRUE(result->exit_code == 126 || result->exit_code == 127) << result->exit_code;
  ASSERT_TRUE(Docker().Stop({name}, Millis(1000)));
  EXPECT_EQ(Docker().Exec(name, {"true"}, {}, Millis(10'000)).error().code,
            ErrorCode::kContainerGone);
}

TEST_P(DockerContract, ImagesThatAreNotThere) {
  const std::string reference = "127.0.0.1:1/mu-contract/nobody:1";
  const auto image = Docker().InspectImage(reference);
  ASSERT_TRUE(image) << image.error().Text();
  EXPECT_FALSE(*image);
  EXPECT_EQ(Docker().Pull(reference).error().code, ErrorCode::kImageMissing);
  EXPECT_EQ(Docker().FindInRegistry(reference).error().code, ErrorCode::kImageMissing);
}

TEST_P(DockerContract, LogsAreTheLastLines) {
  const std::string name = Started({"a", true});
  EXPECT_EQ(Docker().Logs(name, 1).value(), "ready");
  EXPECT_EQ(Docker().Logs(name, 10).value(), "starting\nready");
  ASSERT_TRUE(Docker().Stop({name}, Millis(300)));
  EXPECT_EQ(Docker().Logs(name, 1).value(), "ready") << "of a stopped one as well";
}

TEST_P(DockerContract, AMissingFileInsideIsAnErrorAndLeavesNothing) {
  const std::string name = Created({"a"});
  const std::string tar = engine_->Folder() + "/x.tar";
  EXPECT_EQ(Docker().ReadFile(name, "/milvus/configs/milvus.yaml").error().code,
            ErrorCode::kFileRead);
  EXPECT_EQ(Docker().CopyOut(name, "/no/such/folder", tar).error().code, ErrorCode::kFileRead);
  EXPECT_FALSE(engine_->Files().Stat(tar).value());
}

TEST_P(DockerContract, AHelperIsSeenWithItsLabelsAndFilesBeforeItStarts) {
  const std::string name = engine_->Name("helper");
  const std::string network = "bridge";
  const ports::HelperSpec spec = {
      name, kImage, network, {"echo", "a", "b c"}, {{"contract", name}}};
  const auto id = Docker().CreateHelper(spec);
  ASSERT_TRUE(id) << id.error().Text();
  EXPECT_EQ(Docker().CreateHelper(spec).error().code, ErrorCode::kLocked);
  EXPECT_EQ(Docker().List({"contract=" + name}).value(), Names{*id});
  EXPECT_FALSE(Look(name).HasEverStarted());
  EXPECT_TRUE(Look(name).network_ips.contains(network));
  const std::string bytes = std::string("one\0two", 7) + std::string(100'000, 'x');
  const Status copied = Docker().CopyIn(name, {{"/first", "1\n", 0600}, {"/second", bytes, 0755}});
  ASSERT_TRUE(copied) << copied.error().Text();
  EXPECT_EQ(Docker().ReadFile(name, "/first").value(), "1\n");
  EXPECT_EQ(Docker().ReadFile(name, "/second").value(), bytes);
  EXPECT_TRUE(Docker().Remove(name, true));
}

TEST_P(DockerContract, AHelpersLinesComeAndItIsGoneWhenItEnds) {
  const std::string name = engine_->Name("helper");
  ASSERT_TRUE(Docker().CreateHelper({name, kImage, "bridge", {"echo", "a", "b c"}, {}}));
  Names lines;
  const auto result = Docker().RunHelper(
      name, [&](std::string_view line) { lines.emplace_back(line); }, [] { return false; });
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(lines, Names{"a b c"});
  EXPECT_FALSE(Docker().Inspect({name})->front());
}

TEST_P(DockerContract, AHelperEndsWhenItIsToldTo) {
  const std::string name = engine_->Name("helper");
  ASSERT_TRUE(Docker().CreateHelper({name, kImage, "bridge", {"cat"}, {}}));
  const Millis start = engine_->Clock().Monotonic();
  const auto result = Docker().RunHelper(
      name, [](std::string_view) {},
      [&] { return engine_->Clock().Monotonic() - start > Millis(1500); });
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_GT(engine_->Clock().Monotonic() - start, Millis(1500)) << "its stdin was open until then";
  EXPECT_FALSE(Docker().Inspect({name})->front());
}

TEST_P(DockerContract, AHelperThatCannotRunSaysWhyAndLeavesNothing) {
  const auto run = [&](const std::string& name) {
    return Docker().RunHelper(
        name, [](std::string_view) {}, [] { return false; });
  };
  EXPECT_EQ(run(engine_->Name("nobody")).error().code, ErrorCode::kContainerGone);
  const std::string name = engine_->Name("helper");
  ASSERT_TRUE(Docker().CreateHelper({name, kImage, "bridge", {"/no-such-program"}, {}}));
  const auto result = run(name);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kContainerFailed);
  EXPECT_NE(result.error().message.find("no-such-program"), std::string::npos)
      << result.error().message;
  EXPECT_FALSE(Docker().Inspect({name})->front());
  const auto missing =
      Docker().CreateHelper({name, "ground.local/mu-contract/nobody:1", "bridge", {"cat"}, {}});
  EXPECT_EQ(missing.error().code, ErrorCode::kImageMissing);
  EXPECT_EQ(Docker().CopyIn(name, {{"/a", "a", 0600}}).error().code, ErrorCode::kContainerGone);
}

// Once it has named itself, a real one is asked by its socket: the answers are the client's.
TEST_P(DockerContract, InspectsTheSameBeforeAndAfterInfo) {
  const Names names = {Started({"milvus"}), engine_->Name("nobody")};
  const auto containers = Docker().Inspect(names);
  const auto image = Docker().InspectImage(kImage);
  const auto no_image = Docker().InspectImage("ground.local/mu-contract/none:1");
  ASSERT_TRUE(containers && image && no_image);
  ASSERT_TRUE(Docker().Info());
  EXPECT_TRUE(*Docker().Inspect(names) == *containers);
  EXPECT_TRUE(*Docker().InspectImage(kImage) == *image);
  EXPECT_TRUE(*Docker().InspectImage("ground.local/mu-contract/none:1") == *no_image);
}

INSTANTIATE_TEST_SUITE_P(Engines, DockerContract, testing::ValuesIn(Engines()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
