// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_proxy.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "adapters/http_exchange.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

constexpr char kPrefix[] = "milvus-upgrade-";
constexpr char kSocket[] = "/api";
constexpr Millis kStarts{10'000};  // 42 ms measured (ground.md 5)
constexpr Millis kLook{5};

std::string Words(int error) { return std::strerror(error); }

bool Fits(const std::string& base) {
  return base.size() + sizeof kPrefix + 6 + sizeof kSocket <= sizeof sockaddr_un{}.sun_path;
}

Descriptor OpenFolder(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void RemoveFolder(const std::string& folder) {
  ::unlink((folder + kSocket).c_str());
  ::rmdir(folder.c_str());
}

// What a killed run of ours has left: nobody holds its lock.
void RemoveOrphans(const std::string& base) {
  DIR* folder = ::opendir(base.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string path = base + "/" + entry->d_name;
    if (!std::string_view(entry->d_name).starts_with(kPrefix)) continue;
    const Descriptor one = OpenFolder(path);
    struct stat facts {};
    if (!one.IsOpen() || ::fstat(one.Get(), &facts) != 0 || facts.st_uid != ::getuid()) continue;
    if (::flock(one.Get(), LOCK_EX | LOCK_NB) == 0) RemoveFolder(path);
  }
  ::closedir(folder);
}

}  // namespace

std::vector<std::string> KubectlWords(const KubeAccess& access,
                                      const std::vector<std::string>& words) {
  std::vector<std::string> argv = {"kubectl"};
  if (!access.kubeconfig.empty()) argv.push_back("--kubeconfig=" + access.kubeconfig);
  if (!access.context.empty()) argv.push_back("--context=" + access.context);
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

KubeProxy::~KubeProxy() {
  kubectl_.reset();
  if (!folder_.empty()) RemoveFolder(folder_);
}

Result<std::string> KubeProxy::Socket() {
  const std::lock_guard lock(mutex_);
  if (!kubectl_ || kubectl_->HasEnded()) {
    kubectl_.reset();
    MU_CHECK(MakeFolder());
    MU_CHECK(Start());
  }
  return folder_ + kSocket;
}

Status KubeProxy::MakeFolder() {
  if (!folder_.empty()) return {};
  std::string base = access_.runtime_folder;
  if (base.empty() || !Fits(base) || ::access(base.c_str(), W_OK) != 0) base = "/tmp";
  RemoveOrphans(base);
  std::string path = base + "/" + kPrefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)  // 0700
    return Fail(ErrorCode::kFileWrite, fmt::format("a folder in {}: {}", base, Words(errno)));
  folder_ = path;
  lock_ = OpenFolder(folder_);
  ::flock(lock_.Get(), LOCK_EX | LOCK_NB);
  return {};
}

Status KubeProxy::Start() {
  const std::string socket = folder_ + kSocket;
  ::unlink(socket.c_str());
  ports::Command command;
  command.argv = KubectlWords(access_, {"proxy", "--unix-socket=" + socket});
  auto started = StartCompanion(command);
  if (!started) {
    Error error = std::move(started).error();
    if (error.code == ErrorCode::kCommandNotFound) error.code = ErrorCode::kKubectlMissing;
    return Fail(std::move(error));
  }
  kubectl_ = *std::move(started);
  HttpAddress address;
  address.socket = socket;
  for (const Millis start = clock_.Monotonic(); clock_.Monotonic() - start < kStarts;
       clock_.Sleep(kLook)) {
    const bool has_ended = kubectl_->HasEnded();
    if (!has_ended && HttpConnection(address, std::nullopt).Open(Millis(1'000))) return {};
    if (has_ended) break;
  }
  const std::string words = Printable(Trim(kubectl_->Output()));
  kubectl_.reset();
  return Fail(ErrorCode::kKubeConfig,
              fmt::format("kubectl proxy does not come up: {}",
                          words.empty() ? "it gave no reason" : Tail(words, 5)));
}

}  // namespace mu::adapters
