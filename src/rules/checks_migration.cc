// SPDX-License-Identifier: Apache-2.0
// Checks of what a migration of metadata from 2.1 to 2.2 needs: its input file, its tool, and the
// metadata itself. What the tool does otherwise than it says is in ground.md 4.
#include <fmt/format.h>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/rules/migration.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::MetadataForm;
using model::MigrateFile;
using model::Version;

bool HasMigration(const CheckInput& in) {
  return in.path != nullptr && MigrationHopOf(*in.path) != nullptr;
}

bool IsByContainer(const CheckInput& in) {
  return in.config.migration_engine == config::MigrationEngine::kContainer;
}

// The file of a hop that migrates, when it can be understood.
const MigrateFile* FileOf(const CheckInput& in) {
  const MigrateFile& file = in.observed.migration.file;
  return HasMigration(in) && !file.path.empty() && file.problem.empty() ? &file : nullptr;
}

// "migrate.yaml:8: config.targetVersion"
std::string PlaceOf(const MigrateFile& file, const std::string& key) {
  const auto line = file.lines.find(key);
  return line == file.lines.end() ? fmt::format("{}: {}", file.path, key)
                                  : fmt::format("{}:{}: {}", file.path, line->second, key);
}

// A root or meta path that differs from the one that the running Milvus has.
void ComparePath(const MigrateFile* file, const std::string& key, const std::string& written,
                 const std::string& running, const std::string& source, Findings& out) {
  if (file == nullptr || written == running) return;
  AddError(
      out, PlaceOf(*file, key),
      fmt::format("it says {}, and the running Milvus has its metadata under {}", written, running),
      "Milvus's own tool would migrate nothing there, or another instance, and report success",
      fmt::format("write {} (read from: {})", running, source));
}

std::string ArchitectureOfMilvus(const CheckInput& in) {
  for (const model::MilvusService& milvus : in.observed.milvus) {
    if (!milvus.container) continue;
    const auto image = in.observed.images.find(milvus.container->image);
    if (image != in.observed.images.end() && image->second) return image->second->architecture;
  }
  return {};
}

bool UsesTool(const CheckInput& in) {
  return HasMigration(in) && (IsByContainer(in) || in.config.backs_up_with_tool);
}

constexpr std::string_view kWithoutTool =
    "or go without Milvus's own tool: --migration-engine builtin";

}  // namespace

void CheckMigrateFile(const CheckInput& in, Findings& out) {
  const MigrateFile& file = in.observed.migration.file;
  if (file.path.empty()) return;
  if (!HasMigration(in)) {
    if (file.is_given)
      AddInfo(out, file.path, "it is not used", "this way needs no migration of metadata", "");
    return;
  }
  if (!file.rival.empty()) {
    AddError(out, file.path, fmt::format("{} is there as well", file.rival),
             "nobody can tell which of the two is meant",
             fmt::format("name the one that counts (-c {}), or remove the other", file.path));
  }
  if (!file.problem.empty()) {
    AddError(out, file.path, file.problem,
             "the migration reads it; what it cannot understand it would take for something else",
             "correct it; or remove it: without it everything is taken from the running stack");
  }
  for (const std::string& warning : file.warnings)
    AddWarning(out, file.path, warning, "what is not used may have been meant", "correct the key");
  for (const std::string& path : file.missing) {
    AddError(out, file.path, fmt::format("{} is not there", path),
             "etcd.ssl names it, and etcd cannot be reached without it",
             "paths are meant from the folder of this file");
  }
}

void CheckMigrateEndpoints(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  if (file == nullptr || file->strangers.empty() || in.observed.etcd.container_id.empty()) return;
  const std::string place = PlaceOf(*file, "etcd.endpoints");
  const std::string message =
      fmt::format("{} {} not lead to {}, the etcd of this stack", Join(file->strangers, ", "),
                  file->strangers.size() == 1 ? "does" : "do", in.observed.etcd.container_name);
  const std::string fix =
      fmt::format("write {}, as it is called on the network {}",
                  Join(in.observed.migration.endpoints, ", "), in.observed.migration.network);
  if (IsByContainer(in)) {
    AddError(out, place, message,
             "Milvus's own tool would retry a dead address for 13 minutes, or migrate another etcd",
             fix);
  } else {
    AddWarning(out, place, message, "the builtin engine goes by the container itself", fix);
  }
}

