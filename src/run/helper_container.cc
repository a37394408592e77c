// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/helper_container.h"

namespace mu::run {
namespace {

constexpr char kProgram[] = "/milvus-upgrade-helper";

}  // namespace

Result<std::unique_ptr<HelperContainer>> HelperContainer::Make(ports::Docker& docker,
                                                               const HelperRequest& request) {
  ports::HelperSpec spec;
  spec.name = "milvus-upgrade-" + request.purpose + "-" + request.project;
  spec.image = request.image;
  spec.network = request.network;
  spec.argv = {kProgram};
  spec.argv.insert(spec.argv.end(), request.arguments.begin(), request.arguments.end());
  spec.labels = {{kHelperLabel, request.project}};
  MU_TRY(const std::string id, docker.CreateHelper(spec));
  // From here on what goes wrong removes it.
  std::unique_ptr<HelperContainer> helper(new HelperContainer(docker, spec.name));
  std::vector<ports::FileInside> files = request.files;
  files.push_back({kProgram, request.program, 0755});
  MU_CHECK(docker.CopyIn(id, files));
  return helper;
}

HelperContainer::~HelperContainer() {
  // One that was started is gone already, unless it did not end when told to.
  if (!is_gone_) (void)docker_.Remove(name_, true);
}

Result<ports::ExecResult> HelperContainer::Run(ports::Docker& docker,
                                               const std::function<void(std::string_view)>& on_line,
                                               const std::function<bool()>& wants_end) {
  auto result = docker.RunHelper(name_, on_line, wants_end);
  is_gone_ = result.has_value();
  return result;
}

Status RemoveLeftHelpers(ports::Docker& docker, const std::string& project) {
  const std::vector<std::string> labels{std::string(kHelperLabel) + "=" + project};
  MU_TRY(const auto ids, docker.List(labels));
  for (const std::string& id : ids) {
    // It may be about to go by itself.
    if (Status removed = docker.Remove(id, true);
        !removed && removed.error().code != ErrorCode::kContainerGone)
      return removed;
  }
  MU_TRY(const auto networks, docker.ListNetworks(labels));
  for (const std::string& network : networks) {
    if (Status removed = docker.RemoveNetwork(network);
        !removed && removed.error().code != ErrorCode::kContainerGone)
      return removed;
  }
  return {};
}

}  // namespace mu::run
