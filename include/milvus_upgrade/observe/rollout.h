// SPDX-License-Identifier: Apache-2.0
// One Deployment's rollout as the objects of the API show it at one moment: how far it is, and,
// when it gets no further, why. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/model/kube.h"

namespace mu::observe {

struct Rollout {
  const model::Deployment* deployment = nullptr;
  std::vector<const model::Pod*> new_pods;  // of the template as it is now
  std::vector<const model::Pod*> old_pods;  // of others, terminating ones included
  bool is_seen = false;                     // the controller has taken up the newest template

  int Restarts() const;      // of the new pods' containers, all together
  bool HasReadyPod() const;  // one that is not terminating, old or new
};
// Null `deployment` when there is none of that name.
Rollout RolloutOf(const model::KubeObjects& objects, const std::string& deployment);

// "" when the rollout is truly done: the controller's counts agree and each pod of it runs `image`
// in `container` and is ready; else what is missing.
std::string MissingOf(const Rollout& rollout, const std::string& container,
                      const std::string& image, bool waits_for_gone);

// Whether `image` has really run in `container` of the pod: it may have written, then.
bool HasRun(const model::Pod& pod, const std::string& container, const std::string& image);

// Why a rollout gets no further.
struct StuckCause {
  std::string_view id;  // "image-pull"
  std::string text;     // pod, reason, the words of who refused
  std::string pod;      // whose log tells more; "" when none does
  std::string container;
  bool is_previous = false;  // the log of the run before the restart
  Millis patience{0};        // how long it must be so before waiting is given up
  bool is_final = true;      // false: said while waiting, never a reason to give up
};
// The first row of the table that applies, over all pods of the rollout.
std::optional<StuckCause> CauseOf(const Rollout& rollout, std::span<const model::KubeEvent> events);

// For the documentation: every cause that is known.
struct StuckRow {
  std::string_view id;
  std::string_view seen;  // where in the API
  std::string_view fix;
};
std::span<const StuckRow> StuckTable();

}  // namespace mu::observe
