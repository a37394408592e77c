// SPDX-License-Identifier: Apache-2.0
// Random walks: upgrades, kills, signals, `resume`, `rollback`, and other people who edit the file,
// stop, start or remove the container, kill etcd, restart the engine, in any order and in the
// middle of anything. Whatever happens: no Milvus runs on metadata of another era, nothing of 2.1's
// metadata goes before a backup of all of it is on the disk, nobody else's keys change, and what
// the run says of itself is so. Once people have put right what they did, it ends whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/run/standing.h"
#include "scenario/story21.h"
#include "ui/report.h"

namespace mu::scenario {
namespace {

using fakes::FakeContainer;
using fakes::PowerCut;
using fakes::Program;
using fakes::Stage;
using Keep = fakes::UnsyncedFiles::Keep;

constexpr char kServer[] = "milvus-standalone";
constexpr char kEtcd[] = "milvus-etcd";
constexpr char kLock[] = "milvus-upgrade-lock-milvus";
constexpr char kNeighbour[] = "prod/meta/root-coord/collection/1";
constexpr char kComment[] = "# someone was here\n";
constexpr int kActions = 14;
// The loop guard stops a step that was entered five times; people do not kill a run that often.
constexpr int kCutsOfARun = 3;

std::string FileOf(unsigned seed) {
  std::string text = seed % 2 == 0 ? fakes::StandaloneFile21() : fakes::kStandaloneFile;
  if (seed % 4 == 1) text.replace(text.find("milvus:v2.2.16"), 14, "milvus:v2.2.15");
  return text;
}

class Walk {
 public:
  explicit Walk(unsigned seed) : story_(FileOf(seed)), random_(seed) {
    if (seed % 2 == 0) {
      Make21(story_);
    } else {
      story_.stage.PutMetadata(meta::RealKeys("etcd-2.2.jsonl"));
    }
    story_.config.skipped_checks = {"index-kinds"};
    story_.stage.world.Etcd().Put(kNeighbour, "theirs");
    story_.answer = [this](const std::string& call, int) { return AtCall(call); };
    story_.stage.clock.OnAdvance([this](Millis) { Look(); });
  }

  void Run() {
    for (int action = 0; action < kActions && problems_.empty(); ++action) Act();
    if (problems_.empty()) Close();
    Look();
  }

  const std::vector<std::string>& Problems() const { return problems_; }
  std::string Account() const { return Join(log_, "\n") + "\n"; }

 private:
  std::size_t Any(std::size_t below) { return random_() % below; }
  void Log(const std::string& line) { log_.push_back(line); }
  void Problem(const std::string& text) {
    Log("PROBLEM: " + text);
    problems_.push_back(text);
  }

  // --- What is always so. ---

  // Looked at whenever time passes and before each call that changes the world.
  void Look() {
    if (is_looking_) return;
    is_looking_ = true;
    LookAtKeys();
    for (FakeContainer* container : story_.stage.world.All()) {
      if (container->image.program != Program::kMilvus) continue;
      if (!container->facts.IsRunning()) {
        started_by_others_.erase(container->facts.id);
      } else if (container->is_registered && !started_by_others_.contains(container->facts.id)) {
        const auto wanted =
            container->image.version.minor < 2 ? meta::Generation::k21 : meta::Generation::k22;
        if (generation_ != wanted && problems_.empty())
          Problem(container->facts.image + " runs on metadata of generation " +
                  std::to_string(static_cast<int>(generation_)));
      }
    }
    is_looking_ = false;
  }

  void LookAtKeys() {
    if (story_.stage.world.Etcd().Revision() == revision_) return;
    revision_ = story_.stage.world.Etcd().Revision();
    const fakes::EtcdStore& etcd = story_.stage.world.Etcd();
    const auto* neighbour = etcd.Find(kNeighbour);
    if (neighbour == nullptr || neighbour->value != "theirs") Problem("a neighbour's key is gone");
    meta::Keys keys = MetadataOf(story_);
    keys.erase(meta::kScope.Marker());
    if (keys == keys_) return;
    if (is_served_at_commit_) Problem("metadata was written while a Milvus had a session");
    generation_ = meta::GenerationOf(keys);
    if (generation_ == meta::Generation::k21) whole21_ = keys;
    const bool has_lost = std::any_of(whole21_.begin(), whole21_.end(), [&](const auto& old) {
      const auto it = keys.find(old.first);
      return it == keys.end() || it->second != old.second;
    });
    if (has_lost && !HasBackupOf(whole21_))
      Problem("metadata of 2.1 went before a backup of it was on the disk");
    keys_ = std::move(keys);
  }

