// SPDX-License-Identifier: Apache-2.0
#include "cli/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::cli {
namespace {

// The version that runs now: --from, else what the running processes say of themselves, else the
// tags.
Result<model::Version> RunningVersion(const config::Config& config,
                                      const model::Observed& observed) {
  if (!config.from.empty()) return model::ParseVersion(config.from);
  std::map<std::string, std::vector<std::string>> by_version;
  std::optional<model::Version> version;
  for (const model::MilvusService& milvus : observed.milvus) {
    // The tag is exact where it is one; a session's version can be a constant of the source
    // (milvus.md 9).
    const auto& found = milvus.tag_version ? milvus.tag_version : milvus.session_version;
    if (!found) continue;
    by_version[found->Text()].push_back(milvus.service);
    version = *found;
  }
  if (!version) {
    std::vector<std::string> images;
    for (const model::MilvusService& milvus : observed.milvus) {
      images.push_back(milvus.service + " (" +
                       (milvus.container ? milvus.container->image : milvus.image.Text()) + ")");
    }
    return Fail(ErrorCode::kVersionUnknown,
                fmt::format("the running version cannot be read from {}", Join(images, ", ")),
                "name it with --from, for example --from 2.2.16");
  }
  if (by_version.size() > 1) {
    std::vector<std::string> parts;
    for (const auto& [text, services] : by_version)
      parts.push_back(text + ": " + Join(services, ", "));
    return Fail(ErrorCode::kMixedVersions,
                fmt::format("the Milvus services run different versions: {}", Join(parts, "; ")),
                "bring them to one version first, or, if an upgrade of ours was cut short, run "
                "`milvus-upgrade resume`");
  }
  return *version;
}

edit::SourceFile* FindSource(edit::ProjectSources* sources, const std::string& path) {
  for (auto* list : {&sources->compose, &sources->reachable, &sources->env}) {
    for (edit::SourceFile& file : *list) {
      if (file.path == path) return &file;
    }
  }
  return nullptr;
}

// The edits of one hop, applied to `sources`. Errors: kEditRefused, kEditProof, kYamlSyntax.
Result<std::vector<plan::FileChange>> EditHop(const observe::World& world,
                                              const model::Observed& observed,
                                              const rules::HopRule& hop,
                                              edit::ProjectSources* sources) {
  std::map<std::string, model::ImageRef> wanted;
  for (const model::MilvusService& milvus : observed.milvus) {
    // Also one without a container (a finding of its own): its next start must not be an old
    // version on new metadata.
    wanted[milvus.service] = milvus.image.WithTag(model::TagForVersion(milvus.image.tag, hop.to));
  }
  MU_TRY(const std::vector<edit::FileEdit> edits, edit::EditImages(*sources, wanted));
  const edit::ProjectSources before = *sources;
  std::vector<plan::FileChange> changes;
  for (const edit::FileEdit& file_edit : edits) {
    edit::SourceFile* file = FindSource(sources, file_edit.path);
    if (file == nullptr)
      return Fail(ErrorCode::kInternal, "an edit of a file that was not read: " + file_edit.path);
    MU_TRY(std::string after, edit::Apply(file->bytes, file_edit.splices));
    changes.push_back(
        {file->path, Sha256(file->bytes), Sha256(after), file_edit.splices, file_edit.reasons});
    file->bytes = std::move(after);
  }
  MU_CHECK(ProveEdit(world, observed, before, *sources, wanted));
  return changes;
}

struct ProbeAddresses {
  std::string url;
  std::string why_not;
  plan::InsideProbe inside;
};

// The proxy is what a client sees; its /healthz speaks for all roles.
ProbeAddresses ProbeOf(const model::Observed& observed) {
  ProbeAddresses probe;
  probe.why_not = "no proxy or standalone service";
  for (const model::MilvusService& milvus : observed.milvus) {
    if (milvus.role != model::Role::kProxy && milvus.role != model::Role::kStandalone) continue;
    const std::string address = observe::ManagementAddress(observed, milvus, &probe.why_not);
    if (probe.url.empty() && !address.empty()) probe.url = address + "/healthz";
    if (!milvus.container || !probe.inside.url.empty()) continue;
    const std::string network = observe::NamedNetworkOf(*milvus.container);
    if (network.empty()) continue;
    // etcd's image is small and not replaced by the upgrade; any other would do.
    probe.inside = {
        fmt::format("http://{}:{}/healthz", milvus.container->name, observed.settings.metrics_port),
        network, milvus.container->image_id};
    for (const model::Container& other : observed.other_containers) {
      if (other.id == observed.etcd.container_id) probe.inside.image = other.image_id;
    }
  }
  if (!probe.url.empty()) probe.why_not.clear();
  return probe;
}

}  // namespace

model::Finding FindingOf(const Error& error, std::string id, std::string subject) {
  return {std::move(id),
          model::Severity::kError,
          std::move(subject),
          error.message,
          std::string(RowOf(error.code).cause),
          std::string(error.Hint()),
          false};
}

Result<Prepared> Prepare(const observe::World& world, const config::Config& config) {
  Prepared prepared;
  MU_TRY(const model::Version to, model::ParseVersion(config.to));
  prepared.to = to.Text();
  MU_TRY(prepared.view, observe::ObserveCompose(world, config));
  const model::Observed& observed = prepared.view.observed;
  prepared.plan.instance = observed.project.name;
  MU_TRY(const model::Version from, RunningVersion(config, observed));
  prepared.from = from.Text();

  auto path =
      rules::FindPath(from, to, rules::PlatformOf(observed), observed.settings.queue, false);
  // The edit comes first: which files must be replaceable is known only then.
  std::vector<std::vector<plan::FileChange>> changes;
  std::vector<std::string> edited_files;
  std::optional<Error> edit_error;
  edit::ProjectSources sources = prepared.view.sources;
  for (std::size_t i = 0; path && i < path->hops.size(); ++i) {
    auto edited = EditHop(world, observed, path->hops[i], &sources);
    if (!edited) {
      edit_error = edited.error();
      break;
    }
    for (const plan::FileChange& change : *edited) edited_files.push_back(change.path);
    changes.push_back(std::move(*edited));
  }
  MU_TRY(prepared.findings,
         rules::RunChecks({config, observed, path ? &*path : nullptr, &edited_files}));
  if (!path) {
    prepared.refusal = path.error();
    prepared.findings.push_back(
        FindingOf(path.error(), "version-path", from.Text() + " to " + to.Text()));
    return prepared;
  }
  if (edit_error) {
    prepared.findings.push_back(FindingOf(*edit_error, "edit", observed.project_directory));
  }
  const plan::ComposePlanInput plan_input = [&] {
    ProbeAddresses probe = ProbeOf(observed);
    return plan::ComposePlanInput{config,
                                  observed,
                                  *path,
                                  changes,
                                  prepared.findings,
                                  observe::FingerprintOf(observed),
                                  std::move(probe.url),
                                  std::move(probe.why_not),
                                  std::move(probe.inside)};
  }();
  prepared.plan = plan::PlanCompose(plan_input);
  if (path->hops.empty()) {
    prepared.plan.from = from.Text();
    prepared.plan.to = to.Text();
  }
  for (const auto* list : {&sources.compose, &sources.reachable, &sources.env}) {
    for (const edit::SourceFile& file : *list) {
      const edit::SourceFile* old = FindSource(&prepared.view.sources, file.path);
      if (old != nullptr && old->bytes != file.bytes) {
        prepared.diffs.push_back(edit::UnifiedDiff(file.path, old->bytes, file.bytes));
      }
    }
  }
  return prepared;
}

}  // namespace mu::cli