void CheckMigrateRootPath(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  if (file == nullptr) return;
  ComparePath(file, "etcd.rootPath", file->root_path, in.observed.settings.root_path,
              in.observed.settings.source, out);
}

void CheckMigrateMetaPath(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  if (file == nullptr) return;
  ComparePath(file, "etcd.metaSubPath", file->meta_path, in.observed.settings.meta_sub_path,
              in.observed.settings.source, out);
}

void CheckMigrateSourceVersion(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  const auto running = RunningOf(in);
  if (file == nullptr || !running || file->source == *running) return;
  AddError(out, PlaceOf(*file, "config.sourceVersion"),
           fmt::format("it says {}, and {} runs", file->source.Text(), running->Text()),
           "the file was written for another stack, or before an upgrade",
           fmt::format("write {}; if the file is right, say so with --from {}", running->Text(),
                       file->source.Text()));
}

void CheckMigrateTargetVersion(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  if (file == nullptr || !file->target) return;
  const Version& to = MigrationHopOf(*in.path)->to;
  const std::string place = PlaceOf(*file, "config.targetVersion");
  const std::string fix = fmt::format("write {}", to.Text());
  if (*file->target < Version{2, 2, 0, ""}) {
    AddError(out, place,
             fmt::format("it says {}, for which nothing is migrated", file->target->Text()),
             "Milvus's own tool ends with success and leaves the metadata as it is", fix);
  } else if (!file->target->SameMinor(to)) {
    AddError(out, place,
             fmt::format("it says {}, and the metadata becomes that of 2.2", file->target->Text()),
             "the migration ends at the last 2.2.x; later versions are a change of the image", fix);
  } else if (*file->target != to) {
    AddWarning(
        out, place,
        fmt::format("it says {}, and the upgrade goes to {}", file->target->Text(), to.Text()),
        "the metadata is the same for every 2.2, so this does no harm", fix);
  }
}

void CheckMigrateAuth(const CheckInput& in, Findings& out) {
  if (!HasMigration(in) || !IsByContainer(in)) return;
  const MigrateFile& file = in.observed.migration.file;
  const std::string builtin = "use --migration-engine builtin";
  if (file.has_user || in.observed.etcd.status.is_auth_enabled) {
    AddError(out,
             file.has_user ? PlaceOf(file, "etcd.auth.enabled") : in.observed.etcd.container_name,
             "etcd asks for a user and a password, which Milvus's own tool cannot give",
             "it ignores etcd.auth and then fails", builtin);
  }
  if (in.observed.settings.has_etcd_tls && !file.tls.is_enabled) {
    AddError(
        out, file.path.empty() ? in.observed.etcd.container_name : file.path,
        "Milvus reaches etcd by TLS, and no migrate.yaml names the certificates",
        "Milvus's own tool could not connect",
        fmt::format("write etcd.ssl into a migrate.yaml (docs/migrate-yaml.md), or {}", builtin));
  }
}

void CheckMigrateCommand(const CheckInput& in, Findings& out) {
  const MigrateFile* file = FileOf(in);
  if (file == nullptr || file->command == "run") return;
  AddError(out, PlaceOf(*file, "cmd.type"),
           fmt::format("it says {}, and an upgrade runs the migration", file->command),
           "the file is for another command",
           fmt::format("write run; to {} alone: milvus-upgrade migrate -c {}",
                       file->command == "backup" ? "back up" : "roll back", file->path));
}

void CheckMigrationImage(const CheckInput& in, Findings& out) {
  if (!UsesTool(in)) return;
  const std::string& reference = in.config.migration_image;
  const auto image = in.observed.images.find(reference);
  if (image == in.observed.images.end()) return;
  if (!image->second) {
    const auto gone = in.observed.unavailable_images.find(reference);
    if (gone != in.observed.unavailable_images.end()) {
      AddError(out, reference, gone->second,
               "the image of Milvus's own tool is neither on the engine nor in its registry",
               fmt::format("bring it in (docker load), name another (--migration-image), {}",
                           kWithoutTool));
    } else {
      AddInfo(out, reference, "the image of Milvus's own tool is not on the engine yet",
              "it is pulled first, while the old version serves; if that fails nothing was stopped",
              "");
    }
  } else if (const std::string milvus = ArchitectureOfMilvus(in);
             !milvus.empty() && !image->second->architecture.empty() &&
             milvus != image->second->architecture) {
    AddError(out, reference,
             fmt::format("it is for {}, the Milvus that runs is for {}",
                         image->second->architecture, milvus),
             "it would not start on this machine, or run very slowly",
             fmt::format("pull the right one (docker pull --platform linux/{} {}), {}", milvus,
                         reference, kWithoutTool));
  }
  const auto parsed = model::ParseImageRef(reference);
  if (parsed && (parsed->tag == "v2.2.0" || parsed->tag == "2.2.0")) {
    AddWarning(out, reference, "this build of Milvus's own tool can lose metadata",
               "it panics after its delete when an indexed collection is loaded by partition; the "
               "rehearsal shows whether it does here, and the backup is put back",
               fmt::format("use {}, {}", config::kMigrationImage, kWithoutTool));
  }
}

