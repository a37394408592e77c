// SPDX-License-Identifier: Apache-2.0
// The field lists are the format: their order is the order in the file (docs/plan-format.md).
#include <set>
#include <utility>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan.h"
#include "plan/json_archive.h"

namespace mu::plan {
namespace json {

template <>
struct Names<PlanKind> {
  static constexpr Named<PlanKind> kAll[] = {{PlanKind::kCompose, "compose"},
                                             {PlanKind::kRolling, "rolling"},
                                             {PlanKind::kRollback, "rollback"}};
};
template <>
struct Names<StepKind> {
  inline static const std::span<const StepKindRow> kTable = StepKindTable();
  struct Row {
    StepKind value;
    std::string_view name;
  };
  inline static const std::vector<Row> kAll = [] {
    std::vector<Row> rows;
    for (const StepKindRow& row : kTable) rows.push_back({row.kind, row.name});
    return rows;
  }();
};
template <>
struct Names<OnCrash> {
  static constexpr Named<OnCrash> kAll[] = {{OnCrash::kReobserve, "reobserve"},
                                            {OnCrash::kRestoreThenRetry, "restore-then-retry"},
                                            {OnCrash::kAsk, "ask"}};
};
template <>
struct Names<Undo> {
  static constexpr Named<Undo> kAll[] = {
      {Undo::kNone, "none"}, {Undo::kInverse, "inverse"}, {Undo::kImpossible, "impossible"}};
};
template <>
struct Names<OutageMark> {
  static constexpr Named<OutageMark> kAll[] = {
      {OutageMark::kNone, "none"}, {OutageMark::kOpens, "opens"}, {OutageMark::kCloses, "closes"}};
};
template <>
struct Names<Expectation::Kind> {
  using K = Expectation::Kind;
  static constexpr Named<K> kAll[] = {{K::kFileHash, "file-hash"},
                                      {K::kContainersDown, "containers-down"},
                                      {K::kNoForeignSession, "no-foreign-session"},
                                      {K::kImagePresent, "image-present"}};
};
template <>
struct Names<model::ComposeGeneration> {
  static constexpr Named<model::ComposeGeneration> kAll[] = {{model::ComposeGeneration::kV1, "v1"},
                                                             {model::ComposeGeneration::kV2, "v2"}};
};
template <>
struct Names<MigrationEngine> {
  static constexpr Named<MigrationEngine> kAll[] = {{MigrationEngine::kContainer, "container"},
                                                    {MigrationEngine::kBuiltin, "builtin"}};
};
template <>
struct Names<model::Severity> {
  static constexpr Named<model::Severity> kAll[] = {{model::Severity::kInfo, "info"},
                                                    {model::Severity::kWarning, "warning"},
                                                    {model::Severity::kError, "error"}};
};

template <class A, Is<model::ComposeSelectors> T>
void Fields(A& a, T& v) {
  a("files", v.files);
  a("project_name", v.project_name);
  a("project_directory", v.project_directory);
  a("env_files", v.env_files);
  a("profiles", v.profiles);
}
template <class A, Is<model::Mount> T>
void Fields(A& a, T& v) {
  a("type", v.type);
  a("source", v.source);
  a("target", v.target);
  a("read_only", v.read_only);
}
template <class A, Is<model::Splice> T>
void Fields(A& a, T& v) {
  a("offset", v.offset);
  a("before", v.before);
  a("after", v.after);
}
template <class A, Is<model::Finding> T>
void Fields(A& a, T& v) {
  a("id", v.id);
  a("severity", v.severity);
  a("subject", v.subject);
  a("message", v.message);
  a("cause", v.cause);
  a("fix", v.fix);
  a("is_skipped", v.is_skipped);
}
template <class A, Is<Hop> T>
void Fields(A& a, T& v) {
  a("from", v.from);
  a("to", v.to);
  a("rule", v.rule);
  a("action", v.action);
  a("reason", v.reason);
  a("is_reversible", v.is_reversible);
  a("irreversible_reason", v.irreversible_reason);
}
template <class A, Is<ContainerRef> T>
void Fields(A& a, T& v) {
  a("service", v.service);
  a("name", v.name);
  a("id", v.id);
}
template <class A, Is<Expectation> T>
void Fields(A& a, T& v) {
  a("kind", v.kind);
  a("subjects", v.subjects);
  a("value", v.value);
}

template <class A, Is<PullImage> T>
void Fields(A& a, T& v) {
  a("image", v.image);
}
template <class A, Is<SaveSnapshot> T>
void Fields(A& a, T& v) {
  a("etcd_container", v.etcd_container);
  a("file", v.file);
}
template <class A, Is<BackupKeys> T>
void Fields(A& a, T& v) {
  a("etcd_container", v.etcd_container);
  a("prefix", v.prefix);
  a("root_path", v.root_path);
  a("meta_path", v.meta_path);
  a("file", v.file);
  a("is_at_rest", v.is_at_rest);
}
template <class A, Is<VerifyData> T>
void Fields(A& a, T& v) {
  a("command", v.command);
  a("is_baseline", v.is_baseline);
  a("compares_output", v.compares_output);
}
template <class A, Is<SetRestartPolicy::Change> T>
void Fields(A& a, T& v) {
  a("container", v.container);
  a("before", v.before);
  a("after", v.after);
  a("max_retries", v.max_retries);
}
template <class A, Is<SetRestartPolicy> T>
void Fields(A& a, T& v) {
  a("changes", v.changes);
}
template <class A, Is<StopContainers> T>
void Fields(A& a, T& v) {
  a("containers", v.containers);
  a("grace_ms", v.grace);
}
template <class A, Is<RecordSessions> T>
void Fields(A& a, T& v) {
  a("etcd_container", v.etcd_container);
  a("session_prefix", v.session_prefix);
  a("containers", v.containers);
  a("file", v.file);
}
template <class A, Is<ReleaseSessions> T>
void Fields(A& a, T& v) {
  a("etcd_container", v.etcd_container);
  a("session_prefix", v.session_prefix);
  a("containers", v.containers);
  a("record", v.record);
  a("may_revoke", v.may_revoke);
}
template <class A, Is<BackupQueue> T>
void Fields(A& a, T& v) {
  a("container", v.container);
  a("folder", v.folder);
  a("file", v.file);
}
template <class A, Is<ReplaceFile> T>
void Fields(A& a, T& v) {
  a("path", v.path);
  a("sha256_before", v.sha256_before);
  a("sha256_after", v.sha256_after);
  a("splices", v.splices);
  a("original", v.original);
}
template <class A, Is<UpServices> T>
void Fields(A& a, T& v) {
  a("generation", v.generation);
  a("selectors", v.selectors);
  a("services", v.services);
  a("images", v.images);
  a("images_before", v.images_before);
  a("containers", v.containers);
}
template <class A, Is<StartContainers> T>
void Fields(A& a, T& v) {
  a("containers", v.containers);
}
template <class A, Is<WaitServices::Wanted> T>
void Fields(A& a, T& v) {
  a("service", v.service);
  a("container", v.container);
  a("image", v.image);
  a("image_id", v.image_id);
  a("mounts", v.mounts);
}
template <class A, Is<WaitServices> T>
void Fields(A& a, T& v) {
  a("services", v.services);
  a("health_port", v.health_port);
  a("starts_again", v.starts_again);
}
template <class A, Is<WaitSessions> T>
void Fields(A& a, T& v) {
  a("etcd_container", v.etcd_container);
  a("session_prefix", v.session_prefix);
  a("roles", v.roles);
  a("version", v.version);
}
template <class A, Is<WaitStable> T>
void Fields(A& a, T& v) {
  a("containers", v.containers);
  a("period_ms", v.period);
}
template <class A, Is<Migration> T>
void Fields(A& a, T& v) {
  a("engine", v.engine);
  a("image", v.image);
  a("image_id", v.image_id);
  a("project", v.project);
  a("etcd_container", v.etcd_container);
  a("network", v.network);
  a("endpoints", v.endpoints);
  a("root_path", v.root_path);
  a("meta_path", v.meta_path);
  a("kv_path", v.kv_path);
  a("source_version", v.source_version);
  a("target_version", v.target_version);
  a("migrate_file", v.migrate_file);
  a("migrate_sha256", v.migrate_sha256);
  a("has_tool_backup", v.has_tool_backup);
}
template <class A, Is<RehearseMigration> T>
void Fields(A& a, T& v) {
  a("migration", v.migration);
  a("snapshot", v.snapshot);
  a("report", v.report);
  a("outage_besides", v.outage_besides);
}
template <class A, Is<ExtractKeys> T>
void Fields(A& a, T& v) {
  a("migration", v.migration);
  a("snapshot", v.snapshot);
  a("file", v.file);
}
// Those that work on the live metadata have the same two.
template <class A, class T>
requires Is<T, MigrateMetadata> || Is<T, ConfirmMigration> || Is<T, RestoreMetadata>
void Fields(A& a, T& v) {
  a("migration", v.migration);
  a("backup", v.backup);
}

template <class A, Is<KeepRelease::Kept> T>
void Fields(A& a, T& v) {
  a("deployment", v.deployment);
  a("uid", v.uid);
  a("template_hash", v.template_hash);
  a("strategy_hash", v.strategy_hash);
}
template <class A, Is<KeepRelease> T>
void Fields(A& a, T& v) {
  a("selector", v.selector);
  a("deployments", v.deployments);
  a("file", v.file);
}
template <class A, Is<EditConfigMap> T>
void Fields(A& a, T& v) {
  a("config_map", v.config_map);
  a("uid", v.uid);
  a("key", v.key);
  a("sha256_before", v.sha256_before);
  a("sha256_after", v.sha256_after);
  a("splices", v.splices);
}
template <class A, Is<PatchDeployment> T>
void Fields(A& a, T& v) {
  a("selector", v.selector);
  a("deployment", v.deployment);
  a("uid", v.uid);
  a("container", v.container);
  a("image_before", v.image_before);
  a("image", v.image);
  a("version", v.version);
  a("template_hash", v.template_hash);
  a("strategy", v.strategy);
}
template <class A, Is<TryPatches> T>
void Fields(A& a, T& v) {
  a("config_maps", v.config_maps);
  a("deployments", v.deployments);
}
template <class A, Is<WaitRollout::Wanted> T>
void Fields(A& a, T& v) {
  a("deployment", v.deployment);
  a("uid", v.uid);
  a("container", v.container);
  a("image", v.image);
  a("waits_for_gone", v.waits_for_gone);
}
template <class A, Is<WaitRollout> T>
void Fields(A& a, T& v) {
  a("selector", v.selector);
  a("deployments", v.deployments);
  a("stable_for_ms", v.stable_for);
}
template <class A, Is<RestoreDeployment> T>
void Fields(A& a, T& v) {
  a("selector", v.selector);
  a("deployment", v.deployment);
  a("uid", v.uid);
  a("file", v.file);
  a("is_strategy_only", v.is_strategy_only);
  a("strategy", v.strategy);
}

// The args are those of the kind: one struct a kind, in the order of the kinds' numbers.
void Args(Writer& writer, const Step& step) {
  std::visit([&](const auto& args) { writer("args", args); }, step.args);
}
template <std::size_t... I>
void EmplaceArgs(std::size_t index, StepArgs* args, std::index_sequence<I...>) {
  (void)((I == index && (args->emplace<I>(), true)) || ...);
}
void Args(Reader& reader, Step& step) {
  EmplaceArgs(static_cast<std::size_t>(step.kind) - 1, &step.args,
              std::make_index_sequence<std::variant_size_v<StepArgs>>());
  std::visit([&](auto& args) { reader("args", args); }, step.args);
}

template <class A, Is<Step> T>
void Fields(A& a, T& v) {
  a("id", v.id);
  a("kind", v.kind);
  a("rule", v.rule);
  a("cause", v.cause);
  a("needs", v.needs);
  Args(a, v);
  a("expects", v.expects);
  a("on_crash", v.on_crash);
  a("undo", v.undo);
  a("outage", v.outage);
  a("estimate_ms", v.estimate);
  a("timeout_ms", v.timeout);
  a("hop", v.hop);
}
template <class A, Is<InsideProbe> T>
void Fields(A& a, T& v) {
  a("url", v.url);
  a("network", v.network);
  a("image", v.image);
}
template <class A, Is<KubeTarget> T>
void Fields(A& a, T& v) {
  a("kubeconfig", v.kubeconfig);
  a("context", v.context);
  a("server", v.server);
  a("namespace", v.name_space);
}
template <class A, Is<Plan> T>
void Fields(A& a, T& v) {
  a("format", v.format);
  a("tool_version", v.tool_version);
  a("kind", v.kind);
  a("instance", v.instance);
  a("engine", v.engine);
  a("project_directory", v.project_directory);
  a("selectors", v.selectors);
  a("kube", v.kube);
  a("from", v.from);
  a("to", v.to);
  a("hops", v.hops);
  a("fingerprint", v.fingerprint);
  a("findings", v.findings);
  a("steps", v.steps);
  a("point_of_no_return", v.point_of_no_return);
  a("not_backed_up", v.not_backed_up);
  a("notes", v.notes);
  a("afterwards", v.afterwards);
  a("probe_url", v.probe_url);
  a("probe_reason", v.probe_reason);
  a("probe_inside", v.probe_inside);
  a("probe_command", v.probe_command);
  a("rolls_back", v.rolls_back);
}

}  // namespace json

namespace {

tl::unexpected<Error> Damaged(std::string why) {
  return Fail(ErrorCode::kPlanDamaged, "the plan cannot be used: " + std::move(why));
}

// What the executor takes for granted of the steps.
Status CheckSteps(const Plan& plan) {
  std::set<std::string> ids;
  for (const Step& step : plan.steps) {
    for (const std::string& need : step.needs) {
      if (!ids.contains(need))
        return Damaged(fmt::format("step {} needs {}, which is not before it", step.id, need));
    }
    if (step.id.empty() || !ids.insert(step.id).second)
      return Damaged(fmt::format("two steps have the id \"{}\"", step.id));
    if (step.hop < 0 || (step.hop > 0 && step.hop >= static_cast<int>(plan.hops.size())))
      return Damaged(fmt::format("step {} belongs to a hop that is not there", step.id));
  }
  return {};
}

}  // namespace

std::string HashOf(const Plan& plan) { return Sha256(json::Pretty(json::Writer::ValueOf(plan))); }

std::string FormatPlan(const Plan& plan) {
  boost::json::value value = json::Writer::ValueOf(plan);
  value.get_object()["sha256"] = Sha256(json::Pretty(value));
  return json::Pretty(value);
}

Result<Plan> ParsePlan(std::string_view text, std::string* hash) {
  boost::json::error_code code;
  boost::json::value value = boost::json::parse(text, code);
  if (code) return Damaged("it is not JSON: " + code.message());
  if (!value.is_object()) return Damaged("it is not a JSON object");
  boost::json::object& object = value.get_object();

  const boost::json::value* format = object.if_contains("format");
  if (format == nullptr || !format->is_int64()) return Damaged("format is missing");
  if (format->get_int64() != kPlanFormat) {
    return Damaged(fmt::format("it has format {}, this version reads format {}",
                               format->get_int64(), kPlanFormat));
  }
  const boost::json::value* said = object.if_contains("sha256");
  if (said == nullptr || !said->is_string()) return Damaged("sha256 is missing");
  std::string expected(said->get_string());
  object.erase("sha256");

  Plan plan;
  std::string error;
  json::Reader reader(object, "", &error);
  Fields(reader, plan);
  reader.Close();
  if (!error.empty()) return Damaged(std::move(error));
  if (HashOf(plan) != expected) return Damaged("its sha256 differs: it was changed after planning");
  MU_CHECK(CheckSteps(plan));
  if (hash != nullptr) *hash = std::move(expected);
  return plan;
}

}  // namespace mu::plan
