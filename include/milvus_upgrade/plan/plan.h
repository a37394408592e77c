// SPDX-License-Identifier: Apache-2.0
// A Plan is all that apply reads: same input, same bytes. Formats: docs/plan-format.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/finding.h"
#include "milvus_upgrade/plan/step.h"

namespace mu::plan {

inline constexpr int kPlanFormat = 1;

enum class PlanKind : int { kCompose = 1, kRolling = 2, kRollback = 3 };

struct Hop {
  std::string from;
  std::string to;
  std::string rule;    // "R24"
  std::string action;  // "image", "metadata migration"
  std::string reason;
  bool is_reversible = true;  // after the new version has started
  std::string irreversible_reason;
  bool operator==(const Hop&) const = default;
};

// How /healthz is asked where no port of it is reachable from here: by a container of ours.
struct InsideProbe {
  std::string url;      // by the container's name; "" when it is on no network with names
  std::string network;  // of the engine
  std::string image;    // id of one that the stack runs
  bool operator==(const InsideProbe&) const = default;
};

// The cluster of a rolling plan, as it was asked for and found.
struct KubeTarget {
  std::string kubeconfig;  // absolute; "" where kubectl finds its own
  std::string context;
  std::string server;  // another one is another cluster, whatever the context is called
  std::string name_space;
  bool operator==(const KubeTarget&) const = default;
};

struct Plan {
  int format = kPlanFormat;
  std::string tool_version;
  PlanKind kind = PlanKind::kCompose;
  std::string instance;  // compose project; release on Kubernetes
  std::string engine;    // engine id and address, for people
  std::string project_directory;
  model::ComposeSelectors selectors;
  KubeTarget kube;
  std::string from;
  std::string to;
  std::vector<Hop> hops;
  std::string fingerprint;  // of the observed facts
  std::vector<model::Finding> findings;
  std::vector<Step> steps;
  std::string point_of_no_return;  // id of the step in which it can happen; "" when there is none
  std::vector<std::string> not_backed_up;  // "objects in MinIO", ...
  std::vector<std::string> notes;          // what changes for clients, what is taken for granted
  std::vector<std::string> afterwards;     // what is left to do for a person when all is done
  std::string probe_url;                   // /healthz as published to here, "" when it is not
  std::string probe_reason;                // why it is not
  InsideProbe probe_inside;
  std::vector<std::string> probe_command;
  std::string rolls_back;  // run id that a rollback plan belongs to
  bool operator==(const Plan&) const = default;

  Millis EstimatedOutage() const;  // from the step that opens it to the one that closes it
  bool HasSteps() const { return !steps.empty(); }
};

// Canonical JSON (one object, keys in fixed order, two-space indent, final newline); its last key
// is the hash.
std::string FormatPlan(const Plan& plan);
// Errors: kPlanDamaged with the place (not JSON, unknown format, missing or unknown field, hash
// differs, steps that do not fit together). `hash`, where it is given, becomes HashOf the plan.
Result<Plan> ParsePlan(std::string_view text, std::string* hash = nullptr);
// SHA-256 of the canonical JSON without the hash: the same plan has the same one on every machine.
std::string HashOf(const Plan& plan);
// One stable line a hop and a step; golden tests compare it. No colours, no times.
std::string PlanText(const Plan& plan);
// What a step works on, in one line, for people.
std::string DescribeArgs(const Step& step);
// Whether what `earlier` has done need not hold any more once `later` has been entered: a stop is
// over when its services come up, a file's content when it is replaced again.
bool Supersedes(const Step& later, const Step& earlier);
// Whether acting, even in part, makes the expectation untrue: a step that was cut while it brought
// containers up finds its own containers up.
bool Breaks(const Step& step, Expectation::Kind kind);
// The old bytes with the splices applied. Errors: kFileChanged when `before` is not at its place or
// the hash differs.
Result<std::string> ApplySplices(std::string_view old_bytes, const ReplaceFile& replace);
Result<std::string> ApplySplices(std::string_view old_text, const EditConfigMap& edit);
// The same change the other way round, its original under another name.
ReplaceFile Inverse(const ReplaceFile& replace);
EditConfigMap Inverse(const EditConfigMap& edit);

}  // namespace mu::plan
