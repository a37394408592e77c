// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Compose, of both generations, asked of the fake and of the
// real programs.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contract/engine_under_test.h"
#include "milvus_upgrade/base/text.h"

namespace mu::contract {
namespace {

using model::ComposeGeneration;

struct Row {
  EngineRow engine;
  ComposeGeneration generation;
};

std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (const EngineRow& engine : Engines()) {
    rows.push_back({engine, ComposeGeneration::kV2});
    rows.push_back({engine, ComposeGeneration::kV1});
  }
  return rows;
}

// Two services that end on SIGTERM.
constexpr char kTwo[] = R"(version: '3.5'
services:
  a:
    container_name: {name}-a
    image: {image}
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]
    environment:
      COLOR: {color}
      ADDRESS: etcd:2379
    restart: unless-stopped
    volumes:
      - ./data:/data
    ports:
      - "127.0.0.1:{port}:80"
    labels:
      {mark}: "1"
  b:
    container_name: {name}-b
    image: {image}
    command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    labels:
      {mark}: "1"
networks:
  default:
    name: {name}-net
)";

class ComposeContract : public testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().engine.make(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    if (const auto version = engine_->Compose().Version(GetParam().generation); !version)
      GTEST_SKIP() << version.error().message;
    name_ = engine_->Name("compose");
    port_ = engine_->FreePort();
    file_ = engine_->Folder() + "/docker-compose.yml";
    selectors_.files = {file_};
    // Of this test alone: others run beside it. Compose wants lower case.
    selectors_.project_name = ToLower(engine_->Name("p"));
    Write(kImage, "red");
  }
  void TearDown() override {
    if (!engine_) return;
    for (const char* service : {"-a", "-b"}) (void)engine_->Docker().Remove(name_ + service, true);
    engine_->RemoveNetwork(name_ + "-net");
  }
  void Write(const std::string& image, const std::string& color) {
    WriteText(fmt::format(kTwo, fmt::arg("name", name_), fmt::arg("image", image),
                          fmt::arg("color", color), fmt::arg("port", port_),
                          fmt::arg("mark", "contract")));
  }
  void WriteText(const std::string& text) {
    const Status written = engine_->Files().Replace(file_, text, 0644);
    ASSERT_TRUE(written) << written.error().Text();
  }
  Status Up(const std::vector<std::string>& services) {
    return engine_->Compose().Up(GetParam().generation, selectors_, services);
  }
  Result<model::ComposeProject> Config(
      ports::ComposeEnvironment environment = ports::ComposeEnvironment::kOurs) {
    return engine_->Compose().Config(GetParam().generation, selectors_, environment);
  }
  std::optional<model::Container> Find(const std::string& service) {
    const auto found = engine_->Docker().Inspect({name_ + "-" + service});
    return found ? found->front() : std::nullopt;
  }
  model::Container Look(const std::string& service) {
    const auto found = Find(service);
    EXPECT_TRUE(found) << service;
    return found.value_or(model::Container{});
  }

  std::unique_ptr<EngineUnderTest> engine_;
  std::string name_;
  std::string file_;
  int port_ = 0;
  model::ComposeSelectors selectors_;
};

TEST_P(ComposeContract, ConfigResolvesWhatTheProductReads) {
  const auto project = Config();
  ASSERT_TRUE(project) << project.error().Text();
  EXPECT_EQ(project->name, selectors_.project_name);
  EXPECT_EQ(project->networks.at("default"), name_ + "-net");
  ASSERT_EQ(project->services.size(), 2U);
  const model::ComposeService& a = project->services.at("a");
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.image, kImage);
  EXPECT_EQ(a.container_name, name_ + "-a");
  ASSERT_EQ(a.command.size(), 3U);
  EXPECT_EQ(a.command[0], "sh");
  EXPECT_EQ(a.environment.at("COLOR"), "red");
  EXPECT_EQ(a.environment.at("ADDRESS"), "etcd:2379");
  EXPECT_EQ(a.restart, "unless-stopped");
  ASSERT_EQ(a.mounts.size(), 1U);
  EXPECT_EQ(a.mounts[0], (model::Mount{"bind", engine_->Folder() + "/data", "/data", false}));
  ASSERT_EQ(a.ports.size(), 1U);
  EXPECT_EQ(a.ports[0], (model::PublishedPort{"127.0.0.1", port_, 80}));
  EXPECT_FALSE(a.has_healthcheck);
  EXPECT_FALSE(a.has_build);
}

TEST_P(ComposeContract, VariablesComeFromTheShellThenFromDotEnvThenFromTheDefault) {
  WriteText(fmt::format(
      "version: '3.5'\nservices:\n  a:\n    image: \"x/y:${{MU_CONTRACT_TAG:-{}}}\"\n", "v0"));
  EXPECT_EQ(Config()->services.at("a").image, "x/y:v0");
  ASSERT_TRUE(engine_->Files().Replace(engine_->Folder() + "/.env", "MU_CONTRACT_TAG=v1\n", 0644));
  EXPECT_EQ(Config()->services.at("a").image, "x/y:v1");
  engine_->SetVariable("MU_CONTRACT_TAG", "v2");
  EXPECT_EQ(Config()->services.at("a").image, "x/y:v2");
  EXPECT_EQ(Config(ports::ComposeEnvironment::kClean)->services.at("a").image, "x/y:v1");
}

TEST_P(ComposeContract, LaterFilesWin) {
  const std::string other = engine_->Folder() + "/other.yml";
  ASSERT_TRUE(engine_->Files().Replace(
      other, "version: '3.5'\nservices:\n  a:\n    image: x/y:v9\n", 0644));
  selectors_.files.push_back(other);
  const auto project = Config();
  ASSERT_TRUE(project) << project.error().Text();
  EXPECT_EQ(project->services.at("a").image, "x/y:v9");
  EXPECT_EQ(project->services.at("a").environment.at("COLOR"), "red");
}

