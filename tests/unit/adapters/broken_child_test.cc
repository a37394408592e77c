// SPDX-License-Identifier: Apache-2.0
// Every call that becomes a child program meets every way in which a child breaks: it is not there,
// fails, is killed, hangs, prints garbage, half of its JSON, JSON of something else, too much, or
// cannot be started. Each is an error of the catalogue, and nothing is made up of what was printed.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/compose_cli.h"
#include "adapters/docker_cli.h"
#include "adapters/etcdctl_cli.h"
#include "adapters/etcdctl_client.h"
#include "adapters/posix_files.h"
#include "unit/adapters/scratch.h"

namespace mu::adapters {
namespace {

using ports::Command;
using ports::CommandResult;

// How a child ends; what it prints goes to where the caller wants it.
struct Break {
  const char* name;
  std::optional<Error> error;  // of the runner
  int exit_code;
  std::string out;
  std::string err;
  bool is_success;  // exit code 0: only who reads the answer can tell
};

std::vector<Break> Breaks() {
  const auto error = [](ErrorCode code, const char* words) { return Error{code, words, "", {}}; };
  return {
      {"not found", error(ErrorCode::kCommandNotFound, "it is not on PATH"), 0, "", "", false},
      {"exit 1", {}, 1, "", "something broke", false},
      {"exit 137", {}, 137, "", "", false},
      {"hangs", error(ErrorCode::kCommandTimeout, "it did not end in time"), 0, "", "", false},
      {"prints too much", error(ErrorCode::kCommandOutput, "more than 64 MiB"), 0, "", "", false},
      {"no descriptors left", error(ErrorCode::kInternal, "pipe: Too many open files"), 0, "", "",
       false},
      {"garbage", {}, 0, "}{ not what you expect\n", "", true},
      {"cut JSON", {}, 0, R"([{"Id": "4711", "Na)", "", true},
      {"JSON of something else", {}, 0, R"({"weather": "fine"})", "", true},
  };
}

class BrokenRunner : public ports::Runner {
 public:
  explicit BrokenRunner(const Break& how) : how_(how) {}
  Result<CommandResult> Run(const Command& command) override {
    ++runs;
    if (how_.error) return Fail(*how_.error);
    CommandResult result;
    result.exit_code = how_.exit_code;
    result.err = how_.err;
    if (command.on_line) {
      command.on_line(how_.out);
    } else if (command.stdout_file.empty()) {
      result.out = how_.out;
    } else if (const Status written = files_.Create(command.stdout_file, how_.out, 0600);
               !written) {
      return Fail(written.error());
    }
    return result;
  }
  int runs = 0;

