// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_view.h"

#include <utility>

namespace mu::adapters {
namespace {

// Past the time after which the server itself ends a watch (kWatchSeconds): the way is dead.
constexpr Millis kSilence{330'000};

}  // namespace

KubeApiView::KubeApiView(KubeApi& api, const std::set<model::KubeKind>& kinds, std::string selector)
    : api_(api), selector_(std::move(selector)) {
  for (const model::KubeKind kind : kinds) lines_.push_back({kind, "", nullptr, "", Millis(0)});
  const std::lock_guard lock(api_.mutex_);
  api_.views_.push_back(this);
}

KubeApiView::~KubeApiView() {
  const std::lock_guard lock(api_.mutex_);
  std::erase(api_.views_, this);
}

Result<const model::KubeObjects*> KubeApiView::Now() {
  for (Line& line : lines_) MU_CHECK(Follow(line));
  return &objects_;
}

Status KubeApiView::Follow(Line& line) {
  if (line.watch && api_.clock_.Monotonic() - line.heard > kSilence) line.watch.reset();
  // Once more after a watch that ended, and once more by a list; then it is the caller's turn.
  for (int turn = 0; turn < 3; ++turn) {
    if (line.version.empty()) {
      MU_TRY(const KubeApi::Listed listed, api_.ListKind(line.kind, selector_));
      RemoveObjects(line.kind, objects_);
      for (const json::value& object : listed.objects) PutObject(line.kind, object, objects_);
      line.version = listed.version;
    }
    if (!line.watch) {
      line.rest.clear();
      auto begun = api_.Watch(line.kind, selector_, line.version);
      if (!begun) {
        line.version.clear();
        if (begun.error().code == ErrorCode::kKubeGone) continue;
        return Fail(std::move(begun).error());
      }
      line.watch = *std::move(begun);
      line.heard = api_.clock_.Monotonic();
    }
    MU_TRY(const bool goes_on, TakeEvents(line));
    if (goes_on) return {};
    line.watch.reset();
  }
  return Fail(ErrorCode::kKubeDown, "watching " + std::string(RowOf(line.kind).resource) +
                                        ": the API ends each watch at once");
}

Result<bool> KubeApiView::TakeEvents(Line& line) {
  const auto part = line.watch->Take();
  if (!part) return false;  // cut: from the last version on
  if (!part->bytes.empty()) line.heard = api_.clock_.Monotonic();
  line.rest += part->bytes;
  std::size_t start = 0;
  for (auto end = line.rest.find('\n'); end != std::string::npos;
       end = line.rest.find('\n', start)) {
    const bool goes_on = TakeEvent(line, std::string_view(line.rest).substr(start, end - start));
    start = end + 1;
    if (!goes_on) {
      line.version.clear();
      return false;
    }
  }
  line.rest.erase(0, start);
  return !part->is_over;
}

bool KubeApiView::TakeEvent(Line& line, std::string_view text) {
  const auto event = ParseJson(text, "a watch of the Kubernetes API");
  const json::value* object = event ? FindJson(*event, {"object"}) : nullptr;
  if (object == nullptr) return false;
  const std::string type = JsonText(*event, {"type"});
  if (type == "ADDED" || type == "MODIFIED") {
    PutObject(line.kind, *object, objects_);
  } else if (type == "DELETED") {
    RemoveObject(line.kind, JsonText(*object, {"metadata", "name"}), objects_);
  } else if (type != "BOOKMARK") {
    return false;  // ERROR: 410, the version is too old
  }
  line.version = JsonText(*object, {"metadata", "resourceVersion"});
  return true;
}

void KubeApiView::Learn(model::KubeKind kind, const json::value& object) {
  for (const Line& line : lines_) {
    // Before its list there is nothing to correct. What is new comes by the watch, if the selector
    // is for it.
    if (line.kind == kind && !line.version.empty()) ReplaceObject(kind, object, objects_);
  }
}

}  // namespace mu::adapters
