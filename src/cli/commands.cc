// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <algorithm>

#include "milvus_upgrade/config/keys.h"

namespace mu::cli {
namespace {

constexpr ArgumentRow kPlanFile[] = {{"FILE", true, "a plan saved by plan --out", ""}};
constexpr ArgumentRow kRun[] = {
    {"RUN", false, "id of a run or its beginning; without it the newest", ""}};
constexpr ArgumentRow kFromTo[] = {{"FROM", true, "the version that runs now", ""},
                                   {"TO", true, "the version to upgrade to", ""}};
constexpr ArgumentRow kShell[] = {{"SHELL", true, "the shell to complete for", "bash zsh fish"}};

constexpr Example kComposeExamples[] = {
    {"milvus-upgrade compose --to 2.3.5",
     "plan, show, ask, run; in the folder of the compose file"},
    {"milvus-upgrade compose --to 2.3.5 --dry-run", "show what would be done, write nothing"},
    {"milvus-upgrade compose --to 2.3.5 --yes --output json --verify-cmd './smoke-test 127.0.0.1'",
     "in a CI job: no question, one JSON object, proven by a client"},
};
constexpr Example kRollingExamples[] = {
    {"milvus-upgrade rolling -n default -i my-release -t 2.2.4 -w milvusdb/milvus:v2.2.4",
     "as rollingUpdate.sh: plan, show, ask, roll one component after another"},
    {"milvus-upgrade rolling -i my-release -t 2.2.4 --until wait/querycoord",
     "the coordinators now; resume goes on with the nodes"},
};
constexpr Example kCheckRollingExamples[] = {
    {"milvus-upgrade check rolling -n default -i my-release -t 2.2.4",
     "every finding at once, nothing touched"},
};
constexpr Example kPlanRollingExamples[] = {
    {"milvus-upgrade plan rolling -i my-release -t 2.2.4 --order operator",
     "each step with its reason, in the order of milvus-operator"},
    {"milvus-upgrade plan rolling -i my-release -t 2.2.4 --out upgrade.plan", "save it for apply"},
};
constexpr Example kCheckExamples[] = {
    {"milvus-upgrade check compose --to 2.3.5", "every finding at once, nothing touched"},
    {"milvus-upgrade check compose --to 2.3.5 -f docker-compose.yml -f override.yml",
     "with Compose's own selectors"},
};
constexpr Example kPlanExamples[] = {
    {"milvus-upgrade plan compose --to 2.3.5",
     "each step with its reason, the diff of each file, the predicted outage"},
    {"milvus-upgrade plan compose --to 2.3.5 --out upgrade.plan", "save it for apply"},
    {"milvus-upgrade plan compose --to 2.3.5 --detailed-exitcode",
     "exit 10 when there is something to do"},
};
constexpr Example kApplyExamples[] = {
    {"milvus-upgrade apply upgrade.plan", "run a saved plan, if the stack is still as it was"},
};
constexpr Example kResumeExamples[] = {
    {"milvus-upgrade resume", "go on with the newest run from where its journal stands"},
};
constexpr Example kStatusExamples[] = {
    {"milvus-upgrade status", "where the newest run stands, what runs now, the next command"},
};
constexpr Example kHistoryExamples[] = {
    {"milvus-upgrade history", "all runs of this stack, newest first"},
};
constexpr Example kReportExamples[] = {
    {"milvus-upgrade report", "what happened in the newest run"},
    {"milvus-upgrade report 20261125 --format md > report.md", "as Markdown, for a ticket"},
};
constexpr Example kMigrateExamples[] = {
    {"milvus-upgrade migrate -c migrate.yaml --dry-run",
     "convert and count, write nothing; Milvus may run meanwhile"},
    {"milvus-upgrade migrate -c migrate.yaml", "with Milvus stopped: what cmd.type says"},
    {"milvus-upgrade migrate -c rollback.yaml --new-keys remove",
     "with cmd.type: rollback, after a 2.2 was started"},
};
constexpr Example kRollbackExamples[] = {
    {"milvus-upgrade rollback", "of the newest run, from wherever it stands"},
    {"milvus-upgrade rollback --from-snapshot", "of the newest run, where 2.2 has not started"},
    {"milvus-upgrade rollback --from-snapshot --accept-data-loss",
     "where it has: what was written since is lost"},
};
constexpr ArgumentRow kLockedRun[] = {{"RUN", true, "id of the run that holds the lock", ""}};
constexpr Example kUnlockExamples[] = {
    {"milvus-upgrade unlock 20261125-120000-ab12",
     "where the machine or the folder of that run is gone for good"},
};
constexpr Example kPruneExamples[] = {
    {"milvus-upgrade runs prune --keep 3", "all but the newest three"},
    {"milvus-upgrade runs prune --dry-run", "tell which would go, remove nothing"},
};
constexpr Example kVersionsExamples[] = {
    {"milvus-upgrade versions 2.2.16 2.3.5", "the path, and the rule behind each hop"},
    {"milvus-upgrade versions 2.2.16 2.4.6 --platform cluster --mq kafka",
     "where the rules depend on the kind of install"},
};
constexpr Example kCompletionExamples[] = {
    {"source <(milvus-upgrade completion bash)", "for this shell"},
    {"milvus-upgrade completion fish > ~/.config/fish/completions/milvus-upgrade.fish",
     "for every fish"},
};
constexpr Example kManExamples[] = {
    {"milvus-upgrade man | man -l -", "read it"},
    {"milvus-upgrade man > /usr/local/share/man/man1/milvus-upgrade.1", "install it"},
};

constexpr CommandRow kRows[] = {
    {"compose",
     config::kCompose,
     "upgrade a Milvus that runs under Docker Compose",
     "Plans, shows the plan, asks, runs it and reports. Before anything is stopped, all checks "
     "have "
     "passed, images are pulled, the edit of the compose file is proven and backups are on this "
     "disk. Ctrl-C once ends after the running step, so that resume can go on; twice stops at "
     "once.",
     {},
     kComposeExamples,
     "to",
     false,
     CmdUpgrade},
    {"rolling",
     config::kRolling,
     "upgrade a Milvus that Helm installed on Kubernetes, one component after another",
     "Each Deployment is patched only after the one before is truly done: its pods run the image, "
     "are "
     "ready and stay so, and the old ones are gone. What gets stuck says why within seconds, and "
     "the "
     "rest stays as it is: --on-failure is stop here, where it is not given. The state of the run "
     "is in $XDG_STATE_HOME/milvus-upgrade and in the namespace.",
     {},
     kRollingExamples,
     "release to",
     false,
     CmdUpgrade},
    {"check compose",
     config::kCheck,
     "show every finding about an upgrade, touch nothing",
     "A finding has an id, a cause and a fix; --skip-check takes the id.",
     {},
     kCheckExamples,
     "to",
     true,
     CmdCheck},
    {"check rolling",
     config::kCheckRolling,
     "show every finding about a rolling upgrade, touch nothing",
     "A finding has an id, a cause and a fix; --skip-check takes the id.",
     {},
     kCheckRollingExamples,
     "release to",
     true,
     CmdCheck},
    {"plan compose",
     config::kPlan,
     "show what an upgrade would do and why",
     "The plan holds all that apply needs. It refers to secrets, it does not hold them.",
     {},
     kPlanExamples,
     "to",
     true,
     CmdPlan},
    {"plan rolling",
     config::kPlanRolling,
     "show what a rolling upgrade would do and why",
     "The plan holds all that apply needs. It holds no template of a pod.",
     {},
     kPlanRollingExamples,
     "release to",
     true,
     CmdPlan},
    {"migrate",
     config::kMigrate,
     "migrate the metadata of Milvus 2.1 in etcd, back it up, or roll it back",
     "What cmd.type of migrate.yaml says. Everything is converted and backed up before the first "
     "write; killed at any point, the same command completes it and a rollback restores it.",
     {},
     kMigrateExamples,
     "migrate-file",
     false,
     CmdMigrate},
    {"apply", config::kApply, "run a saved plan",
     "Refused with exit 9 when the stack is no longer what the plan was made from.", kPlanFile,
     kApplyExamples, "", false, CmdApply},
    {"resume", config::kResume, "go on with a run that was interrupted or paused",
     "Steps that are done are looked at and, where they are still so, not done again. A migration "
     "that was cut is put back from its backup and made anew. What someone else has changed "
     "meanwhile is shown, and the run stops.",
     kRun, kResumeExamples, "", false, CmdResume},
    {"rollback", config::kRollback, "go back to what was before a run",
     "Before the new version has started it always ends in the old version with the old metadata, "
     "to the last key. After that, where the old version can read what the new one wrote. The way "
     "back is shown, asked for and journalled like any other, and can itself be resumed. "
     "--from-snapshot is the last resort after a migration from 2.1 to 2.2: the etcd snapshot that "
     "the run made comes to life in a scratch etcd, this instance's keys are read there and "
     "written back by compared transactions. Other instances in the same etcd stay as they are. "
     "With --only, of a release on Kubernetes, the run stays open: resume rolls the component "
     "again, another rollback puts the rest back.",
     kRun, kRollbackExamples, "", false, CmdRollback},
    {"unlock", config::kUnlock, "give up a run that nobody can finish, and its lock",
     "Shows what it found (who holds the lock, whether a process or a migration is at work, what "
     "runs now) and asks. A lock is never taken over by the clock.",
     kLockedRun, kUnlockExamples, "", false, CmdUnlock},
    {"runs prune",
     config::kPrune,
     "remove old runs",
     "Keeps the newest, every run that is not over, and the last one whose backup of the keys is "
     "whole.",
     {},
     kPruneExamples,
     "",
     false,
     CmdRunsPrune},
    {"status", config::kStatus, "tell where a run stands and what to do next",
     "Works with the engine down, from the plan and the journal.", kRun, kStatusExamples, "", true,
     CmdStatus},
    {"history",
     config::kHistory,
     "list all runs of this stack",
     "",
     {},
     kHistoryExamples,
     "",
     true,
     CmdHistory},
    {"report", config::kReport, "tell what happened in a run",
     "Made from the plan and the journal alone, so that a killed run reports as well as a finished "
     "one.",
     kRun, kReportExamples, "", true, CmdReport},
    {"versions", config::kVersions, "show the path between two versions and the rule of each hop",
     "", kFromTo, kVersionsExamples, "", true, CmdVersions},
    {"completion", config::kOther, "print the completion script of a shell", "", kShell,
     kCompletionExamples, "", true, CmdCompletion},
    {"man", config::kOther, "print the man page", "", {}, kManExamples, "", true, CmdMan},
};

}  // namespace

std::span<const CommandRow> CommandTable() { return kRows; }

const CommandRow* FindCommand(std::string_view path) {
  const auto* const it = std::find_if(std::begin(kRows), std::end(kRows),
                                      [&](const CommandRow& row) { return row.path == path; });
  return it == std::end(kRows) ? nullptr : it;
}

bool Invocation::HasFlag(const std::string& name) const { return Flag(name, "false") == "true"; }

std::string Invocation::Flag(const std::string& name, std::string_view otherwise) const {
  const auto it = flags.find(name);
  return it == flags.end() || it->second.empty() ? std::string(otherwise) : it->second.back();
}

std::string Invocation::Argument(std::size_t index) const {
  return index < arguments.size() ? arguments[index] : std::string();
}

}  // namespace mu::cli