 private:
  const Break& how_;
  PosixFiles files_;
};

struct World {
  explicit World(const Break& how) : runner(how) { selectors.files = {"/srv/docker-compose.yml"}; }
  test::Scratch scratch;
  BrokenRunner runner;
  PosixFiles files;
  DockerCli docker{runner};
  ComposeCli compose{runner};
  EtcdctlCli etcd{docker, files, {}};
  EtcdctlClient client{docker, files, "etcd", {}};
  model::ComposeSelectors selectors;
};

enum class Answers { kNothing, kText };  // kText: what is printed is read

struct Call {
  const char* name;
  Answers answers;
  std::function<std::optional<Error>(World&)> make;
  bool is_exit_code_a_result = false;
  bool is_about_an_image = false;
};

template <class T>
std::optional<Error> ErrorOf(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

std::vector<Call> Calls() {
  using enum Answers;
  const auto no_line = [](std::string_view) {};
  const auto never = [] { return false; };
  return {
      {"info", kText, [](World& w) { return ErrorOf(w.docker.Info()); }},
      {"list", kNothing, [](World& w) { return ErrorOf(w.docker.List({"a"})); }},
      {"inspect", kText, [](World& w) { return ErrorOf(w.docker.Inspect({"milvus"})); }},
      {"inspect-image", kText, [](World& w) { return ErrorOf(w.docker.InspectImage("milvus:1")); }},
      {"pull", kNothing, [](World& w) { return ErrorOf(w.docker.Pull("milvus:1")); }, false, true},
      {"find-in-registry", kNothing,
       [](World& w) { return ErrorOf(w.docker.FindInRegistry("milvus:1")); }, false, true},
      {"stop", kNothing,
       [](World& w) { return ErrorOf(w.docker.Stop({"milvus"}, Millis(1'000))); }},
      {"start", kNothing, [](World& w) { return ErrorOf(w.docker.Start({"milvus"})); }},
      {"remove", kNothing, [](World& w) { return ErrorOf(w.docker.Remove("milvus", false)); }},
      {"set-restart-policy", kNothing,
       [](World& w) { return ErrorOf(w.docker.SetRestartPolicy({"milvus"}, "no", 0)); }},
      {"create", kNothing,
       [](World& w) { return ErrorOf(w.docker.Create("lock", "milvus:1", {})); }},
      {"create-helper", kNothing,
       [](World& w) {
         return ErrorOf(w.docker.CreateHelper({"probe", "milvus:1", "net", {"/probe"}, {}}));
       }},
      {"copy-in", kNothing,
       [](World& w) {
         return ErrorOf(w.docker.CopyIn("milvus", {{"/a", "bytes"}}));
       }},
      {"run-helper", kNothing,
       [=](World& w) { return ErrorOf(w.docker.RunHelper("probe", no_line, never)); }, true},
      {"create-job", kNothing,
       [](World& w) {
         return ErrorOf(w.docker.CreateJob({"job", "milvus:1", "none"}));
       }},
      {"run-job", kText, [=](World& w) { return ErrorOf(w.docker.RunJob("job", no_line, never)); }},
      {"kill", kNothing, [](World& w) { return ErrorOf(w.docker.Kill("milvus")); }},
      {"create-network", kNothing,
       [](World& w) { return ErrorOf(w.docker.CreateNetwork("net", {})); }},
      {"remove-network", kNothing, [](World& w) { return ErrorOf(w.docker.RemoveNetwork("net")); }},
      {"list-networks", kNothing, [](World& w) { return ErrorOf(w.docker.ListNetworks({"a"})); }},
      {"copy-file-in", kNothing,
       [](World& w) {
         const std::string file = w.scratch.Path("file");
         EXPECT_TRUE(w.files.Create(file, "bytes", 0600));
         return ErrorOf(w.docker.CopyFileIn("milvus", file, "/a"));
       }},
      {"exec", kNothing,
       [](World& w) { return ErrorOf(w.docker.Exec("milvus", {"true"}, {}, Millis(1'000))); },
       true},
      {"exec-with-input", kNothing,
       [](World& w) {
         return ErrorOf(w.docker.ExecWithInput("milvus", {"cat"}, {}, "in", Millis(1'000)));
       },
       true},
      {"logs", kNothing, [](World& w) { return ErrorOf(w.docker.Logs("milvus", 3)); }},
      {"copy-out", kNothing,
       [](World& w) {
         return ErrorOf(w.docker.CopyOut("milvus", "/data", w.scratch.Path("tar")));
       }},
      {"read-file", kText,
       [](World& w) { return ErrorOf(w.docker.ReadFile("milvus", "/a.yaml")); }},
      {"compose version", kText,
       [](World& w) { return ErrorOf(w.compose.Version(model::ComposeGeneration::kV2)); }},
      {"compose config", kText,
       [](World& w) {
         return ErrorOf(w.compose.Config(model::ComposeGeneration::kV2, w.selectors,
                                         ports::ComposeEnvironment::kOurs));
       }},
      {"compose up", kText,
       [](World& w) {
         return ErrorOf(w.compose.Up(model::ComposeGeneration::kV2, w.selectors, {"standalone"}));
       }},
      {"etcd observe", kText, [](World& w) { return ErrorOf(w.etcd.Observe("etcd")); }},
      {"etcd get-prefix", kText,
       [](World& w) {
         return ErrorOf(w.etcd.GetPrefix("etcd", "by-dev/", ports::KeysOnly::kNo, 0));
       }},
      {"etcd read-leases", kText,
       [](World& w) {
         return ErrorOf(w.etcd.ReadLeases("etcd", {4711, 4712}));
       }},
      {"etcd revoke-leases", kNothing,
       [](World& w) { return ErrorOf(w.etcd.RevokeLeases("etcd", {4711})); }},
      {"etcd save-snapshot", kText,
       [](World& w) { return ErrorOf(w.etcd.SaveSnapshot("etcd", w.scratch.Path("snapshot"))); }},
      {"client observe", kText, [](World& w) { return ErrorOf(w.client.Observe()); }},
      {"client get-page", kText,
       [](World& w) {
         return ErrorOf(w.client.GetPage({"a", "b", 0, 10, false}));
       }},
      {"client commit", kText,
       [](World& w) {
         return ErrorOf(w.client.Commit({{}, {{ports::Write::Kind::kPut, "a", "1", 0}}}));
       }},
      {"client grant-lease", kText, [](World& w) { return ErrorOf(w.client.GrantLease(60)); }},
      {"client keep-alive", kNothing, [](World& w) { return ErrorOf(w.client.KeepAlive(4711)); }},
      {"client read-lease", kText, [](World& w) { return ErrorOf(w.client.ReadLease(4711)); }},
      {"client revoke-lease", kNothing,
       [](World& w) { return ErrorOf(w.client.RevokeLease(4711)); }},
      {"client hash-members", kText, [](World& w) { return ErrorOf(w.client.HashMembers(0)); }},
  };
}

TEST(BrokenChild, IsAlwaysAnErrorAndNeverMadeUp) {
  int tried = 0;
  for (const Break& how : Breaks()) {
    for (const Call& call : Calls()) {
      World world(how);
      const std::optional<Error> error = call.make(world);
      const std::string what = std::string(call.name) + ", " + how.name;
      ++tried;
      EXPECT_GT(world.runner.runs, 0) << what;
      const bool may_succeed = (how.is_success && call.answers == Answers::kNothing) ||
                               (how.exit_code != 0 && call.is_exit_code_a_result);
      if (!error) {
        EXPECT_TRUE(may_succeed) << what << ": taken for a success";
        continue;
      }
      EXPECT_FALSE(error->Text().empty()) << what;
      if (call.is_about_an_image) continue;  // whatever went wrong, the image is not to be had
      // A refusal for what was never said.
      EXPECT_NE(error->code, ErrorCode::kContainerGone) << what << ": " << error->Text();
      EXPECT_NE(error->code, ErrorCode::kImageMissing) << what << ": " << error->Text();
      EXPECT_NE(error->code, ErrorCode::kLocked) << what << ": " << error->Text();
    }
  }
  EXPECT_GT(tried, 300);
}

}  // namespace
}  // namespace mu::adapters
