// SPDX-License-Identifier: Apache-2.0
// FaultyPorts: around any ports, what happens just before or just after one call of a call site. A
// site is a method of a port ("docker.inspect"): a child command, a call to etcd or a file
// operation. Where nothing is set, every call goes through as it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/http.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::fakes {

struct Sites {
  struct Verdict {
    std::optional<Error> error;  // the answer
    bool is_lie = false;         // before: success is said and nothing done, where that can be
  };
  // Told of each call. With an error of `before` the call is not made; an error of `after` is the
  // answer of one that was.
  std::function<Verdict(const std::string& site)> before;
  std::function<std::optional<Error>(const std::string& site)> after;

  template <class Call>
  auto Pass(const char* site, const Call& call) -> decltype(call()) {
    using Answer = decltype(call());
    const Verdict verdict = before ? before(site) : Verdict{};
    if (verdict.error) return Fail(*verdict.error);
    if constexpr (std::is_same_v<Answer, Status>) {
      if (verdict.is_lie) return {};
    }
    Answer answer = call();
    if (const auto error = after ? after(site) : std::nullopt) return Fail(*error);
    return answer;
  }
};

class FaultyDocker final : public ports::Docker {
 public:
  FaultyDocker(ports::Docker& docker, Sites& sites) : docker_(docker), sites_(sites) {}
  Result<model::Engine> Info() override {
    return sites_.Pass("docker.info", [&] { return docker_.Info(); });
  }
  Result<std::vector<std::string>> List(const std::vector<std::string>& labels) override {
    return sites_.Pass("docker.list", [&] { return docker_.List(labels); });
  }
  Result<std::vector<std::optional<model::Container>>> Inspect(
      const std::vector<std::string>& names) override {
    return sites_.Pass("docker.inspect", [&] { return docker_.Inspect(names); });
  }
  Result<std::optional<model::Image>> InspectImage(const std::string& reference) override {
    return sites_.Pass("docker.inspect-image", [&] { return docker_.InspectImage(reference); });
  }
  Status Pull(const std::string& reference) override {
    return sites_.Pass("docker.pull", [&] { return docker_.Pull(reference); });
  }
  Status FindInRegistry(const std::string& reference) override {
    return sites_.Pass("docker.find-in-registry",
                       [&] { return docker_.FindInRegistry(reference); });
  }
  Status Stop(const std::vector<std::string>& names, Millis grace) override {
    return sites_.Pass("docker.stop", [&] { return docker_.Stop(names, grace); });
  }
  Status Start(const std::vector<std::string>& names) override {
    return sites_.Pass("docker.start", [&] { return docker_.Start(names); });
  }
  Status Remove(const std::string& name, bool is_forced) override {
    return sites_.Pass("docker.remove", [&] { return docker_.Remove(name, is_forced); });
  }
  Status SetRestartPolicy(const std::vector<std::string>& names, const std::string& policy,
                          int max_retries) override {
    return sites_.Pass("docker.set-restart-policy",
                       [&] { return docker_.SetRestartPolicy(names, policy, max_retries); });
  }
  Result<std::string> Create(const std::string& name, const std::string& image,
                             const std::map<std::string, std::string>& labels) override {
    return sites_.Pass("docker.create", [&] { return docker_.Create(name, image, labels); });
  }
  Result<std::string> CreateHelper(const ports::HelperSpec& spec) override {
    return sites_.Pass("docker.create-helper", [&] { return docker_.CreateHelper(spec); });
  }
  Status CopyIn(const std::string& name, const std::vector<ports::FileInside>& files) override {
    return sites_.Pass("docker.copy-in", [&] { return docker_.CopyIn(name, files); });
  }
  Result<ports::ExecResult> RunHelper(const std::string& name,
                                      const std::function<void(std::string_view)>& on_line,
                                      const std::function<bool()>& wants_end) override {
    return sites_.Pass("docker.run-helper",
                       [&] { return docker_.RunHelper(name, on_line, wants_end); });
  }
  Result<std::string> CreateJob(const ports::JobSpec& spec) override {
    return sites_.Pass("docker.create-job", [&] { return docker_.CreateJob(spec); });
  }
  Result<int> RunJob(const std::string& name, const std::function<void(std::string_view)>& on_line,
                     const std::function<bool()>& wants_kill) override {
    return sites_.Pass("docker.run-job", [&] { return docker_.RunJob(name, on_line, wants_kill); });
  }
  Status Kill(const std::string& name) override {
    return sites_.Pass("docker.kill", [&] { return docker_.Kill(name); });
  }
  Status CreateNetwork(const std::string& name,
                       const std::map<std::string, std::string>& labels) override {
    return sites_.Pass("docker.create-network",
                       [&] { return docker_.CreateNetwork(name, labels); });
  }
  Status RemoveNetwork(const std::string& name) override {
    return sites_.Pass("docker.remove-network", [&] { return docker_.RemoveNetwork(name); });
  }
  Result<std::vector<std::string>> ListNetworks(const std::vector<std::string>& labels) override {
    return sites_.Pass("docker.list-networks", [&] { return docker_.ListNetworks(labels); });
  }
  Status CopyFileIn(const std::string& name, const std::string& file,
                    const std::string& path_inside) override {
    return sites_.Pass("docker.copy-file-in",
                       [&] { return docker_.CopyFileIn(name, file, path_inside); });
  }
  Result<ports::ExecResult> Exec(const std::string& name, const std::vector<std::string>& argv,
                                 const std::map<std::string, std::string>& environment,
                                 Millis timeout) override {
    return sites_.Pass("docker.exec",
                       [&] { return docker_.Exec(name, argv, environment, timeout); });
  }
  Result<ports::ExecResult> ExecWithInput(const std::string& name,
                                          const std::vector<std::string>& argv,
                                          const std::map<std::string, std::string>& environment,
                                          const std::string& input, Millis timeout) override {
    return sites_.Pass("docker.exec-with-input", [&] {
      return docker_.ExecWithInput(name, argv, environment, input, timeout);
    });
  }
  Result<std::string> Logs(const std::string& name, int lines) override {
    return sites_.Pass("docker.logs", [&] { return docker_.Logs(name, lines); });
  }
  Status CopyOut(const std::string& name, const std::string& path_inside,
                 const std::string& tar_file) override {
    return sites_.Pass("docker.copy-out",
                       [&] { return docker_.CopyOut(name, path_inside, tar_file); });
  }
  Result<std::string> ReadFile(const std::string& name, const std::string& path_inside) override {
    return sites_.Pass("docker.read-file", [&] { return docker_.ReadFile(name, path_inside); });
  }

