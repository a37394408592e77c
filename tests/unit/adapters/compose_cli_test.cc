// SPDX-License-Identifier: Apache-2.0
// ComposeCli over fake programs that print what Compose 2.40.3 and 1.29.2 printed.
#include "adapters/compose_cli.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "adapters/compose_text.h"
#include "adapters/process_runner.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using model::ComposeGeneration;
using model::Mount;
using ports::ComposeEnvironment;
using test::Scratch;
using test::Slurp;

const std::string kData = std::string(MU_TEST_DATA) + "/adapters/";

class ComposeCliTest : public ::testing::Test {
 protected:
  // `docker compose` and `docker-compose`, each noting its arguments.
  void V2(const std::string& script) {
    scratch.Program("docker",
                    "echo \"$*\" >> " + scratch.Path("calls") +
                        "\ncase \"$*\" in *'version --short') echo 2.40.3; exit;; esac\n" + script);
  }
  void V1(const std::string& script, const std::string& version = "1.29.2") {
    scratch.Program("docker-compose", "echo \"$*\" >> " + scratch.Path("calls") +
                                          "\ncase \"$*\" in *'version --short') echo " + version +
                                          "; exit;; esac\n" + script);
  }
  std::string Calls() const { return Slurp(scratch.Path("calls")); }
  static std::string Says(const std::string& err) {
    return "cat >&2 <<'END'\n" + err + "\nEND\nexit 1";
  }
  Error ConfigErrorOf(ComposeGeneration generation) {
    const auto project = compose.Config(generation, {}, ComposeEnvironment::kOurs);
    return project ? Error{} : project.error();
  }

  Scratch scratch;
  ProcessRunner runner;
  ComposeCli compose{runner};
};

model::ComposeSelectors SrvRich() {
  model::ComposeSelectors selectors;
  selectors.files = {"/srv/rich/docker-compose.yml"};
  return selectors;
}

