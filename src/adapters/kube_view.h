// SPDX-License-Identifier: Apache-2.0
// A view of some kinds by list-and-watch, one connection a kind. Reads what has come when it is
// asked, without a thread of its own. A watch that ended is begun anew at the last version; by a
// list where that is too old, or after anything else went wrong.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "adapters/kube_api.h"

namespace mu::adapters {

class KubeApiView final : public ports::KubeView {
 public:
  KubeApiView(KubeApi& api, const std::set<model::KubeKind>& kinds, std::string selector);
  ~KubeApiView() override;
  KubeApiView(const KubeApiView&) = delete;
  KubeApiView& operator=(const KubeApiView&) = delete;

  Result<const model::KubeObjects*> Now() override;
  // What the API answered to a write of ours: the watch may tell of it later.
  void Learn(model::KubeKind kind, const json::value& object);

 private:
  struct Line {
    model::KubeKind kind;
    std::string version;  // "": to be listed
    std::unique_ptr<HttpConnection> watch;
    std::string rest;  // the beginning of a line
    Millis heard{0};
  };
  Status Follow(Line& line);
  // False: begin anew, by a list when its version is empty.
  Result<bool> TakeEvents(Line& line);
  bool TakeEvent(Line& line, std::string_view text);

  KubeApi& api_;
  std::string selector_;
  std::vector<Line> lines_;
  model::KubeObjects objects_;
};

}  // namespace mu::adapters