  bool HasBackupOf(const meta::Keys& keys) {
    for (const std::string& path : story_.stage.files.Paths()) {
      if (path.find("/backup/") == std::string::npos) continue;
      const auto bytes = story_.stage.files.Durable(path);
      const auto contents = backup::Parse(bytes.value_or(""));
      if (!contents) continue;
      meta::Keys kept;
      for (const backup::Entry& entry : contents->entries) kept[entry.key] = entry.value;
      if (std::all_of(keys.begin(), keys.end(), [&](const auto& key) {
            const auto it = kept.find(key.first);
            return it != kept.end() && it->second == key.second;
          })) {
        return true;
      }
    }
    return false;
  }

  fakes::Answer AtCall(const std::string& call) {
    Look();
    is_served_at_commit_ = call == "etcd commit" && HasSession();
    ++calls_;
    if (in_the_middle_ && calls_ == at_call_) {
      const auto act = std::move(in_the_middle_);
      in_the_middle_ = nullptr;
      Log("  before [" + call + "]:");
      act();
    }
    return fakes::Answer::kTrue;
  }

  bool HasSession() {
    for (const auto& [key, kv] : story_.stage.world.Etcd().Keys()) {
      if (key.starts_with(meta::kScope.Sessions()) && kv.lease != 0 &&
          key != meta::kScope.MigrationLock()) {
        return true;
      }
    }
    return false;
  }

  // --- What we do. ---

  void Act() {
    const bool is_open = IsOpen();
    switch (Any(10)) {
      case 0:
      case 1:
        return Disturb();
      case 2:
        Log("time passes");
        return story_.stage.clock.Advance(Millis(1000 * static_cast<int>(1 + Any(3600))));
      case 3:
        return PutRight();
      case 4:
        return Call("roll back", [&] { return story_.RollBack(); });
      default:
        return is_open ? Call("resume", [&] { return story_.Resume(); }) : Upgrade();
    }
  }

  bool IsOpen() {
    const auto newest = story_.Newest();
    return newest && newest->IsOpen();
  }

  std::string Running() {
    const FakeContainer* server = story_.stage.world.Find(kServer);
    return server == nullptr ? "" : server->facts.image;
  }

  void Upgrade() {
    const std::string from = Running();
    const std::string to = from == Stage::kOld || from == Stage::kNew ? "2.3.5" : "2.2.16";
    auto prepared = story_.Prepare(to);
    const bool is_refused = !prepared || prepared->refusal || rules::HasErrors(prepared->findings);
    if (is_refused) {
      std::string why = !prepared ? prepared.error().Text() : "";
      if (prepared) {
        for (const auto& finding : prepared->findings) {
          if (finding.severity == model::Severity::kError && !finding.is_skipped)
            why += finding.id + ": " + finding.message + "; ";
        }
      }
      Log("upgrade to " + to + " is refused: " + why);
      if (!is_disturbed_) Problem("a stack that nobody has disturbed is refused");
      return;
    }
    if (!prepared->plan.HasSteps()) return Log("nothing to do");
    story_.UsePlan(std::move(prepared->plan));
    cuts_ = 0;
    is_guarded_ = false;
    comments_ = Comments();
    Call("upgrade to " + to, [&] { return story_.BeginAndGo(); });
  }

  void Call(const std::string& what, const std::function<Ending()>& call) {
    Log(what);
    calls_ = 0;
    story_.stage.interrupts.Raise(ports::Interrupt::kNone, 0);
    if (Any(3) == 0) {
      at_call_ = 1 + static_cast<int>(Any(30));
      in_the_middle_ = [this] { Any(3) == 0 ? Signal() : Disturb(); };
    }
    const std::string server = Identity();
    const meta::Keys keys = MetadataOf(story_);
    is_disturbed_now_ = false;
    if (cuts_ < kCutsOfARun && Any(2) == 0) story_.stage.fuse.CutAt(1 + static_cast<int>(Any(300)));
    try {
      const Ending ending = call();
      story_.stage.fuse.CutAt(0);
      in_the_middle_ = nullptr;
      Log("  " + Told(ending));
      Judge(ending);
      const bool has_touched = ending.outcome != "refused" && ending.outcome != "untouched" &&
                               ending.outcome != "failed-untouched";
      if (!has_touched && !is_disturbed_now_ &&
          (Identity() != server || MetadataOf(story_) != keys))
        Problem("something was touched");
    } catch (const PowerCut& power) {
      ++cuts_;
      in_the_middle_ = nullptr;
      Log("  killed at [" + power.name + "]");
      story_.PowerOn(static_cast<Keep>(Any(3)));
    }
  }