 private:
  ports::Docker& docker_;
  Sites& sites_;
};

class FaultyCompose final : public ports::Compose {
 public:
  FaultyCompose(ports::Compose& compose, Sites& sites) : compose_(compose), sites_(sites) {}
  Result<std::string> Version(model::ComposeGeneration generation) override {
    return sites_.Pass("compose.version", [&] { return compose_.Version(generation); });
  }
  Result<model::ComposeProject> Config(model::ComposeGeneration generation,
                                       const model::ComposeSelectors& selectors,
                                       ports::ComposeEnvironment environment) override {
    return sites_.Pass("compose.config",
                       [&] { return compose_.Config(generation, selectors, environment); });
  }
  Status Up(model::ComposeGeneration generation, const model::ComposeSelectors& selectors,
            const std::vector<std::string>& services) override {
    return sites_.Pass("compose.up", [&] { return compose_.Up(generation, selectors, services); });
  }

 private:
  ports::Compose& compose_;
  Sites& sites_;
};

class FaultyEtcd final : public ports::Etcd {
 public:
  FaultyEtcd(ports::Etcd& etcd, Sites& sites) : etcd_(etcd), sites_(sites) {}
  Result<model::EtcdStatus> Observe(const std::string& container) override {
    return sites_.Pass("etcd.observe", [&] { return etcd_.Observe(container); });
  }
  Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                    ports::KeysOnly keys_only, std::int64_t revision) override {
    return sites_.Pass("etcd.get-prefix",
                       [&] { return etcd_.GetPrefix(container, prefix, keys_only, revision); });
  }
  Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                               const std::vector<std::int64_t>& leases) override {
    return sites_.Pass("etcd.read-leases", [&] { return etcd_.ReadLeases(container, leases); });
  }
  Status RevokeLeases(const std::string& container,
                      const std::vector<std::int64_t>& leases) override {
    return sites_.Pass("etcd.revoke-leases", [&] { return etcd_.RevokeLeases(container, leases); });
  }
  Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) override {
    return sites_.Pass("etcd.save-snapshot", [&] { return etcd_.SaveSnapshot(container, file); });
  }

 private:
  ports::Etcd& etcd_;
  Sites& sites_;
};

