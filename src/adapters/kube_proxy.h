// SPDX-License-Identifier: Apache-2.0
// The way to a Kubernetes API: one `kubectl proxy` on a Unix socket in a folder that only we may
// enter, with the user's own kubeconfig, auth plugins and rights. Started when it is first needed,
// started anew when it has died, ended with us however we end. Usable from several threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/descriptor.h"
#include "adapters/process_runner.h"
#include "milvus_upgrade/ports/clock.h"

namespace mu::adapters {

struct KubeAccess {
  std::string context;     // of the kubeconfig; "": the one in use
  std::string kubeconfig;  // "": as kubectl finds it
  std::string name_space = "default";
  std::string runtime_folder;  // where sockets of this user belong (XDG_RUNTIME_DIR); "": /tmp
};

// kubectl with the flags of this access before `words`.
std::vector<std::string> KubectlWords(const KubeAccess& access,
                                      const std::vector<std::string>& words);

class KubeProxy {
 public:
  KubeProxy(KubeAccess access, ports::Clock& clock) : access_(std::move(access)), clock_(clock) {}
  ~KubeProxy();
  KubeProxy(const KubeProxy&) = delete;
  KubeProxy& operator=(const KubeProxy&) = delete;

  // The socket of a proxy that lives. Errors: kKubectlMissing; kKubeConfig with kubectl's words
  // when it does not stay up; kFileWrite for its folder.
  Result<std::string> Socket();
  const KubeAccess& Access() const { return access_; }

 private:
  Status MakeFolder();
  Status Start();

  KubeAccess access_;
  ports::Clock& clock_;
  std::mutex mutex_;
  std::string folder_;  // "": not made yet
  Descriptor lock_;     // on the folder, while we live
  std::unique_ptr<Companion> kubectl_;
};

}  // namespace mu::adapters
