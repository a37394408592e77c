// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/version_path.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace mu::rules {
namespace {

using model::MessageQueue;
using model::Version;
using Q = PathQuestion;

// The ranges of the rules compare numbers only, as the official pages do: 2.2.0-rc1 belongs to 2.2.
bool Below(const Version& v, int major, int minor, int patch) {
  return std::tie(v.major, v.minor, v.patch) < std::tie(major, minor, patch);
}
bool AtLeast(const Version& v, int major, int minor, int patch) {
  return !Below(v, major, minor, patch);
}
bool IsMinor(const Version& v, int major, int minor) {
  return v.major == major && v.minor == minor;
}
bool IsPreOf(const Version& v, int major, int minor, int patch) {
  return IsMinor(v, major, minor) && v.patch == patch && !v.pre.empty();
}

constexpr LatestPatchRow kLatest[] = {
    {"2.0", "2.0.2", "upgrade page of 2.1"},        {"2.1", "2.1.4", "milvus-io/milvus#37614"},
    {"2.2", "2.2.16", "upgrade pages of 2.2; run"}, {"2.3", "2.3.21", "upgrade pages of 2.3"},
    {"2.4", "2.4.23", "upgrade pages of 2.4"},      {"2.5", "2.5.27", "upgrade pages of 2.5"},
    {"2.6", "2.6.22", "upgrade pages of 2.6"},      {"3.0", "3.0.0", "upgrade pages of 3.0"},
};

// Place of a version's minor in kLatest, -1 when it is not known.
int PlaceOf(const Version& version) {
  const std::string minor = std::to_string(version.major) + "." + std::to_string(version.minor);
  int place = 0;
  for (const LatestPatchRow& row : kLatest) {
    if (row.minor == minor) return place;
    ++place;
  }
  return -1;
}

bool IsRolling(const Q& q) { return q.platform == Platform::kKubernetes; }
bool IsOnKubernetes(const Q& q) { return IsRolling(q) || q.platform == Platform::kKubernetesStop; }

constexpr RuleRow kRules[] = {
    {"R0", "S or T cannot be read: `latest`, a digest, a branch build", Verdict::kNeedInput,
     "a version is never guessed", "give it with --from or --to", "definition", nullptr, "",
     "version-known"},
    {"R1", "T < S", Verdict::kRefuse,
     "Milvus does not support going down: newer versions write what older ones cannot read",
     "keep the version that runs, or go up to a later one", "milvus-io/milvus#28008, #46451",
     [](const Q& q) { return q.to < q.from && !(q.allows_downgrade && q.to.SameMinor(q.from)); },
     "", ""},
    {"R2", "T == S", Verdict::kNoop, "the wanted version is the one that runs", "", "definition",
     [](const Q& q) { return q.to == q.from; }, "", ""},
    {"R25", "S < 2.0.0", Verdict::kRefuse,
     "no official page leads from Milvus 1 to Milvus 2 in place: the storage is another one",
     "install Milvus 2 beside it and copy the data", "no rule of the upgrade pages covers it",
     [](const Q& q) { return q.from.major < 2; }, "", ""},
    {"R26", "the minor of S or T is not known to this build", Verdict::kRefuse,
     "the rules of a minor that this build does not know are not known either",
     "use a newer milvus-upgrade, or correct the version",
     "the list of known minors (latest patches) of this page",
     [](const Q& q) { return PlaceOf(q.from) < 0 || PlaceOf(q.to) < 0; }, "", ""},
    {"R3", "S is any 2.0.0-rc", Verdict::kRefuse,
     "release candidates of 2.0.0 cannot be upgraded to a release",
     "install the target beside it and copy the data",
     "upgrade pages of 2.0 and 2.1, milvus-io/milvus#13558",
     [](const Q& q) { return IsPreOf(q.from, 2, 0, 0); }, "", ""},
    {"R4", "S or T is 2.6.0-rc1", Verdict::kRefuse,
     "2.6.0-rc1 is not compatible with any other version",
     "install the target beside it and copy the data", "milvus-io/milvus#43538",
     [](const Q& q) { return IsPreOf(q.from, 2, 6, 0) || IsPreOf(q.to, 2, 6, 0); }, "", ""},
    {"R27", "S or T is a pre-release of 2.2.0", Verdict::kRefuse,
     "the migration tool takes a pre-release of 2.2.0 for 2.1: it would report success and migrate "
     "nothing",
     "choose a release: 2.2.16", "measured with three builds of the tool",
     [](const Q& q) { return IsPreOf(q.from, 2, 2, 0) || IsPreOf(q.to, 2, 2, 0); }, "", ""},
    {"R5", "S in [2.0.0, 2.1.0) and T >= 2.2.0", Verdict::kHop,
     "from 2.0 the way to 2.2 and up leads through 2.1", "", "upgrade page of 2.1",
     [](const Q& q) { return IsMinor(q.from, 2, 0) && AtLeast(q.to, 2, 2, 0); }, "2.1.4", ""},
    {"R6", "S in [2.1.0, 2.2.0) and T in [2.2.0, 2.3.0)", Verdict::kMigrate,
     "2.2 keeps its metadata in another form: with the image alone it starts, says healthy, and "
     "every search fails",
     "", "upgrade pages of 2.2; measured",
     [](const Q& q) { return IsMinor(q.from, 2, 1) && IsMinor(q.to, 2, 2); }, "", ""},
    {"R7", "S in [2.1.0, 2.2.0) and T >= 2.3.0", Verdict::kMigrateVia,
     "the migration leads to 2.2 only, whatever the pages print as its target; 2.2 must run before "
     "the next hop",
     "", "milvus-io/milvus#37614; measured",
     [](const Q& q) { return IsMinor(q.from, 2, 1) && AtLeast(q.to, 2, 3, 0); }, "2.2.16", ""},
    {"R8", "S in [2.0.0, 2.1.0), T in 2.0 or 2.1", Verdict::kImage,
     "2.0 goes to 2.1 by its image, with a downtime", "", "upgrade page of 2.1",
     [](const Q& q) { return IsMinor(q.from, 2, 0) && Below(q.to, 2, 2, 0); }, "", ""},
    {"R9", "S < 2.5.16 and T >= 2.6.0", Verdict::kHop,
     "2.6 can only be reached from 2.5.16 or later", "", "upgrade pages of 2.6",
     [](const Q& q) { return Below(q.from, 2, 5, 16) && AtLeast(q.to, 2, 6, 0); }, "2.5.27", ""},
    {"R10", "T >= 2.6.0, S in 2.5, a cluster without mixcoord", Verdict::kDecidedElsewhere,
     "2.6 has one coordinator in place of four",
     "enable mixCoordinator on 2.5.16 or later first (Helm, operator)", "upgrade pages of 2.6",
     nullptr, "", "rolling"},
    {"R11", "T >= 2.6.0, S in 2.5, a cluster on Kubernetes", Verdict::kRefuse,
     "2.6 needs a streamingnode that does not exist yet and drops indexnode: changing images "
     "cannot "
     "do that",
     "use chart 5.0 or the operator for this hop", "chart 5.0, milvus-operator#446",
     [](const Q& q) {
       return IsOnKubernetes(q) && IsMinor(q.from, 2, 5) && AtLeast(q.to, 2, 6, 0);
     },
     "", ""},
    {"R12", "a cluster on Compose and T >= 2.6.0", Verdict::kRefuse,
     "no compose file of a 2.6 cluster is published and its roles are other ones",
     "stay on 2.5, or move to Kubernetes, or to standalone", "upgrade page of 3.0",
     [](const Q& q) { return q.platform == Platform::kComposeCluster && AtLeast(q.to, 2, 6, 0); },
     "", ""},
    {"R13", "T >= 3.0.0 and S < 2.6.20", Verdict::kHop,
     "3.0 is reached from 2.6, which was validated from 2.6.20 on", "", "upgrade pages of 3.0",
     [](const Q& q) { return AtLeast(q.to, 3, 0, 0) && Below(q.from, 2, 6, 20); }, "2.6.20", ""},
    {"R14", "T >= 3.0.0, S in 2.6, an indexnode Deployment is present", Verdict::kDecidedElsewhere,
     "such a cluster was not fully moved to the roles of 2.6",
     "get a plan that Milvus's engineers have approved", "Helm upgrade page of 3.0", nullptr, "",
     "rolling"},
    {"R15", "T >= 2.6.0, S <= 2.5, standalone", Verdict::kRequire,
     "2.6 chooses another message queue by default and never changes it after its first start",
     "pin the queue that runs now (MQ_TYPE=rocksmq, or mq.type in milvus.yaml) before the upgrade",
     "upgrade pages of 2.6, milvus-io/milvus#49584",
     [](const Q& q) {
       return q.platform == Platform::kComposeStandalone && AtLeast(q.to, 2, 6, 0) &&
              Below(q.from, 2, 6, 0);
     },
     "", "queue-pin"},
    {"R16", "the message queue in the files is not the one that runs", Verdict::kDecidedElsewhere,
     "what is in the old queue would be lost", "set the queue that runs now",
     "upgrade pages of 2.6 and 3.0, milvus-io/milvus#26002", nullptr, "", "queue-change"},
    {"R17", "S and T are more than one minor apart", Verdict::kWarn,
     "one minor at a time, each at its latest patch, is recommended; straight from 2.2.3 or later "
     "to "
     "2.5 or earlier is officially allowed",
     "go by the latest patch of each minor if you can afford the outages", "milvus-docs#3274",
     [](const Q& q) { return PlaceOf(q.to) - PlaceOf(q.from) > 1; }, "", ""},
    {"R18", "rolling, S < 2.2.3", Verdict::kRefuse,
     "coordinators can stand by for each other from 2.2.3 on only",
     "upgrade with a stop, by Helm, to 2.2.3 or later first", "rollingUpdate.sh",
     [](const Q& q) { return IsRolling(q) && Below(q.from, 2, 2, 3); }, "", ""},
    {"R19", "rolling, the queue is rocksmq", Verdict::kRefuse,
     "rocksmq has one writer: the new pod waits for ever for the lock of the old one",
     "upgrade with a stop (strategy Recreate)", "rollingUpdate.sh, milvus-io/milvus#28867",
     [](const Q& q) { return IsRolling(q) && q.queue == MessageQueue::kRocksmq; }, "", ""},
    {"R20", "rolling, standalone, a ReadWriteOnce volume or strategy Recreate",
     Verdict::kDecidedElsewhere, "one writer, one volume: the old pod must go before the new comes",
     "keep Recreate; there is a downtime", "milvus-helm#79", nullptr, "", "rolling"},
    {"R21", "MinIO older than RELEASE.2023-03-20 is to be changed as well",
     Verdict::kDecidedElsewhere, "newer MinIO cannot open the `fs` layout",
     "nothing: only images of Milvus services are ever changed",
     "upgrade pages of 2.2, milvus-io/milvus#28880", nullptr, "", "never done"},
    {"R22", "the metastore is mysql and T >= 2.3.1", Verdict::kDecidedElsewhere,
     "MySQL as a metastore was removed in 2.3.1",
     "stay below 2.3.1, or copy the data to a new stack", "milvus-helm charts/milvus/README.md",
     nullptr, "", "metastore"},
    {"R23", "rolling, otherwise, S >= 2.2.3 and T <= 2.5", Verdict::kImage,
     "each component's image changes in turn while the others serve", "", "rollingUpdate.sh",
     [](const Q& q) { return IsRolling(q) && Below(q.to, 2, 6, 0); }, "", ""},
    {"R28", "rolling, S >= 2.6.0", Verdict::kImage,
     "each component's image changes in turn while the others serve, the coordinator first", "",
     "milvus-operator, dependency_graph.go",
     [](const Q& q) { return IsRolling(q) && AtLeast(q.from, 2, 6, 0); }, "", ""},
    {"R24", "otherwise", Verdict::kImage, "the image changes, with a certain downtime", "",
     "upgrade pages of 2.2 to 3.0", [](const Q&) { return true; }, "", ""},
};

std::string Sentence(const RuleRow& row) {
  return std::string(row.why) + " (" + std::string(row.source) + ")";
}

void AddOnce(std::vector<std::string>& list, std::string text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

HopRule MakeHop(const Version& from, const Version& to, Action action, const RuleRow& row,
                MessageQueue queue) {
  const Reversibility back = ReversibilityOf(from, to, queue);
  return {from,
          to,
          action,
          std::string(row.id),
          Sentence(row),
          back.is_reversible,
          back.is_reversible ? std::string() : back.reason};
}

// The first deciding row that matches; rows that warn or require on the way go into `path`.
const RuleRow& Decide(const Q& question, VersionPath& path) {
  for (const RuleRow& row : kRules) {
    if (row.matches == nullptr || !row.matches(question)) continue;
    if (row.verdict == Verdict::kWarn) {
      AddOnce(path.warnings, std::string(row.id) + ": " + question.from.Text() + " to " +
                                 question.to.Text() + ": " + Sentence(row));
    } else if (row.verdict == Verdict::kRequire) {
      AddOnce(path.requirements, std::string(row.id) + ": " + std::string(row.action));
    } else {
      return row;
    }
  }
  return *std::rbegin(kRules);  // R24 matches everything
}

}  // namespace

std::span<const RuleRow> RuleTable() { return kRules; }
std::span<const LatestPatchRow> LatestPatchTable() { return kLatest; }

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNeedInput:
      return "ask";
    case Verdict::kRefuse:
      return "refuse";
    case Verdict::kNoop:
      return "nothing to do";
    case Verdict::kHop:
      return "hop";
    case Verdict::kMigrate:
      return "metadata migration";
    case Verdict::kMigrateVia:
      return "metadata migration, then on";
    case Verdict::kImage:
      return "image";
    case Verdict::kRequire:
      return "require";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kDecidedElsewhere:
      return "decided by facts";
  }
  return "";
}