class FaultyEtcdClient final : public ports::EtcdClient {
 public:
  FaultyEtcdClient(std::unique_ptr<ports::EtcdClient> client, Sites& sites)
      : client_(std::move(client)), sites_(sites) {}
  std::string Name() const override { return client_->Name(); }
  bool ComparesRanges() const override { return client_->ComparesRanges(); }
  Result<model::EtcdStatus> Observe() override {
    return sites_.Pass("client.observe", [&] { return client_->Observe(); });
  }
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override {
    return sites_.Pass("client.get-page", [&] { return client_->GetPage(query); });
  }
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override {
    return sites_.Pass("client.commit", [&] { return client_->Commit(transaction); });
  }
  Result<std::int64_t> GrantLease(std::int64_t seconds) override {
    return sites_.Pass("client.grant-lease", [&] { return client_->GrantLease(seconds); });
  }
  Status KeepAlive(std::int64_t lease) override {
    return sites_.Pass("client.keep-alive", [&] { return client_->KeepAlive(lease); });
  }
  Result<model::Lease> ReadLease(std::int64_t lease) override {
    return sites_.Pass("client.read-lease", [&] { return client_->ReadLease(lease); });
  }
  Status RevokeLease(std::int64_t lease) override {
    return sites_.Pass("client.revoke-lease", [&] { return client_->RevokeLease(lease); });
  }
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override {
    return sites_.Pass("client.hash-members", [&] { return client_->HashMembers(revision); });
  }

 private:
  std::unique_ptr<ports::EtcdClient> client_;
  Sites& sites_;
};

class FaultyEtcdClients final : public ports::EtcdClients {
 public:
  FaultyEtcdClients(ports::EtcdClients& clients, Sites& sites) : clients_(clients), sites_(sites) {}
  Result<std::unique_ptr<ports::EtcdClient>> Of(const std::string& container) override {
    auto client = sites_.Pass("client.of", [&] { return clients_.Of(container); });
    if (!client) return Fail(std::move(client).error());
    return std::make_unique<FaultyEtcdClient>(*std::move(client), sites_);
  }

 private:
  ports::EtcdClients& clients_;
  Sites& sites_;
};

