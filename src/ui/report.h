// SPDX-License-Identifier: Apache-2.0
// The report of a run, made from its plan and journal alone, so that a killed run reports as well
// as a finished one. MakeReport reads the records once; the Render functions only lay them out.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "milvus_upgrade/run/run_store.h"
#include "ui/style.h"
#include "ui/view.h"

namespace mu::ui {

struct Report {
  struct StepLine {
    std::string id;
    std::string title;
    std::string phase;  // "forward", "rollback"
    std::string state;  // "done", "skipped", "failed", "interrupted", "unfinished",
                        // "not started"
    int attempts = 0;
    Millis took{0};
    int children = 0;  // child programs run for it
  };
  // A window without a right answer, as one probe saw it.
  struct Window {
    Millis from{0};  // since that process of the run began to probe
    Millis to{0};
  };
  struct Probe {
    std::string name;          // "healthz", "probe-cmd"
    std::string label;         // "answers of /healthz, not of searches"
    std::string not_measured;  // why, "" when it was
    std::string from;          // "a container on the network milvus"; "": from here
    std::string ended_early;   // why it did not see the rest, "" when it saw all
    std::vector<Window> windows;
    std::string samples;
    std::string failed;
    bool is_still_open = false;  // no right answer up to the end
    bool is_partial = false;     // the run was cut and resumed: what lies between was not seen
    Millis longest{0};
    Millis total{0};
  };
  struct Backup {
    std::string step;
    std::string path;
    std::string sha256;
    std::string bytes;
    std::string keys;
  };

  // One Deployment of a rolling update, as its gate has seen it at the end.
  struct Component {
    std::string name;
    std::string wanted;   // image
    std::string running;  // "" while it is not proven
    std::string image_id;
    std::string pods;
    std::string restarts;
    Millis took{0};             // from its patch on
    std::optional<Millis> gap;  // without a ready pod
  };

  std::string run;
  std::string folder;
  plan::PlanKind kind = plan::PlanKind::kCompose;
  std::string instance;
  std::string engine;
  std::string from;
  std::string to;
  std::string started;  // wall time of the first record
  std::string ended;    // of the last
  Millis took{0};
  std::string outcome;  // StoredRun::EndState
  std::string service;  // one sentence: the state of the service as the journal knows it
  std::optional<int> exit_code;
  std::vector<StepLine> steps;
  std::vector<Probe> probes;
  Millis planned_outage{0};
  std::optional<Millis> outage;    // from outage-opened to outage-closed, by the journal
  bool is_outage_open = false;     // it was opened and never closed
  std::string point_of_no_return;  // step id; "" when the plan has none
  bool is_past_no_return = false;
  std::string past_no_return_at;
  // "rehearsal", "migration", "confirmed", "restored", each with what it found; empty: no
  // migration.
  std::vector<std::pair<std::string, std::string>> migration;
  std::vector<Component> components;
  std::vector<std::string> afterwards;
  std::vector<Backup> backups;
  std::vector<std::string> not_backed_up;
  int children = 0;
  int requests = 0;  // to a Kubernetes API
  std::optional<Error> error;
  std::string next;  // the command to run next, or ""
};

Report MakeReport(const run::StoredRun& run);
View ReportView(const Report& report, const Style& style);  // JSON: {"report": {...}}
std::string ReportMarkdown(const Report& report);

}  // namespace mu::ui
