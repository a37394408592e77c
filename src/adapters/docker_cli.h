// SPDX-License-Identifier: Apache-2.0
// Docker through the `docker` client, so that contexts, DOCKER_HOST over ssh or TLS and credential
// helpers are those of the user. Owns nothing. Each call costs a child process (20-150 ms,
// measured): verbs take many names at once, so that the outage pays for few.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/engine_socket.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/runner.h"

namespace mu::adapters {

class DockerCli final : public ports::Docker {
 public:
  explicit DockerCli(ports::Runner& runner) : runner_(runner) {}
  Result<model::Engine> Info() override;
  Result<std::vector<std::string>> List(const std::vector<std::string>& labels) override;
  Result<std::vector<std::optional<model::Container>>> Inspect(
      const std::vector<std::string>& names) override;
  Result<std::optional<model::Image>> InspectImage(const std::string& reference) override;
  Status Pull(const std::string& reference) override;
  // The client asks the registry, not the engine: with a remote engine the answer is that of here.
  Status FindInRegistry(const std::string& reference) override;
  Status Stop(const std::vector<std::string>& names, Millis grace) override;
  Status Start(const std::vector<std::string>& names) override;
  Status Remove(const std::string& name, bool is_forced) override;
  Status SetRestartPolicy(const std::vector<std::string>& names, const std::string& policy,
                          int max_retries) override;
  Result<std::string> Create(const std::string& name, const std::string& image,
                             const std::map<std::string, std::string>& labels) override;
  Result<std::string> CreateHelper(const ports::HelperSpec& spec) override;
  Status CopyIn(const std::string& name, const std::vector<ports::FileInside>& files) override;
  Result<ports::ExecResult> RunHelper(const std::string& name,
                                      const std::function<void(std::string_view)>& on_line,
                                      const std::function<bool()>& wants_end) override;
  Result<std::string> CreateJob(const ports::JobSpec& spec) override;
  // By the client's attached start; what the engine says of the container afterwards is believed,
  // not the client's exit code, which is its own where the way to the engine breaks.
  Result<int> RunJob(const std::string& name, const std::function<void(std::string_view)>& on_line,
                     const std::function<bool()>& wants_kill) override;
  Status Kill(const std::string& name) override;
  Status CreateNetwork(const std::string& name,
                       const std::map<std::string, std::string>& labels) override;
  Status RemoveNetwork(const std::string& name) override;
  Result<std::vector<std::string>> ListNetworks(const std::vector<std::string>& labels) override;
  Status CopyFileIn(const std::string& name, const std::string& file,
                    const std::string& path_inside) override;
  // Values of `environment` are handed over by environment, never in argv.
  Result<ports::ExecResult> Exec(const std::string& name, const std::vector<std::string>& argv,
                                 const std::map<std::string, std::string>& environment,
                                 Millis timeout) override;
  Result<ports::ExecResult> ExecWithInput(const std::string& name,
                                          const std::vector<std::string>& argv,
                                          const std::map<std::string, std::string>& environment,
                                          const std::string& input, Millis timeout) override;
  Result<std::string> Logs(const std::string& name, int lines) override;
  Status CopyOut(const std::string& name, const std::string& path_inside,
                 const std::string& tar_file) override;
  Result<std::string> ReadFile(const std::string& name, const std::string& path_inside) override;

 private:
  // A non-zero exit is a result unless the engine could not be reached.
  Result<ports::CommandResult> Docker(std::vector<std::string> arguments,
                                      Millis timeout = Millis(60'000));
  Result<ports::CommandResult> Docker(ports::Command command);
  // `docker VERB... NAME...`. Errors: kContainerGone, kContainerFailed with the engine's words.
  Status Change(std::vector<std::string> verb, const std::vector<std::string>& names,
                Millis timeout = Millis(120'000));
  // `client` is empty but for an environment of the client's.
  Result<std::string> CreateWith(const std::string& name, const std::vector<std::string>& options,
                                 const std::map<std::string, std::string>& labels,
                                 const std::vector<std::string>& image_and_words,
                                 ports::Command client = {});
  Status SignalThenKill(const std::vector<std::string>& names, Millis grace);

  // By the socket; nothing where it cannot tell.
  std::optional<std::vector<std::optional<model::Container>>> InspectBySocket(
      const std::vector<std::string>& names);
  std::optional<std::optional<model::Image>> ImageBySocket(const std::string& reference);

  ports::Runner& runner_;
  EngineSocket socket_;  // once Info has named the engine
};

}  // namespace mu::adapters