class FaultyFiles final : public ports::Files {
 public:
  FaultyFiles(ports::Files& files, Sites& sites) : files_(files), sites_(sites) {}
  Result<std::string> Read(const std::string& path) override {
    return sites_.Pass("files.read", [&] { return files_.Read(path); });
  }
  Status ReadParts(const std::string& path,
                   const std::function<Status(std::string_view)>& take) override {
    return sites_.Pass("files.read-parts", [&] { return files_.ReadParts(path, take); });
  }
  Result<std::optional<ports::FileFacts>> Stat(const std::string& path) override {
    return sites_.Pass("files.stat", [&] { return files_.Stat(path); });
  }
  Result<std::vector<std::string>> List(const std::string& folder) override {
    return sites_.Pass("files.list", [&] { return files_.List(folder); });
  }
  Status Replace(const std::string& path, std::string_view bytes, unsigned mode) override {
    return sites_.Pass("files.replace", [&] { return files_.Replace(path, bytes, mode); });
  }
  Status Create(const std::string& path, std::string_view bytes, unsigned mode) override {
    return sites_.Pass("files.create", [&] { return files_.Create(path, bytes, mode); });
  }
  Result<std::unique_ptr<ports::NewFile>> BeginNew(const std::string& path,
                                                   unsigned mode) override {
    auto file = sites_.Pass("files.begin-new", [&] { return files_.BeginNew(path, mode); });
    if (!file) return Fail(std::move(file).error());
    return std::make_unique<Whole>(*std::move(file), sites_);
  }
  Result<std::string> WhyNotReplaceable(const std::string& path) override {
    return sites_.Pass("files.why-not-replaceable", [&] { return files_.WhyNotReplaceable(path); });
  }
  Status MakeFolders(const std::string& path, unsigned mode) override {
    return sites_.Pass("files.make-folders", [&] { return files_.MakeFolders(path, mode); });
  }
  Result<std::unique_ptr<ports::AppendFile>> OpenAppend(const std::string& path,
                                                        unsigned mode) override {
    auto file = sites_.Pass("files.open-append", [&] { return files_.OpenAppend(path, mode); });
    if (!file) return Fail(std::move(file).error());
    return std::make_unique<Appender>(*std::move(file), sites_);
  }
  Status Truncate(const std::string& path, std::uint64_t bytes) override {
    return sites_.Pass("files.truncate", [&] { return files_.Truncate(path, bytes); });
  }
  Status RemoveTree(const std::string& path) override {
    return sites_.Pass("files.remove-tree", [&] { return files_.RemoveTree(path); });
  }
  Result<std::unique_ptr<ports::FileLock>> Lock(const std::string& path,
                                                std::string_view holder) override {
    return sites_.Pass("files.lock", [&] { return files_.Lock(path, holder); });
  }
  Result<bool> IsLocked(const std::string& path) override {
    return sites_.Pass("files.is-locked", [&] { return files_.IsLocked(path); });
  }
  Result<std::uint64_t> FreeBytes(const std::string& path) override {
    return sites_.Pass("files.free-bytes", [&] { return files_.FreeBytes(path); });
  }
  std::string Absolute(const std::string& path) override { return files_.Absolute(path); }
  Result<std::string> Sha256Of(const std::string& path) override {
    return sites_.Pass("files.sha256", [&] { return files_.Sha256Of(path); });
  }

 private:
  class Appender final : public ports::AppendFile {
   public:
    Appender(std::unique_ptr<ports::AppendFile> file, Sites& sites)
        : file_(std::move(file)), sites_(sites) {}
    Status Append(std::string_view bytes) override {
      return sites_.Pass("files.append", [&] { return file_->Append(bytes); });
    }
    Status Reserve(std::uint64_t bytes) override {
      return sites_.Pass("files.reserve", [&] { return file_->Reserve(bytes); });
    }
    Status Sync() override {
      return sites_.Pass("files.sync", [&] { return file_->Sync(); });
    }

   private:
    std::unique_ptr<ports::AppendFile> file_;
    Sites& sites_;
  };
  class Whole final : public ports::NewFile {
   public:
    Whole(std::unique_ptr<ports::NewFile> file, Sites& sites)
        : file_(std::move(file)), sites_(sites) {}
    Status Append(std::string_view bytes) override {
      return sites_.Pass("files.append-new", [&] { return file_->Append(bytes); });
    }
    Status Commit() override {
      return sites_.Pass("files.commit-new", [&] { return file_->Commit(); });
    }

   private:
    std::unique_ptr<ports::NewFile> file_;
    Sites& sites_;
  };

  ports::Files& files_;
  Sites& sites_;
};

class FaultyHttp final : public ports::Http {
 public:
  FaultyHttp(ports::Http& http, Sites& sites) : http_(http), sites_(sites) {}
  Result<ports::HttpAnswer> Get(const std::string& url, Millis timeout) override {
    return sites_.Pass("http.get", [&] { return http_.Get(url, timeout); });
  }

 private:
  ports::Http& http_;
  Sites& sites_;
};

class FaultyRunner final : public ports::Runner {
 public:
  FaultyRunner(ports::Runner& runner, Sites& sites) : runner_(runner), sites_(sites) {}
  Result<ports::CommandResult> Run(const ports::Command& command) override {
    return sites_.Pass("runner.run", [&] { return runner_.Run(command); });
  }

 private:
  ports::Runner& runner_;
  Sites& sites_;
};

}  // namespace mu::fakes