TEST(ComposeText, ReadsAllThatAServiceCanSay) {
  const auto project = ProjectOfV2(Slurp(kData + "compose-v2-rich.json"));
  ASSERT_TRUE(project) << project.error().Text();
  EXPECT_EQ(project->name, "rich");
  EXPECT_EQ(project->networks.at("front"), "real-front");
  const model::ComposeService& one = project->services.at("one");
  EXPECT_EQ(one.image, "repo/one:1");
  EXPECT_EQ(one.command, (std::vector<std::string>{"sh", "-c", "echo 'a b' && sleep 1"}));
  EXPECT_EQ(one.entrypoint, (std::vector<std::string>{"/tini", "--"}));
  EXPECT_EQ(one.environment,
            (std::map<std::string, std::string>{
                {"A", "b=c"}, {"DOLLAR", "pa$word"}, {"EMPTY", ""}, {"NUM", "3"}}));
  EXPECT_EQ(one.labels, (std::map<std::string, std::string>{{"l1", "x"}, {"l2", "y$z"}}));
  EXPECT_EQ(one.mounts, (std::vector<Mount>{{"bind", "/srv/rich/data", "/data", true},
                                            {"volume", "rich_named", "/named", false},
                                            {"bind", "/srv/rich/x", "/x", true},
                                            {"volume", "rich_named", "/y", false},
                                            {"tmpfs", "", "/t", false},
                                            {"volume", "", "/anon", false},
                                            {"bind", "/srv/rich/cfg.yaml", "/cfg.yaml", false}}));
  EXPECT_EQ(one.ports, (std::vector<model::PublishedPort>{{"", 19530, 19530},
                                                          {"", 0, 9091},
                                                          {"127.0.0.1", 8000, 8000},
                                                          {"127.0.0.1", 8001, 8001},
                                                          {"", 8080, 80},
                                                          {"::1", 81, 81}}));
  EXPECT_EQ(one.networks, (std::vector<std::string>{"ext", "front"}));
  EXPECT_EQ(one.depends_on, std::vector<std::string>{"two"});
  EXPECT_EQ(one.restart, "on-failure");
  EXPECT_EQ(one.stop_grace_period, Millis(90'000));
  EXPECT_FALSE(one.has_healthcheck);
  const model::ComposeService& two = project->services.at("two");
  EXPECT_TRUE(two.has_build);
  EXPECT_TRUE(two.has_healthcheck);
  EXPECT_TRUE(two.networks.empty());
  EXPECT_EQ(two.stop_grace_period, Millis(1500));
}

TEST(ComposeText, ReadsTheSameProjectFromBothGenerations) {
  const auto v2 = ProjectOfV2(Slurp(kData + "compose-v2-rich.json"));
  auto v1 = ProjectOfV1(Slurp(kData + "compose-v1-rich.yml"), SrvRich());
  ASSERT_TRUE(v1) << v1.error().Text();
  v1->networks.erase("back");  // v1 keeps what no service uses
  EXPECT_EQ(v1->services, v2->services);
  EXPECT_EQ(v1->networks, v2->networks);
  EXPECT_EQ(v1->name, v2->name);

  model::ComposeSelectors milvus;
  milvus.project_directory = "/srv/milvus/";
  milvus.project_name = "Sta.ck";
  const auto standalone = ProjectOfV1(Slurp(kData + "compose-v1-standalone.yml"), milvus);
  ASSERT_TRUE(standalone);
  EXPECT_EQ(*standalone, *ProjectOfV2(Slurp(kData + "compose-v2-standalone.json")));
}

TEST(ComposeText, KeepsServicesOfV1sProfilesOnlyWhereEnabled) {
  model::ComposeSelectors selectors = SrvRich();
  const std::string config = Slurp(kData + "compose-v1-rich.yml");
  EXPECT_FALSE(ProjectOfV1(config, selectors)->services.contains("three"));
  selectors.profiles = {"p3"};
  EXPECT_TRUE(ProjectOfV1(config, selectors)->services.contains("three"));
}

TEST(ComposeText, SplitsCommandsAsAShell) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(SplitWords("minio server /d --console-address \":9001\""),
            (Words{"minio", "server", "/d", "--console-address", ":9001"}));
  EXPECT_EQ(SplitWords(R"(a 'b "c' "d \"e\" \n" f\ g '' h"i"j)"),
            (Words{"a", "b \"c", "d \"e\" \\n", "f g", "", "hij"}));
  EXPECT_EQ(SplitWords("  "), Words{});
}

TEST_F(ComposeCliTest, NamesTheMissingGeneration) {
  scratch.OnlyOurPrograms();
  const auto none = compose.Version(ComposeGeneration::kV2);
  EXPECT_EQ(none.error().code, ErrorCode::kComposeMissing);
  V1("exit 1");
  EXPECT_EQ(*compose.Version(ComposeGeneration::kV1), "1.29.2");
  const auto v2 = compose.Version(ComposeGeneration::kV2);
  EXPECT_EQ(v2.error().code, ErrorCode::kComposeMissing);
  EXPECT_NE(v2.error().message.find("docker-compose is version 1.29.2"), std::string::npos);
}

TEST_F(ComposeCliTest, TakesAStandaloneV2AndNeverForV1) {
  scratch.Program("docker", Says("unknown flag: --short\n\nUsage:  docker [OPTIONS] COMMAND"));
  V1("cat " + kData + "compose-v2-standalone.json", "v2.24.1");
  EXPECT_EQ(*compose.Version(ComposeGeneration::kV2), "2.24.1");
  EXPECT_TRUE(compose.Config(ComposeGeneration::kV2, {}, ComposeEnvironment::kOurs));
  EXPECT_EQ(compose.Version(ComposeGeneration::kV1).error().code, ErrorCode::kComposeMissing);
}

TEST_F(ComposeCliTest, HandsOnEverySelector) {
  V2("pwd >> " + scratch.Path("calls") + "; cat " + kData + "compose-v2-standalone.json");
  model::ComposeSelectors selectors;
  selectors.files = {scratch.Path("bin/a.yml"), scratch.Path("b.yml")};
  selectors.project_name = "p";
  selectors.env_files = {"/e"};
  selectors.profiles = {"x", "y"};
  ASSERT_TRUE(compose.Config(ComposeGeneration::kV2, selectors, ComposeEnvironment::kOurs));
  EXPECT_EQ(Calls(), "compose version --short\ncompose -f " + selectors.files[0] + " -f " +
                         selectors.files[1] +
                         " -p p --env-file /e --profile x --profile y config --format json\n" +
                         scratch.Path("bin") + "\n");
}

TEST_F(ComposeCliTest, ShowsComposeACleanEnvironmentWhenAsked) {
  V2("env > " + scratch.Path("env") + "; cat " + kData + "compose-v2-standalone.json");
  ::setenv("MILVUS_TAG", "v9", 1);
  ::setenv("DOCKER_HOST", "unix:///x", 1);
  ASSERT_TRUE(compose.Config(ComposeGeneration::kV2, {}, ComposeEnvironment::kOurs));
  EXPECT_NE(Slurp(scratch.Path("env")).find("MILVUS_TAG=v9"), std::string::npos);
  ASSERT_TRUE(compose.Config(ComposeGeneration::kV2, {}, ComposeEnvironment::kClean));
  const std::string clean = Slurp(scratch.Path("env"));
  ::unsetenv("MILVUS_TAG");
  ::unsetenv("DOCKER_HOST");
  EXPECT_EQ(clean.find("MILVUS_TAG"), std::string::npos);
  EXPECT_NE(clean.find("DOCKER_HOST=unix:///x\n"), std::string::npos);
}

TEST_F(ComposeCliTest, SaysWhereAFileIsNotYaml) {
  V2(Says("failed to parse /s/a.yml: yaml: line 3: did not find expected key"));
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV2).code, ErrorCode::kYamlSyntax);
  EXPECT_TRUE(ConfigErrorOf(ComposeGeneration::kV2).message.starts_with("/s/a.yml:3: failed to"));
  V2(Says("failed to parse /s/dup.yml: line 4: mapping key \"image\" already defined at line 3"));
  EXPECT_TRUE(ConfigErrorOf(ComposeGeneration::kV2).message.starts_with("/s/dup.yml:4: failed to"));
  V1(Says(
      "yaml.parser.ParserError: while parsing a block mapping\n  in \"/s/a.yml\", line 1, column "
      "1\nexpected <block end>, but found '<block mapping start>'\n  in \"/s/a.yml\", line 4, "
      "column 2"));
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV1).code, ErrorCode::kYamlSyntax);
  EXPECT_TRUE(ConfigErrorOf(ComposeGeneration::kV1).message.starts_with("/s/a.yml:4: yaml.parser"));
}

