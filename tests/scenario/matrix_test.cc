// SPDX-License-Identifier: Apache-2.0
// The fault matrix: every call site (a method of a port: a child command, a call to etcd, a file
// operation) meets every fault that it can, once in a run that is otherwise undisturbed, from the
// first look at the stack to the end. Between versions that can go back and forth it ends upgraded
// or as it was, at once or after one `resume`; nothing is lost, and never does a person have to be
// asked. How the adapters read what a broken child has written: unit/adapters/broken_child_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/run/helper_container.h"
#include "scenario/story21.h"

namespace mu::scenario {
namespace {

// What a fault does, in the words of the site's kind.
enum class Kind { kChild, kEtcd, kDisk, kHttp };
enum class Use { kRead, kWrite };

struct Site {
  const char* name;
  Kind kind;
  Use use;
  // Reached in the stories below; of the others, what else does.
  const char* elsewhere = "";
};

constexpr char kProbes[] = "the prober's helper: HelperContainerTest, real/probe_from_inside";
constexpr char kQueue[] = "rocksmq alone: real/upgrade_standalone_v2";
constexpr char kDropIn[] = "the migration alone: Fates/Killed21, EtcdClientContract";
constexpr char kKeptFile[] = "the migration alone: Fates/Killed21, FilesContract";
constexpr char kTornTail[] = "a torn journal: JournalFile";
constexpr char kKilled[] = "a migrator that outlives the tool: real/migration_killed";
constexpr char kVerify[] = "--verify-cmd: real/upgrade_standalone_v2, real/upgrade_cluster_v1";

// Every method of every port. A new one must have its row here: the decorators of
// fakes/faulty_ports.h do not compile without it, and a site without a row fails
// EverySiteHasItsRow.
const std::vector<Site>& Sites() {
  static const std::vector<Site> sites = {
      {"docker.info", Kind::kChild, Use::kRead},
      {"docker.list", Kind::kChild, Use::kRead},
      {"docker.inspect", Kind::kChild, Use::kRead},
      {"docker.inspect-image", Kind::kChild, Use::kRead},
      {"docker.pull", Kind::kChild, Use::kWrite},
      {"docker.find-in-registry", Kind::kChild, Use::kRead},
      {"docker.stop", Kind::kChild, Use::kWrite},
      {"docker.start", Kind::kChild, Use::kWrite},
      {"docker.remove", Kind::kChild, Use::kWrite},
      {"docker.set-restart-policy", Kind::kChild, Use::kWrite},
      {"docker.create", Kind::kChild, Use::kWrite},
      {"docker.create-helper", Kind::kChild, Use::kWrite, kProbes},
      {"docker.copy-in", Kind::kChild, Use::kWrite},
      {"docker.run-helper", Kind::kChild, Use::kWrite, kProbes},
      {"docker.create-job", Kind::kChild, Use::kWrite},
      {"docker.run-job", Kind::kChild, Use::kWrite},
      {"docker.kill", Kind::kChild, Use::kWrite, kKilled},
      {"docker.create-network", Kind::kChild, Use::kWrite},
      {"docker.remove-network", Kind::kChild, Use::kWrite},
      {"docker.list-networks", Kind::kChild, Use::kRead},
      {"docker.copy-file-in", Kind::kChild, Use::kWrite},
      {"docker.exec", Kind::kChild, Use::kRead},
      {"docker.exec-with-input", Kind::kChild, Use::kWrite, kDropIn},
      {"docker.logs", Kind::kChild, Use::kRead},
      {"docker.copy-out", Kind::kChild, Use::kRead, kQueue},
      {"docker.read-file", Kind::kChild, Use::kRead},
      {"compose.version", Kind::kChild, Use::kRead},
      {"compose.config", Kind::kChild, Use::kRead},
      {"compose.up", Kind::kChild, Use::kWrite},
      {"etcd.observe", Kind::kEtcd, Use::kRead},
      {"etcd.get-prefix", Kind::kEtcd, Use::kRead},
      {"etcd.read-leases", Kind::kEtcd, Use::kRead},
      {"etcd.revoke-leases", Kind::kEtcd, Use::kWrite},
      {"etcd.save-snapshot", Kind::kEtcd, Use::kRead},
      {"client.of", Kind::kEtcd, Use::kRead},
      {"client.observe", Kind::kEtcd, Use::kRead},
      {"client.get-page", Kind::kEtcd, Use::kRead},
      {"client.commit", Kind::kEtcd, Use::kWrite},
      {"client.grant-lease", Kind::kEtcd, Use::kWrite},
      {"client.keep-alive", Kind::kEtcd, Use::kWrite, kDropIn},
      {"client.read-lease", Kind::kEtcd, Use::kRead, kDropIn},
      {"client.revoke-lease", Kind::kEtcd, Use::kWrite},
      {"client.hash-members", Kind::kEtcd, Use::kRead, kDropIn},
      {"files.read", Kind::kDisk, Use::kRead},
      {"files.read-parts", Kind::kDisk, Use::kRead},
      {"files.stat", Kind::kDisk, Use::kRead},
      {"files.list", Kind::kDisk, Use::kRead},
      {"files.replace", Kind::kDisk, Use::kWrite},
      {"files.create", Kind::kDisk, Use::kWrite},
      {"files.begin-new", Kind::kDisk, Use::kWrite, kKeptFile},
      {"files.append-new", Kind::kDisk, Use::kWrite, kKeptFile},
      {"files.commit-new", Kind::kDisk, Use::kWrite, kKeptFile},
      {"files.why-not-replaceable", Kind::kDisk, Use::kRead},
      {"files.make-folders", Kind::kDisk, Use::kWrite},
      {"files.open-append", Kind::kDisk, Use::kWrite},
      {"files.append", Kind::kDisk, Use::kWrite},
      {"files.reserve", Kind::kDisk, Use::kWrite},
      {"files.sync", Kind::kDisk, Use::kWrite},
      {"files.truncate", Kind::kDisk, Use::kWrite, kTornTail},
      {"files.remove-tree", Kind::kDisk, Use::kWrite},
      {"files.lock", Kind::kDisk, Use::kWrite},
      {"files.is-locked", Kind::kDisk, Use::kRead, "status alone: Store"},
      {"files.free-bytes", Kind::kDisk, Use::kRead},
      {"files.sha256", Kind::kDisk, Use::kRead},
      {"http.get", Kind::kHttp, Use::kRead},
      {"runner.run", Kind::kChild, Use::kRead, kVerify},
  };
  return sites;
}

const Site* Find(const std::string& name) {
  const auto it = std::find_if(Sites().begin(), Sites().end(),
                               [&](const Site& site) { return name == site.name; });
  return it == Sites().end() ? nullptr : &*it;
}

// What happens before the call, what it answers, what happens after it.
struct Fault {
  const char* name;
  bool (*meets)(const Site&);
  // The answer, where it is one: of the kind of the site.
  ErrorCode (*code)(const Site&);
  enum class When { kBefore, kAfter, kLie, kWorldOnly } when;
  void (*world)(Story&);
};

bool IsChild(const Site& site) { return site.kind == Kind::kChild; }
bool IsAsked(const Site& site) { return site.kind != Kind::kDisk; }
bool IsOfEngine(const Site& site) { return IsAsked(site) && site.kind != Kind::kHttp; }
bool IsWrittenDisk(const Site& site) { return site.kind == Kind::kDisk && site.use == Use::kWrite; }
bool IsDisk(const Site& site) { return site.kind == Kind::kDisk; }
bool IsAny(const Site&) { return true; }
bool CanLie(const Site& site) { return IsAsked(site) && site.use == Use::kWrite; }
void Nothing(Story&) {}

ErrorCode Missing(const Site& site) {
  return std::string_view(site.name).starts_with("compose.") ? ErrorCode::kComposeMissing
                                                             : ErrorCode::kDockerMissing;
}
ErrorCode Failed(const Site& site) {
  return site.kind == Kind::kEtcd                              ? ErrorCode::kEtcdFailed
         : std::string_view(site.name).starts_with("compose.") ? ErrorCode::kComposeFailed
                                                               : ErrorCode::kCommandFailed;
}
ErrorCode TimedOut(const Site& site) {
  return site.kind == Kind::kEtcd ? ErrorCode::kEtcdUnreachable : ErrorCode::kCommandTimeout;
}
ErrorCode Down(const Site& site) {
  return site.kind == Kind::kEtcd ? ErrorCode::kEtcdUnreachable : ErrorCode::kDockerDown;
}
template <ErrorCode kCode>
ErrorCode Always(const Site&) {
  return kCode;
}

const std::vector<Fault>& Faults() {
  using When = Fault::When;
  static const std::vector<Fault> faults = {
      {"not found", IsChild, Missing, When::kBefore, Nothing},
      {"exit 1", IsAsked, Failed, When::kBefore, Nothing},
      {"killed (137) when it had worked", IsAsked, Failed, When::kAfter, Nothing},
      {"hangs", IsAsked, TimedOut, When::kBefore,
       [](Story& story) { story.stage.clock.Advance(Millis(60'000)); }},
      {"hangs when it has worked", IsAsked, TimedOut, When::kAfter,
       [](Story& story) { story.stage.clock.Advance(Millis(60'000)); }},
      {"slow", IsAny, nullptr, When::kWorldOnly,
       [](Story& story) { story.stage.clock.Advance(Millis(20'000)); }},
      {"an answer that cannot be read", IsAsked, Always<ErrorCode::kCommandOutput>, When::kAfter,
       Nothing},
      {"says that it is done, and is not", CanLie, nullptr, When::kLie, Nothing},
      {"the engine is away", IsOfEngine, Down, When::kBefore, Nothing},
      {"the engine restarts", IsAny, nullptr, When::kWorldOnly,
       [](Story& story) { story.stage.world.RestartEngine(); }},
      {"disk full", IsWrittenDisk, Always<ErrorCode::kDiskFull>, When::kBefore, Nothing},
      {"fsync fails", IsWrittenDisk, Always<ErrorCode::kFileSync>, When::kAfter, Nothing},
      {"read-only", IsWrittenDisk, Always<ErrorCode::kReadOnly>, When::kBefore, Nothing},
      {"no descriptors left", IsDisk, Always<ErrorCode::kFileRead>, When::kBefore, Nothing},
      {"no descriptors left", IsAsked, Always<ErrorCode::kInternal>, When::kBefore, Nothing},
      {"the clock goes a day ahead", IsAny, nullptr, When::kWorldOnly,
       [](Story& story) { story.stage.clock.JumpWall(Millis(86'400'000)); }},
      {"the clock goes a day back", IsAny, nullptr, When::kWorldOnly,
       [](Story& story) { story.stage.clock.JumpWall(-Millis(86'400'000)); }},
  };
  return faults;
}

// --- The stories that the faults happen in. ---

struct Tale {
  std::string name;
  std::string file;
  void (*set_up)(Story&);
};

std::string Patch(std::string text) {
  const std::string tag = "milvus:v2.2.16";
  for (std::size_t at = 0; (at = text.find(tag, at)) != std::string::npos; at += tag.size())
    text.replace(at, tag.size(), "milvus:v2.2.15");
  // What a restart of the engine takes down comes up again by itself.
  for (const char* name : {"etcd", "minio", "kafka"}) {
    const std::size_t at = text.find(std::string("    container_name: milvus-") + name);
    if (at != std::string::npos) text.insert(at, "    restart: always\n");
  }
  return text;
}

std::vector<Tale> Tales() {
  return {
      {"Standalone", Patch(fakes::kStandaloneFile),
       [](Story& story) {
         story.stage.world.RemoveImage(fakes::Stage::kOld);
         story.stage.world.AddToRegistry(fakes::Stage::kOld, "2.2.16");
       }},
      {"Cluster", Patch(fakes::ClusterFile()), [](Story&) {}},
      {"BadPatch", Patch(fakes::kStandaloneFile),
       [](Story& story) {
         story.stage.world.AddImage(fakes::Stage::kOld, fakes::Program::kMilvus, "2.2.16",
                                    fakes::Flaw::kCrash);
       }},
      {"Migration", Patch(fakes::StandaloneFile21()),
       [](Story& story) {
         Make21(story);
         // As 2.1.0 is: it is killed, and its leases are revoked.
         story.stage.world.Find("milvus-standalone")->image.flaw = fakes::Flaw::kStubborn;
       }},
      {"MigrationByImage", Patch(fakes::StandaloneFile21()), Make21ForImage},
  };
}

// From the first look to the end.
Ending UpgradeIn(Story& story) {
  const auto refused = [](const Error& error) {
    return Ending{"refused", RowOf(error.code).exit, error};
  };
  auto prepared = story.Prepare("2.2.16");
  if (!prepared) return refused(prepared.error());
  if (prepared->refusal) return refused(*prepared->refusal);
  if (rules::HasErrors(prepared->findings))
    return refused(Error{ErrorCode::kCheckFailed, "findings", "", {}});
  story.UsePlan(std::move(prepared->plan));
  return story.BeginAndGo();
}

class Matrix : public testing::TestWithParam<Tale> {
 protected:
  using Places = std::map<std::string, std::vector<int>>;  // site -> numbers of its calls

  // The world without the engine-side lock and what the next run removes: a fault may hit their
  // removal.
  static std::string Of(Story& story) {
    story.stage.world.RemoveContainer("milvus-upgrade-lock-milvus");
    EXPECT_TRUE(run::RemoveLeftHelpers(story.stage.docker, "milvus"));
    // A Milvus that a restart has killed waits for its own old sessions.
    story.stage.clock.Advance(Millis(300'000));
    return story.Describe();
  }

  void SetUp() override {
    {
      Story story(GetParam().file);
      GetParam().set_up(story);
      before_ = Of(story);
    }
    Story story(GetParam().file);
    GetParam().set_up(story);
    int calls = 0;
    story.sites.before = [&](const std::string& site) {
      places_[site].push_back(++calls);
      return fakes::Sites::Verdict{};
    };
    const Ending ending = UpgradeIn(story);
    story.sites.before = nullptr;
    ASSERT_TRUE(ending.outcome == "done" || ending.outcome == "rolled-back") << Told(ending);
    after_ = Of(story);
  }

  void Try(const Site& site, const Fault& fault, int call) {
    const std::string what =
        std::string(site.name) + ", call " + std::to_string(call) + ": " + fault.name;
    Story story(GetParam().file);
    GetParam().set_up(story);
    int calls = 0;
    bool is_now = false;
    story.sites.before = [&](const std::string&) {
      fakes::Sites::Verdict verdict;
      is_now = ++calls == call;
      if (!is_now) return verdict;
      if (fault.when != Fault::When::kAfter) fault.world(story);
      if (fault.when == Fault::When::kLie) verdict.is_lie = true;
      if (fault.when == Fault::When::kBefore)
        verdict.error = Error{fault.code(site), std::string("injected: ") + fault.name, "", {}};
      return verdict;
    };
    story.sites.after = [&](const std::string& now) -> std::optional<Error> {
      if (!is_now || now != site.name || fault.when != Fault::When::kAfter) return std::nullopt;
      is_now = false;
      fault.world(story);
      return Error{fault.code(site), std::string("injected: ") + fault.name, "", {}};
    };
    Ending ending = UpgradeIn(story);
    std::string words = Told(ending);
    if (IsStuck(ending)) {
      story.stage.clock.Advance(Millis(120'000));
      ending = story.Resume();
      words += "; resumed: " + Told(ending);
    }
    ++tried_;
    ASSERT_FALSE(IsStuck(ending)) << what << ": " << words;
    ASSERT_EQ(Of(story), ending.outcome == "done" ? after_ : before_) << what << ": " << words;
  }

  static bool IsStuck(const Ending& ending) {
    return !ending.IsOver() && ending.outcome != "refused";
  }

  Places places_;
  std::string before_;
  std::string after_;
  int tried_ = 0;
};

TEST_P(Matrix, EverySiteMeetsEveryFault) {
  std::mt19937 random(Seed());
  for (const Fault& fault : Faults()) {
    for (const Site& site : Sites()) {
      const auto found = places_.find(site.name);
      if (found == places_.end() || !fault.meets(site)) continue;
      const std::vector<int>& all = found->second;
      const std::array<int, 3> calls = {all.front(), all[random() % all.size()], all.back()};
      // One of the three calls of a third of them, or all.
      const std::size_t chosen = random() % 9;
      for (std::size_t i = 0; i < calls.size(); ++i) {
        if (!IsLong() && i != chosen) continue;
        const int call = calls[i];
        Try(site, fault, call);
        if (HasFatalFailure()) return;
      }
    }
  }
  std::cout << GetParam().name << ": " << places_.size() << " call sites, " << tried_
            << " faults\n";
}

INSTANTIATE_TEST_SUITE_P(Tales, Matrix, testing::ValuesIn(Tales()),
                         [](const auto& row) { return row.param.name; });

// A new method of a port is a new site here, and each site is met in a story or says where it is.
TEST(MatrixTable, EverySiteHasItsRowAndEveryRowItsPlace) {
  std::set<std::string> seen;
  for (const Tale& tale : Tales()) {
    Story story(tale.file);
    tale.set_up(story);
    story.sites.before = [&](const std::string& site) {
      seen.insert(site);
      return fakes::Sites::Verdict{};
    };
    (void)UpgradeIn(story);
    story.sites.before = nullptr;
  }
  for (const std::string& site : seen) EXPECT_NE(Find(site), nullptr) << site;
  for (const Site& site : Sites()) {
    EXPECT_NE(seen.contains(site.name), *site.elsewhere != '\0')
        << site.name << (seen.contains(site.name) ? " is met" : " is not met");
  }
}

}  // namespace
}  // namespace mu::scenario
