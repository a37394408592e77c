// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::plan {
namespace {

std::string NamesOf(const std::vector<ContainerRef>& containers) {
  std::vector<std::string> names;
  for (const ContainerRef& container : containers) names.push_back(container.name);
  return Join(names, ", ");
}

std::string Text(const PullImage& args) { return args.image; }
std::string Text(const SaveSnapshot& args) {
  return fmt::format("{} -> {}", args.etcd_container, args.file);
}
std::string Text(const BackupKeys& args) {
  return fmt::format("{} of {} -> {}", args.prefix, args.etcd_container, args.file);
}
std::string Text(const VerifyData& args) {
  return fmt::format("{} ({}, {})", ShellLine(args.command),
                     args.is_baseline ? "record" : "compare",
                     args.compares_output ? "exit code and output" : "exit code");
}
std::string Text(const SetRestartPolicy& args) {
  std::vector<std::string> parts;
  for (const auto& change : args.changes)
    parts.push_back(
        fmt::format("{}: {} -> {}", change.container.name, change.before, change.after));
  return Join(parts, ", ");
}
std::string Text(const StopContainers& args) {
  return fmt::format("{}, SIGKILL after {}", NamesOf(args.containers), FormatDuration(args.grace));
}
std::string Text(const ReleaseSessions& args) {
  return fmt::format("{} under {}, {}", NamesOf(args.containers), args.session_prefix,
                     args.may_revoke ? "revoke what is ours" : "wait for the leases");
}
std::string Text(const BackupQueue& args) {
  return fmt::format("{}:{} -> {}", args.container.name, args.folder, args.file);
}
std::string Text(const ReplaceFile& args) {
  std::vector<std::string> parts;
  for (const model::Splice& splice : args.splices)
    parts.push_back(fmt::format("@{} {} -> {}", splice.offset, splice.before, splice.after));
  return fmt::format("{}: {}", args.path, Join(parts, ", "));
}
std::string Text(const UpServices& args) {
  std::vector<std::string> parts;
  for (const std::string& service : args.services) {
    const auto image = args.images.find(service);
    parts.push_back(image == args.images.end() ? service
                                               : fmt::format("{} = {}", service, image->second));
  }
  return Join(parts, ", ");
}
std::string Text(const StartContainers& args) { return NamesOf(args.containers); }
std::string Text(const WaitServices& args) {
  std::vector<std::string> parts;
  for (const auto& wanted : args.services)
    parts.push_back(fmt::format("{} = {}", wanted.service, wanted.image));
  return Join(parts, ", ");
}
std::string Text(const WaitSessions& args) {
  return fmt::format("{} of {} under {}", Join(args.roles, ", "),
                     args.version.empty() ? "any version" : args.version, args.session_prefix);
}
std::string Text(const WaitStable& args) {
  return fmt::format("{} for {}", Join(args.containers, ", "), FormatDuration(args.period));
}
std::string Text(const Migration& migration) {
  return fmt::format(
      "{}/{} of {}, {} -> {}, by {}", migration.root_path, migration.meta_path,
      migration.etcd_container, migration.source_version, migration.target_version,
      migration.engine == MigrationEngine::kBuiltin ? "this program" : migration.image);
}
std::string Text(const RehearseMigration& args) {
  return fmt::format("{} from {} -> {}", Text(args.migration), args.snapshot, args.report);
}
std::string Text(const MigrateMetadata& args) { return Text(args.migration); }
std::string Text(const ConfirmMigration& args) {
  return fmt::format("{}/{} of {} is what {} becomes in {}", args.migration.root_path,
                     args.migration.meta_path, args.migration.etcd_container, args.backup,
                     args.migration.target_version);
}
std::string Text(const RestoreMetadata& args) {
  return fmt::format("{}/{} of {} <- {}", args.migration.root_path, args.migration.meta_path,
                     args.migration.etcd_container, args.backup);
}
std::string Text(const RecordSessions& args) {
  return fmt::format("{} under {} -> {}", NamesOf(args.containers), args.session_prefix, args.file);
}
std::string Text(const ExtractKeys& args) {
  return fmt::format("{}/{} of {} -> {}", args.migration.root_path, args.migration.meta_path,
                     args.snapshot, args.file);
}

// Each has a step of its own that names it.
std::string Deployments(std::size_t count) {
  return count == 1 ? "1 Deployment" : fmt::format("{} Deployments", count);
}

std::string Text(const KeepRelease& args) {
  return fmt::format("{} -> {}", Deployments(args.deployments.size()), args.file);
}
std::string Text(const TryPatches& args) {
  std::string text;
  for (const EditConfigMap& edit : args.config_maps)
    text += fmt::format("{} of {}, ", edit.key, edit.config_map);
  return text + Deployments(args.deployments.size());
}
std::string Text(const EditConfigMap& args) {
  std::vector<std::string> parts;
  for (const model::Splice& splice : args.splices) {
    std::string text;
    for (const std::string& line : Split(splice.after, '\n')) {
      const std::string word(Trim(line));
      if (!word.empty()) text += " " + word;
    }
    parts.push_back(fmt::format("@{}{}", splice.offset, text));
  }
  return fmt::format("{} of {}: {}", args.key, args.config_map, Join(parts, ", "));
}
std::string Text(const PatchDeployment& args) {
  return fmt::format("{}: {} = {}{}", args.deployment, args.container, args.image,
                     args.strategy.empty() ? "" : ", strategy " + args.strategy);
}
std::string Text(const WaitRollout& args) {
  if (args.deployments.size() > 1)
    return fmt::format("{}, old pods gone", Deployments(args.deployments.size()));
  std::string text;
  for (const auto& wanted : args.deployments)
    text += wanted.deployment + (wanted.waits_for_gone ? ", old pods gone" : "");
  return fmt::format("{}; no restart for {}", text, FormatDuration(args.stable_for));
}
std::string Text(const RestoreDeployment& args) {
  return fmt::format("{}, {} <- {}{}", args.deployment,
                     args.is_strategy_only ? "strategy" : "template", args.file,
                     args.strategy.empty() ? "" : ", strategy " + args.strategy);
}

std::string_view MarkOf(OutageMark mark) {
  switch (mark) {
    case OutageMark::kOpens:
      return " [opens the outage]";
    case OutageMark::kCloses:
      return " [closes the outage]";
    default:
      return "";
  }
}

}  // namespace

std::string DescribeArgs(const Step& step) {
  return std::visit([](const auto& args) { return Text(args); }, step.args);
}

std::string PlanText(const Plan& plan) {
  std::string out;
  for (const Hop& hop : plan.hops) {
    out += fmt::format("{} -> {} ({}, {}{})\n", hop.from, hop.to, hop.rule, hop.action,
                       hop.is_reversible ? "" : ", no way back once started");
  }
  for (const Step& step : plan.steps) {
    out += fmt::format("{}  {}  {}{}{}\n", step.id, RowOf(step.kind).name, DescribeArgs(step),
                       MarkOf(step.outage),
                       step.id == plan.point_of_no_return ? " [point of no return]" : "");
  }
  return out;
}

}  // namespace mu::plan