TEST_F(ComposeCliTest, TellsTheKindsOfBadProjectsApart) {
  const struct {
    const char* v2;
    const char* v1;
    ErrorCode code;
  } kCases[] = {
      {"failed to parse /s/bin.yml: yaml: control characters are not allowed",
       ".UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 2: invalid start "
       "byte",
       ErrorCode::kYamlSyntax},
      {"top-level object must be a mapping",
       "Top level object in '/s/str.yml' needs to be an object not '<class 'str'>'.",
       ErrorCode::kYamlSyntax},
      {"empty compose file",
       "Top level object in '/s/empty.yml' needs to be an object not '<class 'NoneType'>'.",
       ErrorCode::kYamlNoServices},
      {"open /s/none.yml: no such file or directory",
       ".FileNotFoundError: [Errno 2] No such file or directory: '/s/none.yml'",
       ErrorCode::kFileRead},
      {"read /s/dir.yml: is a directory", ".IsADirectoryError: [Errno 21] Is a directory: '/s/d'",
       ErrorCode::kFileRead},
      {"error while interpolating services.a.image: required variable X is missing a value: need X",
       "Missing mandatory value for \"image\" option interpolating ${X:?need X} in service \"a\"",
       ErrorCode::kComposeFailed},
      {"validating /s/unk.yml: services.a additional properties 'imagee' not allowed",
       "The Compose file '/s/unk.yml' is invalid because:\nUnsupported config option",
       ErrorCode::kComposeFailed},
  };
  for (const auto& bad : kCases) {
    V2(Says(bad.v2));
    EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV2).code, bad.code) << bad.v2;
    V1(Says(bad.v1));
    EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV1).code, bad.code) << bad.v1;
  }
  V2("echo '{\"name\":\"p\",\"services\":{}}'");
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV2).code, ErrorCode::kYamlNoServices);
  V1("printf 'services: {}\\nversion: \"3\"\\n'");
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV1).code, ErrorCode::kYamlNoServices);
  V2("echo '{\"name\":'");
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV2).code, ErrorCode::kCommandOutput);
  V1("printf 'a: [b'");
  EXPECT_EQ(ConfigErrorOf(ComposeGeneration::kV1).code, ErrorCode::kCommandOutput);
}

TEST_F(ComposeCliTest, BringsUpTheNamedServicesOnly) {
  V2("exit 0");
  V1("exit 0");
  ASSERT_TRUE(compose.Up(ComposeGeneration::kV2, {}, {"a", "b"}));
  ASSERT_TRUE(compose.Up(ComposeGeneration::kV2, {}, {}));
  ASSERT_TRUE(compose.Up(ComposeGeneration::kV1, {}, {"a"}));
  EXPECT_EQ(Calls(),
            "compose version --short\ncompose up -d --no-deps --no-build --pull never a b\n"
            "version --short\nup -d --no-deps --no-build a\n");
}

TEST_F(ComposeCliTest, LeavesOutThePullFlagWhereItIsUnknown) {
  V2("if echo \"$*\" | grep -q -- --pull; then echo 'unknown flag: --pull' >&2; exit 16; fi");
  EXPECT_TRUE(compose.Up(ComposeGeneration::kV2, {}, {"a"}));
}

TEST_F(ComposeCliTest, GivesTheWordsOfAFailedUp) {
  V2(
      Says("time=\"2026\" level=warning msg=\"obsolete\"\n Container milvus-standalone  Creating\n"
           "Error response from daemon: No such image: ground.local/milvus:v9"));
  const auto status = compose.Up(ComposeGeneration::kV2, {}, {"standalone"});
  EXPECT_EQ(status.error().code, ErrorCode::kComposeFailed);
  EXPECT_EQ(status.error().message,
            "docker compose up standalone: Error response from daemon: No such image: "
            "ground.local/milvus:v9");
  V1(Says("ERROR: for standalone  'ContainerConfig'"));
  EXPECT_NE(compose.Up(ComposeGeneration::kV1, {}, {"standalone"}).error().hint.find("v1 cannot"),
            std::string::npos);
  V2(Says("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"));
  EXPECT_EQ(compose.Up(ComposeGeneration::kV2, {}, {"a"}).error().code, ErrorCode::kDockerDown);
}

}  // namespace
}  // namespace mu::adapters
