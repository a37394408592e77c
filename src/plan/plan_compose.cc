// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/plan_compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/rules/migration.h"

namespace mu::plan {
namespace {

constexpr model::Tier kDown[] = {model::Tier::kProxy, model::Tier::kNode,
                                 model::Tier::kCoordinator};
constexpr model::Tier kUp[] = {model::Tier::kCoordinator, model::Tier::kNode, model::Tier::kProxy};

// Measured (ground.md 3), for the prediction only.
constexpr Millis kStopCost{300};
constexpr Millis kRevokeCost{400};
constexpr Millis kFileCost{20};
constexpr Millis kUpCost{600};
constexpr Millis kHealthCost{10'000};
constexpr Millis kSnapshotCost{500};
constexpr Millis kRehearsalCost{5'000};
constexpr Millis kMigrationCost{750};
// Its own deadline comes from the number of keys (effects/migrator.h); this is the end of all.
constexpr Millis kMigrationTimeout{3'600'000};

class Builder {
 public:
  explicit Builder(const ComposePlanInput& input) : in_(input) {}

  Plan Build() {
    FillHeader();
    PullMissing();
    for (std::size_t i = 0; i < in_.path.hops.size(); ++i) {
      hop_ = static_cast<int>(i);
      AddHop(in_.path.hops[i], i < in_.changes.size() ? in_.changes[i] : std::vector<FileChange>{});
    }
    PredictBesides();
    return std::move(plan_);
  }

 private:
  void FillHeader() {
    const model::Observed& observed = in_.observed;
    plan_.tool_version = MU_VERSION;
    plan_.kind = PlanKind::kCompose;
    plan_.instance = observed.project.name;
    plan_.engine = observed.engine.endpoint.empty()
                       ? observed.engine.id
                       : observed.engine.endpoint + " (" + observed.engine.id + ")";
    plan_.project_directory = observed.project_directory;
    plan_.selectors = observed.selectors;
    plan_.fingerprint = in_.fingerprint;
    plan_.findings = in_.findings;
    plan_.probe_url = in_.probe_url;
    plan_.probe_reason = in_.probe_reason;
    plan_.probe_inside = in_.probe_inside;
    plan_.probe_command = in_.config.probe_command;
    for (const rules::HopRule& rule : in_.path.hops) {
      plan_.hops.push_back(
          {rule.from.Text(), rule.to.Text(), rule.rule,
           rule.action == rules::Action::kMetadataMigration ? "metadata migration" : "image",
           rule.reason, rule.is_reversible, rule.irreversible_reason});
    }
    if (!plan_.hops.empty()) {
      plan_.from = plan_.hops.front().from;
      plan_.to = plan_.hops.back().to;
    }
    plan_.not_backed_up = {"the objects in the object store (segments, index files, logs)"};
    if (observed.settings.queue != model::MessageQueue::kRocksmq) {
      plan_.not_backed_up.emplace_back("the messages in the external message queue");
    } else if (!in_.config.backs_up_queue) {
      plan_.not_backed_up.emplace_back(
          "the rocksmq folder (add --backup-mq to copy it inside the outage)");
    }
    plan_.notes.insert(plan_.notes.end(), in_.path.warnings.begin(), in_.path.warnings.end());
    const bool migrates = rules::MigrationHopOf(in_.path) != nullptr;
    if (migrates) {
      for (std::string& change : rules::ClientChanges(in_.observed))
        plan_.notes.push_back(std::move(change));
    }
    if (migrates && !in_.config.rehearses)
      plan_.notes.emplace_back("the migration is not rehearsed, as asked for with --no-rehearsal");
  }

  std::string Id(std::string_view id) const {
    return in_.path.hops.size() > 1 ? fmt::format("hop{}/{}", hop_ + 1, id) : std::string(id);
  }

  Step& Add(std::string_view id, StepKind kind, std::string rule, std::string cause,
            StepArgs args) {
    Step step;
    step.id = Id(id);
    step.kind = kind;
    step.rule = std::move(rule);
    step.cause = std::move(cause);
    step.args = std::move(args);
    step.timeout = in_.config.timeout;
    step.hop = hop_;
    if (!plan_.steps.empty()) step.needs = {plan_.steps.back().id};
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  static std::string ReferenceFor(const model::MilvusService& milvus,
                                  const model::Version& version) {
    return milvus.image.WithTag(model::TagForVersion(milvus.image.tag, version)).Text();
  }

  const model::Image* ImageOf(const std::string& reference) const {
    const auto it = in_.observed.images.find(reference);
    return it == in_.observed.images.end() || !it->second ? nullptr : &*it->second;
  }

  void PullMissing() {
    std::set<std::string> pulled;
    for (const rules::HopRule& rule : in_.path.hops) {
      if (IsMigration(rule)) {
        const Migration migration = MigrationOf(rule);
        if (!migration.image.empty() && migration.image_id.empty() &&
            pulled.insert(migration.image).second)
          AddPull(migration.image);
      }
      for (const model::MilvusService& milvus : in_.observed.milvus) {
        const std::string reference = ReferenceFor(milvus, rule.to);
        if (ImageOf(reference) == nullptr && pulled.insert(reference).second) AddPull(reference);
      }
    }
  }

  void AddPull(const std::string& reference) {
    Add("", StepKind::kPullImage, "B1",
        "the image is not on the engine yet; pulling it now costs no outage", PullImage{reference})
        .id = "pull/" + reference;
  }

  // Containers by tier. Their ids are known for the first hop only: the second finds those that the
  // first made.
  ContainerRef RefOf(const model::MilvusService& milvus) const {
    return {milvus.service, milvus.container->name,
            hop_ == 0 ? milvus.container->id : std::string()};
  }

  std::vector<ContainerRef> ContainersOf(model::Tier tier) const {
    std::vector<ContainerRef> refs;
    for (const model::MilvusService& milvus : in_.observed.milvus) {
      if (milvus.container && model::RowOf(milvus.role).tier == tier) refs.push_back(RefOf(milvus));
    }
    return refs;
  }

  std::vector<ContainerRef> AllContainers() const {
    std::vector<ContainerRef> refs;
    for (model::Tier tier : kDown) {
      for (ContainerRef& ref : ContainersOf(tier)) refs.push_back(std::move(ref));
    }
    return refs;
  }

  // How long SIGTERM is waited for, and whether leases may be revoked: the file's own
  // stop_grace_period, the flag, or the stop table.
  struct StopRule {
    Millis grace{0};
    bool may_revoke = true;
    std::string reason;
  };

  StopRule StopRuleOf(const model::MilvusService& milvus, const model::Version& running) const {
    const auto service = in_.observed.project.services.find(milvus.service);
    const rules::StopRow* row =
        rules::FindStopRow(running, milvus.role, in_.observed.settings.queue);
    const bool may_revoke = row != nullptr && row->may_revoke;
    if (service != in_.observed.project.services.end() && service->second.stop_grace_period) {
      return {*service->second.stop_grace_period, may_revoke,
              "the file's stop_grace_period is honoured in full"};
    }
    if (in_.config.stop_mode == config::StopMode::kFixed) {
      return {in_.config.stop_timeout, may_revoke, "as asked for with --stop-timeout"};
    }
    const std::string what = running.Text() + " " + std::string(model::NameOf(milvus.role));
    if (row != nullptr) {
      return {Millis(row->term_wait_ms), may_revoke,
              fmt::format("measured for {}: waiting longer cannot help ({})", what, row->source)};
    }
    const int seconds =
        milvus.container ? std::max(milvus.container->stop_timeout_seconds, 10) : 10;
    return {std::chrono::seconds(seconds), false,
            fmt::format("{} was not measured: full grace", what)};
  }

  StopRule StopRuleOf(model::Tier tier, const model::Version& running) const {
    StopRule slowest;
    bool may_revoke = true;
    for (const model::MilvusService& milvus : in_.observed.milvus) {
      if (model::RowOf(milvus.role).tier != tier || !milvus.container) continue;
      StopRule rule = StopRuleOf(milvus, running);
      may_revoke = may_revoke && rule.may_revoke;
      if (slowest.reason.empty() || rule.grace > slowest.grace) slowest = std::move(rule);
    }
    slowest.may_revoke = may_revoke;
    return slowest;
  }

  Expectation ContainersDown() const {
    Expectation expectation{Expectation::Kind::kContainersDown, {}, {}};
    for (const ContainerRef& ref : AllContainers()) expectation.subjects.push_back(ref.name);
    return expectation;
  }

  Expectation NoForeignSession() const {
    return {Expectation::Kind::kNoForeignSession,
            {in_.observed.etcd.container_name, in_.observed.settings.SessionPrefix()},
            {}};
  }

  void AddHop(const rules::HopRule& rule, const std::vector<FileChange>& changes) {
    AddBackups(rule);
    if (IsMigration(rule) && in_.config.rehearses) AddRehearsal(rule);
    if (hop_ == 0 && !in_.config.verify_command.empty()) {
      Add("verify/before", StepKind::kVerifyData, "B3",
          "the client's answer before the upgrade, to compare with",
          VerifyData{in_.config.verify_command, true, in_.config.verify_compares_output});
    }
    AddPolicyOff();
    AddStops(rule);
    if (IsMigration(rule)) AddMigration(rule);
    for (const FileChange& change : changes) AddFile(rule, change);
    AddUp(rule);
    AddGates(rule);
  }

  static bool IsMigration(const rules::HopRule& rule) {
    return rule.action == rules::Action::kMetadataMigration;
  }

  // "-2.1.0" where more than one hop leaves backups.
  std::string SuffixOf(const rules::HopRule& rule) const {
    return in_.path.hops.size() > 1 ? "-" + rule.from.Text() : std::string();
  }
  std::string SnapshotFile(const rules::HopRule& rule) const {
    return "backup/etcd" + SuffixOf(rule) + ".snap";
  }

  Migration MigrationOf(const rules::HopRule& rule) const {
    const model::Observed& observed = in_.observed;
    const model::MigrationFacts& facts = observed.migration;
    Migration migration;
    migration.project = observed.project.name;
    migration.etcd_container = observed.etcd.container_name;
    migration.network = facts.network;
    // As the user wrote them where checked: a certificate may name them so.
    migration.endpoints = facts.file.endpoints.empty() ? facts.endpoints : facts.file.endpoints;
    migration.root_path = observed.settings.root_path;
    migration.meta_path = observed.settings.meta_sub_path;
    migration.kv_path = observed.settings.kv_sub_path;
    migration.source_version = rule.from.Text();
    migration.target_version = rule.to.Text();
    migration.migrate_file = facts.file.path;
    migration.migrate_sha256 = facts.file.sha256;
    migration.engine = in_.config.migration_engine == config::MigrationEngine::kBuiltin
                           ? MigrationEngine::kBuiltin
                           : MigrationEngine::kContainer;
    if (migration.engine == MigrationEngine::kContainer) {
      migration.image = in_.config.migration_image;
      if (const model::Image* image = ImageOf(migration.image)) migration.image_id = image->id;
      migration.has_tool_backup = in_.config.backs_up_with_tool || facts.file.runs_with_backup;
    }
    return migration;
  }

  void AddRehearsal(const rules::HopRule& rule) {
    Step& step = Add("meta/rehearse", StepKind::kRehearseMigration, "B8",
                     "the same migration on a copy of the metadata, in an etcd that nobody else "
                     "uses: what it would spoil or refuse shows before anything is stopped",
                     RehearseMigration{MigrationOf(rule), SnapshotFile(rule), "rehearsal.json"});
    step.estimate = kRehearsalCost;
    step.timeout = std::max(in_.config.timeout, kMigrationTimeout);
  }

  // What the rehearsal adds its own time to, for a prediction that was measured.
  void PredictBesides() {
    Millis migration{0};
    for (const Step& step : plan_.steps) {
      if (step.kind == StepKind::kMigrateMetadata) migration = step.estimate;
    }
    for (Step& step : plan_.steps) {
      if (auto* rehearse = std::get_if<RehearseMigration>(&step.args))
        rehearse->outage_besides = plan_.EstimatedOutage() - migration;
    }
  }

  void AddMigration(const rules::HopRule& rule) {
    const std::string file = "backup/metadata" + SuffixOf(rule) + ".bak";
    const Migration migration = MigrationOf(rule);
    Step& backup =
        Add("meta/backup", StepKind::kBackupKeys, "B9",
            "what the migration starts from, with nothing running: read back and compared with "
            "etcd before the first key is touched",
            BackupKeys{migration.etcd_container, in_.observed.settings.MetaPrefix(),
                       migration.root_path, migration.meta_path, file, true});
    backup.estimate = kSnapshotCost;
    backup.expects = {ContainersDown(), NoForeignSession()};
    Step& migrate = Add("meta/migrate", StepKind::kMigrateMetadata, rule.rule, rule.reason,
                        MigrateMetadata{migration, file});
    migrate.on_crash = OnCrash::kRestoreThenRetry;
    migrate.undo = Undo::kInverse;
    migrate.estimate = kMigrationCost;
    migrate.timeout = kMigrationTimeout;
    migrate.expects = {ContainersDown(), NoForeignSession()};
    Step& confirm = Add("meta/confirm", StepKind::kConfirmMigration, "B10",
                        "an exit code is no proof: each collection, index, alias and segment is "
                        "accounted for, and nothing of 2.1 is left",
                        ConfirmMigration{migration, file});
    confirm.estimate = kFileCost;
    confirm.expects = {ContainersDown(), NoForeignSession()};
  }

  void AddBackups(const rules::HopRule& rule) {
    const std::string& etcd = in_.observed.etcd.container_name;
    const std::string suffix = SuffixOf(rule);
    Add("backup/snapshot", StepKind::kSaveSnapshot, "B2",
        "starting a newer Milvus often cannot be undone: etcd is kept on this host first",
        SaveSnapshot{etcd, SnapshotFile(rule)})
        .estimate = kSnapshotCost;
    Add("backup/keys", StepKind::kBackupKeys, "B2",
        "the instance's own keys, in the migration tool's file format, compared with the live keys",
        BackupKeys{etcd, in_.observed.settings.root_path + "/", in_.observed.settings.root_path,
                   in_.observed.settings.meta_sub_path, "backup/keys" + suffix + ".bak"})
        .estimate = kSnapshotCost;
  }

  void AddPolicyOff() {
    SetRestartPolicy policy;
    for (const model::MilvusService& milvus : in_.observed.milvus) {
      if (!milvus.container) continue;
      const std::string& before = milvus.container->restart_policy;
      if (before.empty() || before == "no") continue;
      policy.changes.push_back(
          {RefOf(milvus), before, "no", milvus.container->restart_max_retries});
    }
    if (policy.changes.empty()) return;
    Add("hold/restart-policy", StepKind::kSetRestartPolicy, "B4",
        "a stopped container with a restart policy can come back when the engine restarts; the new "
        "containers get the "
        "file's policy",
        std::move(policy))
        .undo = Undo::kInverse;
  }

  std::string SessionsFile() const {
    return in_.path.hops.size() > 1 ? fmt::format("sessions-{}.json", hop_ + 1) : "sessions.json";
  }

  void AddStops(const rules::HopRule& rule) {
    Add("sessions/record", StepKind::kRecordSessions, "B6",
        "the session keys and leases of the running containers, read just before they stop: only "
        "these may be revoked",
        RecordSessions{in_.observed.etcd.container_name, in_.observed.settings.SessionPrefix(),
                       AllContainers(), SessionsFile()});
    bool may_revoke = true;
    bool is_open = false;
    for (model::Tier tier : kDown) {
      std::vector<ContainerRef> containers = ContainersOf(tier);
      if (containers.empty()) continue;
      const StopRule stop = StopRuleOf(tier, rule.from);
      may_revoke = may_revoke && stop.may_revoke;
      Step& step =
          Add("stop/" + TierName(tier), StepKind::kStopContainers, "B5",
              fmt::format("SIGTERM, SIGKILL after {}; {}", FormatDuration(stop.grace), stop.reason),
              StopContainers{std::move(containers), stop.grace});
      step.undo = Undo::kInverse;
      step.estimate = stop.grace + kStopCost;
      step.timeout = stop.grace + Millis(60'000);
      if (!is_open) step.outage = OutageMark::kOpens;
      is_open = true;
    }
    AddReleaseSessions(rule, may_revoke);
    if (in_.config.backs_up_queue && in_.observed.settings.queue == model::MessageQueue::kRocksmq)
      AddQueueBackup();
  }

  void AddReleaseSessions(const rules::HopRule& rule, bool may_revoke) {
    ReleaseSessions release{in_.observed.etcd.container_name, in_.observed.settings.SessionPrefix(),
                            AllContainers(), SessionsFile(), may_revoke};
    Step& step = Add(
        "sessions/release", StepKind::kReleaseSessions, "B6",
        may_revoke
            ? "a process that is proven dead holds no session: the leases of exactly its own keys "
              "are revoked, any other key is waited for"
            : fmt::format("stale session keys hold up the new version; {} was not measured, so "
                          "leases run out by themselves",
                          rule.from.Text()),
        std::move(release));
    step.estimate = may_revoke ? kRevokeCost : Millis(30'000);
    // The longest lease that a Milvus version uses is 60 s (ground.md 3).
    step.timeout = std::max(in_.config.timeout, Millis(90'000));
    step.expects = {ContainersDown()};
  }

  void AddQueueBackup() {
    for (const model::MilvusService& milvus : in_.observed.milvus) {
      if (milvus.role != model::Role::kStandalone || !milvus.container) continue;
      Step& step =
          Add("backup/queue", StepKind::kBackupQueue, "B2",
              "asked for with --backup-mq; it can only be copied while nothing writes to it",
              BackupQueue{{milvus.service, milvus.container->name, {}},
                          in_.observed.settings.data_dir,
                          "backup/rocksmq.tar"});
      step.estimate = Millis(2000);
      step.expects = {ContainersDown()};
    }
  }

  void AddFile(const rules::HopRule& rule, const FileChange& change) {
    const std::string name = std::filesystem::path(change.path).filename().string();
    Step& step = Add("files/" + name, StepKind::kReplaceFile, rule.rule, Join(change.reasons, "; "),
                     ReplaceFile{change.path, change.sha256_before, change.sha256_after,
                                 change.splices, fmt::format("files/{}-{}", file_count_, name)});
    // Two files of the same name in different folders must stay two steps.
    if (std::count_if(plan_.steps.begin(), plan_.steps.end(),
                      [&](const Step& s) { return s.id == step.id; }) > 1) {
      step.id += fmt::format("#{}", file_count_);
    }
    ++file_count_;
    step.undo = Undo::kInverse;
    step.estimate = kFileCost;
    step.expects = {{Expectation::Kind::kFileHash, {change.path}, change.sha256_before},
                    ContainersDown()};
  }

  void AddUp(const rules::HopRule& rule) {
    bool is_first = true;
    for (model::Tier tier : kUp) {
      UpServices up;
      up.generation = in_.observed.made_by;
      up.selectors = in_.observed.selectors;
      // Said, so that `up` finds the same containers whatever the folder is called.
      up.selectors.project_name = in_.observed.project.name;
      std::vector<Expectation> images;
      for (const model::MilvusService& milvus : in_.observed.milvus) {
        if (model::RowOf(milvus.role).tier != tier || !milvus.container) continue;
        const std::string reference = ReferenceFor(milvus, rule.to);
        up.services.push_back(milvus.service);
        up.images[milvus.service] = reference;
        up.images_before[milvus.service] =
            hop_ == 0 ? milvus.image.Text() : ReferenceFor(milvus, rule.from);
        up.containers[milvus.service] = milvus.container->name;
        const model::Image* image = ImageOf(reference);
        Expectation present{Expectation::Kind::kImagePresent,
                            {reference},
                            image == nullptr ? std::string() : image->id};
        if (std::find(images.begin(), images.end(), present) == images.end())
          images.push_back(std::move(present));
      }
      if (up.services.empty()) continue;
      std::string cause =
          fmt::format("recreates {} with {} and starts it; nothing else of the project is touched",
                      Join(up.services, ", "), rule.to.Text());
      Step& step = Add("up/" + TierName(tier), StepKind::kUpServices, rule.rule, std::move(cause),
                       std::move(up));
      step.undo = Undo::kInverse;
      step.estimate = kUpCost;
      step.timeout = std::max(in_.config.timeout, Millis(120'000));
      if (is_first) step.expects = {ContainersDown(), NoForeignSession()};
      step.expects.insert(step.expects.end(), images.begin(), images.end());
      if (plan_.point_of_no_return.empty() && !rule.is_reversible)
        plan_.point_of_no_return = step.id;
      is_first = false;
    }
  }

  void AddGates(const rules::HopRule& rule) {
    WaitServices services;
    services.health_port = in_.observed.settings.metrics_port;
    services.starts_again = IsMigration(rule) ? 1 : 0;
    WaitStable stable;
    stable.period = in_.config.stable_for;
    std::set<std::string> roles;
    for (const model::MilvusService& milvus : in_.observed.milvus) {
      if (!milvus.container) continue;
      const std::string reference = ReferenceFor(milvus, rule.to);
      const model::Image* image = ImageOf(reference);
      std::vector<model::Mount> mounts = milvus.container->mounts;
      std::sort(mounts.begin(), mounts.end());
      services.services.push_back({milvus.service, milvus.container->name, reference,
                                   image == nullptr ? std::string() : image->id,
                                   std::move(mounts)});
      stable.containers.push_back(milvus.container->name);
      for (model::Role role : model::SessionRolesOf(milvus.role, rule.to.minor)) {
        roles.insert(std::string(model::NameOf(role)));
      }
    }
    Add("wait/services", StepKind::kWaitServices, "G1",
        "running the wanted image, healthy, with the same mounts as before", std::move(services))
        .estimate = kHealthCost;
    Add("wait/sessions", StepKind::kWaitSessions, "G2",
        "/healthz alone is no proof: each role must have registered in etcd with the new version",
        WaitSessions{in_.observed.etcd.container_name,
                     in_.observed.settings.SessionPrefix(),
                     {roles.begin(), roles.end()},
                     SessionVersionOf(rule.to)})
        .estimate = Millis(500);
    const bool is_last = hop_ + 1 == static_cast<int>(in_.path.hops.size());
    if (!in_.config.verify_command.empty() && is_last) {
      Add("verify/after", StepKind::kVerifyData, "B3",
          "the client's answer must be the one from before",
          VerifyData{in_.config.verify_command, false, in_.config.verify_compares_output})
          .estimate = Millis(2000);
    }
    plan_.steps.back().outage = OutageMark::kCloses;
    Step& last = Add("wait/stable", StepKind::kWaitStable, "G3", "no restart while it serves",
                     std::move(stable));
    last.estimate = in_.config.stable_for;
    last.timeout = in_.config.stable_for + in_.config.timeout;
  }

  // "coordinator", or the service's own name where there is only one.
  std::string TierName(model::Tier tier) const {
    if (in_.observed.milvus.size() == 1) return in_.observed.milvus.front().service;
    return std::string(model::NameOf(tier));
  }

  const ComposePlanInput& in_;
  Plan plan_;
  int hop_ = 0;
  int file_count_ = 0;
};

}  // namespace

std::string SessionVersionOf(const model::Version& version) {
  return version < model::Version{2, 2, 0, ""} ? std::string() : version.Text();
}

Plan PlanCompose(const ComposePlanInput& input) { return Builder(input).Build(); }

}  // namespace mu::plan