  void Signal() {
    if (cuts_ >= kCutsOfARun) return;
    ++cuts_;
    Log("  a signal");
    story_.stage.interrupts.Raise(ports::Interrupt::kFinishStep);
  }

  // The server's container and the file.
  std::string Identity() {
    const FakeContainer* server = story_.stage.world.Find(kServer);
    return (server == nullptr ? "" : server->facts.id) + story_.Read(Stage::kFile);
  }

  // What a run says of itself is so.
  void Judge(const Ending& ending) {
    const auto run = story_.Newest();
    if (!run && run.error().code == ErrorCode::kNoSuchRun && ending.outcome == "refused") return;
    if (!run || run->damage) return Problem("the newest run cannot be read");
    is_guarded_ = is_guarded_ || (ending.error && ending.error->code == ErrorCode::kLoopGuard);
    if (ui::ReportMarkdown(ui::MakeReport(*run)).empty()) Problem("there is no report");
    if (ending.outcome == "refused" || ending.outcome == "untouched") return;
    if (run->EndState() != ending.outcome) {
      // A disk or an engine that failed at the very end is another matter: there is none here.
      Problem("the run ended as " + ending.outcome + " and says that it is " + run->EndState());
    }
    if (!Agree(ending))
      Problem(ending.outcome + " with exit code " + std::to_string(static_cast<int>(ending.code)));
    if (ending.outcome == "needs-person" && !is_disturbed_)
      Problem("nobody has disturbed it, and it needs a person");
    if (ending.outcome != "done" && ending.outcome != "rolled-back") return;
    if (run::StandingOf(run->plan, run->records).is_outage_open)
      Problem("it is over, and its outage is not");
    if (story_.stage.world.Find(kLock) != nullptr) Problem("the lock is left");
    // A way back that had stopped nothing starts nothing.
    if (is_disturbed_now_ || (is_disturbed_ && ending.outcome == "rolled-back")) return;
    const std::string& version = run->rollback ? run->rollback->to : run->plan.to;
    const FakeContainer* server = story_.stage.world.Find(kServer);
    if (server == nullptr || !story_.stage.world.IsReady(*server))
      return Problem("it is over, and Milvus does not serve");
    if (!server->facts.image.ends_with(":v" + version))
      Problem("it is over for " + version + ", and what runs is " + server->facts.image);
  }

  // The exit code says the same to a CI job.
  static bool Agree(const Ending& ending) {
    switch (ending.code) {
      case ExitCode::kDone:
        return ending.outcome == "done" || ending.outcome == "rolled-back";
      case ExitCode::kRolledBack:
        return ending.outcome == "rolled-back";
      case ExitCode::kNeedsPerson:
        return ending.outcome == "needs-person";
      case ExitCode::kPaused:
        return ending.outcome == "paused";
      case ExitCode::kInterrupted:
        return ending.outcome == "interrupted";
      default:
        return ending.outcome == "failed-untouched";
    }
  }

  // --- What others do. ---

  void Disturb() {
    is_disturbed_ = is_disturbed_now_ = true;
    fakes::FakeWorld& world = story_.stage.world;
    FakeContainer* const server = world.Find(kServer);
    switch (Any(8)) {
      case 0:
        Log("  someone edits the file");
        return PutFile(story_.Read(Stage::kFile) + kComment);
      case 1:
        Log("  someone kills Milvus");
        return world.KillContainer(kServer);
      case 2:
        Log("  someone removes Milvus");
        return world.RemoveContainer(kServer);
      case 3:
        if (server == nullptr || server->facts.IsRunning()) return;
        Log("  someone starts Milvus");
        started_by_others_.insert(server->facts.id);
        return (void)world.StartContainer(kServer);
      case 4:
        Log("  someone kills etcd");
        return world.KillContainer(kEtcd);
      case 5:
        Log("  the engine restarts");
        return world.RestartEngine();
      case 6:
        Log("  a Milvus from elsewhere registers");
        return world.StartForeign("querynode", "2.2.16", "10.9.9.9:21123");
      default:
        Log("  someone removes the images of what does not run");
        for (const char* image : {Stage::kOld, Stage::kNew}) {
          if (Running() != image) world.RemoveImage(image);
        }
    }
  }