void CheckMigrationSibling(const CheckInput& in, Findings& out) {
  const std::vector<std::string>& siblings = in.observed.migration.metadata.siblings;
  if (!UsesTool(in) || siblings.empty()) return;
  const std::string prefix = in.observed.settings.MetaPrefix();
  Add(out, IsByContainer(in) ? model::Severity::kError : model::Severity::kWarning,
      Join(siblings, ", "), fmt::format("Milvus's own tool would take these keys for {}", prefix),
      fmt::format("it works on all that begins with {}, without the slash: its backup holds them, "
                  "and its migration removes from them",
                  prefix.substr(0, prefix.size() - 1)),
      "use --migration-engine builtin, with our own backup");
}

void CheckMetadataConversion(const CheckInput& in, Findings& out) {
  if (!HasMigration(in)) return;
  const model::MetadataFacts& metadata = in.observed.migration.metadata;
  const std::string subject = in.observed.settings.MetaPrefix();
  if (!metadata.unread.empty()) {
    AddError(out, subject, fmt::format("the metadata cannot be read: {}", metadata.unread),
             "whether it can be migrated is known only when it is read",
             "see that etcd answers, and run again");
  } else if (!metadata.unconvertible.empty()) {
    AddError(out, subject, metadata.unconvertible,
             "a migration would stop there, or lose what these keys describe; nothing is migrated "
             "unless all is",
             "restore these keys from a backup, or drop what they belong to while 2.1 runs");
  }
}

void CheckMetadataEra(const CheckInput& in, Findings& out) {
  const auto running = RunningOf(in);
  if (!running) return;
  const model::EtcdFacts& etcd = in.observed.etcd;
  const model::MetadataFacts& metadata = in.observed.migration.metadata;
  const std::string subject = in.observed.settings.MetaPrefix();
  const bool is_22 = IsAtLeastMinor(*running, 2, 2);
  const bool is_mixed =
      metadata.form == MetadataForm::kMixed || (etcd.has_meta_2_1 && etcd.has_meta_2_2);
  if (metadata.is_cut) {
    AddError(
        out, subject,
        fmt::format("a migration of this metadata was cut, and {} runs on it", running->Text()),
        "it is half of 2.1 and half of 2.2, and all of it is there",
        "stop Milvus, then end it with the same `milvus-upgrade migrate -c FILE`, or take it "
        "back with cmd.type: rollback; a run of ours that was cut is gone on with by resume");
  } else if (is_22 && is_mixed) {
    AddError(out, subject,
             fmt::format("the metadata is partly still in the form of 2.1 while {} runs on it",
                         running->Text()),
             "the image was changed without the metadata migration, or a migration was cut: what "
             "is still of 2.1 cannot be searched",
             "stop Milvus and restore the keys from a backup of before, with its version; then "
             "upgrade with the migration");
  } else if (is_22 && etcd.has_meta_2_1) {
    AddError(
        out, subject,
        fmt::format("the metadata is in the form of 2.1 while {} runs on it", running->Text()),
        "the image was changed without the metadata migration: such a server says healthy and "
        "counts rows, but its indexes are gone and every search fails",
        "stop Milvus, migrate what is there (`milvus-upgrade migrate -c FILE`, source 2.1), and "
        "start " +
            running->Text() +
            " again; the image of 2.1 alone does not mend it: 2.2 has by now rewritten records "
            "of segments that 2.1 cannot read (measured)");
  } else if (!is_22 && etcd.has_meta_2_2) {
    AddError(out, subject,
             fmt::format("the metadata is in the form of 2.2 while {} runs on it", running->Text()),
             "a 2.2 server or a migration has written it; a second migration would damage it",
             "restore the keys from before the migration, or start 2.2");
  }
}

}  // namespace mu::rules