Platform PlatformOf(const model::Observed& observed) {
  const bool is_standalone =
      observed.milvus.size() == 1 && observed.milvus.front().role == model::Role::kStandalone;
  return is_standalone ? Platform::kComposeStandalone : Platform::kComposeCluster;
}

Result<VersionPath> FindPath(const Version& from, const Version& to, Platform platform,
                             MessageQueue queue, bool allows_downgrade) {
  VersionPath path;
  if (to < from && allows_downgrade && to.SameMinor(from))
    path.warnings.push_back("R1: " + from.Text() + " to " + to.Text() +
                            " goes down, as asked for with --allow-downgrade");
  Version at = from;
  do {
    const RuleRow& row = Decide({at, to, platform, queue, allows_downgrade}, path);
    if (path.rule.empty()) path.rule = row.id;
    switch (row.verdict) {
      case Verdict::kNoop:
        return path;
      case Verdict::kImage:
      case Verdict::kMigrate: {
        const auto action =
            row.verdict == Verdict::kImage ? Action::kImage : Action::kMetadataMigration;
        path.hops.push_back(MakeHop(at, to, action, row, queue));
        return path;
      }
      case Verdict::kMigrateVia: {
        MU_TRY(const Version via, model::ParseVersion(row.via));
        path.hops.push_back(MakeHop(at, via, Action::kMetadataMigration, row, queue));
        at = via;
        break;
      }
      case Verdict::kHop: {
        MU_TRY(const Version via, model::ParseVersion(row.via));
        MU_TRY(const VersionPath leg, FindPath(at, via, platform, queue, false));
        for (HopRule hop : leg.hops) {
          if (leg.hops.size() == 1) {
            hop.rule = row.id;
            hop.reason = Sentence(row);
          }
          path.hops.push_back(std::move(hop));
        }
        for (const std::string& text : leg.warnings) AddOnce(path.warnings, text);
        for (const std::string& text : leg.requirements) AddOnce(path.requirements, text);
        at = via;
        break;
      }
      default: {
        std::string message =
            std::string(row.id) + ": " + at.Text() + " to " + to.Text() + " is refused: ";
        std::string hint(row.action);
        if (!path.hops.empty())
          hint += "; the way from " + from.Text() + " to " + at.Text() + " is open (--to " +
                  at.Text() + ")";
        return Fail(ErrorCode::kPathRefused, message + Sentence(row), std::move(hint));
      }
    }
  } while (at != to);
  return path;
}

}  // namespace mu::rules