  int Comments() {
    const std::string text = story_.Read(Stage::kFile);
    int count = 0;
    for (std::size_t at = 0; (at = text.find(kComment, at)) != std::string::npos; ++at) ++count;
    return count;
  }

  void PutFile(const std::string& text) { story_.stage.files.Put(Stage::kFile, text); }

  // What was done is undone by whoever did it; a stack that no run works on is brought up.
  void PutRight() {
    Log("people put right what they did");
    fakes::FakeWorld& world = story_.stage.world;
    std::string text = story_.Read(Stage::kFile);
    for (int left = Comments(); left > comments_; --left)
      text.erase(text.rfind(kComment), std::string(kComment).size());
    PutFile(text);
    for (const char* name : {kEtcd, "milvus-minio"}) (void)world.StartContainer(name);
    world.StopForeign();
    world.AddImage(Stage::kOld, Program::kMilvus, "2.2.16");
    world.AddImage(Stage::kNew, Program::kMilvus, "2.3.5");
    if (!IsOpen()) {
      const Status up = story_.stage.compose.Up(model::ComposeGeneration::kV2,
                                                story_.config.selectors, {"standalone"});
      if (!up) Problem("the stack cannot be brought up: " + up.error().Text());
      is_disturbed_ = false;
    }
    story_.stage.clock.Advance(Millis(120'000));
  }

  // However it stands: it ends whole, and the next upgrade is a plain one.
  void Close() {
    Log("closing");
    cuts_ = kCutsOfARun;
    for (int round = 0; round < 3 && IsOpen() && problems_.empty(); ++round) {
      PutRight();
      Plainly("resume", [&] { return story_.Resume(); });
      if (IsOpen()) Plainly("roll back", [&] { return story_.RollBack(); });
    }
    // Past the point of no return, and tried in vain too often: people bring it up and give it up.
    if (IsOpen() && is_guarded_)
      story_.stage.files.Put(story_.Newest()->files.AbandonedPath(), "by a test\n");
    if (IsOpen()) return Problem("there is no way out");
    PutRight();
    if (!problems_.empty() || Running() == Stage::kNew) return;
    auto prepared = story_.Prepare(Running() == Stage::kOld ? "2.3.5" : "2.2.16");
    if (!prepared || prepared->refusal || rules::HasErrors(prepared->findings))
      return Problem("the next upgrade is refused");
    story_.UsePlan(std::move(prepared->plan));
    Plainly("upgrade", [&] { return story_.BeginAndGo(); });
    const auto run = story_.Newest();
    if (!run || run->EndState() != "done") Problem("the next upgrade does not get done");
  }

  void Plainly(const std::string& what, const std::function<Ending()>& call) {
    story_.stage.interrupts.Raise(ports::Interrupt::kNone, 0);
    in_the_middle_ = nullptr;
    is_disturbed_now_ = false;
    const Ending ending = call();
    Log(what + ": " + Told(ending));
    Judge(ending);
  }

  Story story_;
  std::mt19937 random_;
  std::vector<std::string> log_;
  std::vector<std::string> problems_;
  bool is_disturbed_ = false;      // by others, since all was put right
  bool is_disturbed_now_ = false;  // in this very call
  bool is_guarded_ = false;        // this run: a step was entered too often
  int cuts_ = 0;                   // of this run
  int calls_ = 0;                  // of this call
  int at_call_ = 0;
  int comments_ = 0;  // in the file when this run began
  std::function<void()> in_the_middle_;
  std::set<std::string> started_by_others_;
  bool is_looking_ = false;
  bool is_served_at_commit_ = false;
  std::int64_t revision_ = 0;
  meta::Keys keys_;
  meta::Keys whole21_;
  meta::Generation generation_ = meta::Generation::kEmpty;
};

void MustEndWhole(unsigned seed) {
  Walk walk(seed);
  walk.Run();
  EXPECT_TRUE(walk.Problems().empty()) << "MU_SEED=" << seed << "\n" << walk.Account();
}

// That once found something.
TEST(Walk, EndsWholeWhereItOnceDidNot) {
  for (const unsigned seed : {6008U}) MustEndWhole(seed);
}

TEST(Walk, EndsWholeWhateverHappens) {
  const unsigned first = Seed();
  const unsigned walks = IsLong() ? 5000 : 40;
  for (unsigned seed = first; seed < first + walks && !testing::Test::HasFailure(); ++seed)
    MustEndWhole(seed);
}

}  // namespace
}  // namespace mu::scenario