TEST_P(ComposeContract, BadFilesAreToldApart) {
  WriteText("services: [\n");
  EXPECT_EQ(Config().error().code, ErrorCode::kYamlSyntax);
  WriteText("version: '3.5'\nnetworks: {}\n");
  EXPECT_EQ(Config().error().code, ErrorCode::kYamlNoServices);
  selectors_.files = {engine_->Folder() + "/nobody.yml"};
  EXPECT_EQ(Config().error().code, ErrorCode::kFileRead);
}

TEST_P(ComposeContract, UpMakesWhatIsLackingAndNothingElse) {
  ASSERT_TRUE(Up({"a"}));
  const model::Container a = Look("a");
  EXPECT_TRUE(a.IsRunning());
  EXPECT_EQ(a.image, kImage);
  EXPECT_EQ(a.restart_policy, "unless-stopped");
  EXPECT_EQ(a.Label("com.docker.compose.project"), selectors_.project_name);
  EXPECT_EQ(a.Label("com.docker.compose.service"), "a");
  EXPECT_EQ(a.Label("com.docker.compose.version").front(),
            GetParam().generation == ComposeGeneration::kV1 ? '1' : '2');
  EXPECT_EQ(a.mounts.at(0).source, engine_->Folder() + "/data");
  EXPECT_FALSE(a.network_ips.at(name_ + "-net").empty());
  EXPECT_FALSE(Find("b"));
  const Status again = Up({"a"});
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(Look("a").id, a.id) << "nothing changed";
  EXPECT_EQ(Look("a").started_at, a.started_at);
}

TEST_P(ComposeContract, UpRecreatesOnlyTheNamedServiceThatChanged) {
  ASSERT_TRUE(Up({"a", "b"}));
  const std::string a = Look("a").id;
  const std::string b = Look("b").id;
  Write(kImage, "blue");
  ASSERT_TRUE(Up({"b"}));
  EXPECT_EQ(Look("a").id, a) << "not named";
  const Status up = Up({"a"});
  ASSERT_TRUE(up) << up.error().Text();
  EXPECT_NE(Look("a").id, a);
  EXPECT_EQ(Look("a").environment.at("COLOR"), "blue");
  EXPECT_TRUE(Look("a").IsRunning());
  EXPECT_EQ(Look("a").restart_count, 0);
  EXPECT_EQ(Look("b").id, b);
}

TEST_P(ComposeContract, UpStartsTheSameContainerWhenOnlyStopped) {
  ASSERT_TRUE(Up({"a", "b"}));
  const std::string a = Look("a").id;
  ASSERT_TRUE(engine_->Docker().SetRestartPolicy({name_ + "-a"}, "no", 0));
  ASSERT_TRUE(engine_->Docker().Stop({name_ + "-a", name_ + "-b"}, Millis(5000)));
  ASSERT_TRUE(Up({"a"}));
  EXPECT_EQ(Look("a").id, a);
  EXPECT_TRUE(Look("a").IsRunning());
  EXPECT_EQ(Look("a").restart_policy, "no") << "an abort must put it back itself (ground.md 6)";
  EXPECT_FALSE(Look("b").IsRunning());
}

TEST_P(ComposeContract, AMissingImageIsFoundBeforeAnythingIsTouched) {
  ASSERT_TRUE(Up({"a"}));
  const model::Container before = Look("a");
  Write("127.0.0.1:1/mu-contract/nobody:1", "red");
  const Status up = Up({"a"});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error().code, ErrorCode::kComposeFailed);
  EXPECT_EQ(Look("a").id, before.id);
  EXPECT_EQ(Look("a").started_at, before.started_at);
  EXPECT_TRUE(Look("a").IsRunning());
}

TEST_P(ComposeContract, ATakenPortIsBeforeTheFirstStart) {
  Make make{engine_->Name("squatter")};
  make.host_port = port_;
  engine_->Create(make);
  ASSERT_TRUE(engine_->Docker().Start({make.name}));
  const Status up = Up({"a"});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error().code, ErrorCode::kComposeFailed);
  ASSERT_TRUE(Find("a"));
  EXPECT_FALSE(Look("a").HasEverStarted());
  EXPECT_FALSE(Look("a").error.empty());
}

TEST_P(ComposeContract, AnUnknownServiceIsAnError) {
  EXPECT_EQ(Up({"nobody"}).error().code, ErrorCode::kComposeFailed);
}

// Seen on the real one: a container that a cut `up` has left under another name is taken for the
// service's own, and keeps that name.
TEST_P(ComposeContract, AContainerUnderAnotherNameIsAdopted) {
  ASSERT_TRUE(Up({"b"}));
  const std::string id = Look("b").id;
  ASSERT_TRUE(engine_->Docker().Stop({id}, Millis(5000)));
  engine_->Rename(id, "0123456789ab_" + name_ + "-b");
  const Status up = Up({"b"});
  EXPECT_TRUE(up) << up.error().Text();
  const auto found = engine_->Docker().Inspect({id})->front();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->IsRunning());
  EXPECT_EQ(found->name, "0123456789ab_" + name_ + "-b");
  EXPECT_FALSE(Find("b"));
  (void)engine_->Docker().Remove(id, true);
}

INSTANTIATE_TEST_SUITE_P(Engines, ComposeContract, testing::ValuesIn(Rows()), [](const auto& row) {
  return row.param.engine.name + (row.param.generation == ComposeGeneration::kV1 ? "V1" : "V2");
});

}  // namespace
}  // namespace mu::contract
