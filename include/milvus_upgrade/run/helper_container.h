// SPDX-License-Identifier: Apache-2.0
// HelperContainer: this very program, run for a while in a container on the stack's network, for
// what cannot be reached from here (a port that is not published, an engine on another host). Needs
// nothing of the engine but an image that is there and can be run. Never carries a label of
// Compose, never outlives the process that made it: the engine removes it when it ends, and it ends
// when its stdin is closed. What is left all the same is found by its label.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/ports/docker.h"

namespace mu::run {

// Containers and networks that a run makes for itself carry it, with the project as value: whatever
// a killed run has left is found by it.
inline constexpr char kHelperLabel[] = "milvus-upgrade.helper";
// Beside it, on the one that migrates the stack's metadata: it must be proven dead before anything
// is restored.
inline constexpr char kMigratorLabel[] = "milvus-upgrade.migrator";

struct HelperRequest {
  std::string project;  // of Compose: part of the name and of the label
  std::string purpose;  // "probe": one helper a purpose and project
  std::string network;
  std::string image;                          // on the engine, of its architecture: its id
  std::string program;                        // the bytes of one static executable
  std::vector<std::string> arguments;         // without argv[0]
  std::vector<ports::FileInside> files = {};  // beside the program
};

class HelperContainer {
 public:
  // Creates it and copies the program in; does not start it. Errors: as Docker::CreateHelper and
  // CopyIn; nothing is left behind then.
  static Result<std::unique_ptr<HelperContainer>> Make(ports::Docker& docker,
                                                       const HelperRequest& request);
  ~HelperContainer();  // removes it
  HelperContainer(const HelperContainer&) = delete;
  HelperContainer& operator=(const HelperContainer&) = delete;

  // As Docker::RunHelper, through another `docker` where the caller's is not for this thread.
  Result<ports::ExecResult> Run(ports::Docker& docker,
                                const std::function<void(std::string_view)>& on_line,
                                const std::function<bool()>& wants_end);
  const std::string& Name() const { return name_; }

 private:
  HelperContainer(ports::Docker& docker, std::string name)
      : docker_(docker), name_(std::move(name)) {}
  ports::Docker& docker_;
  std::string name_;
  bool is_gone_ = false;
};

// Removes the helpers, and the networks made for them, that earlier runs of the project have left.
// REQUIRES: the engine's lock on the project is held, so that none of them is at work.
Status RemoveLeftHelpers(ports::Docker& docker, const std::string& project);

}  // namespace mu::run
