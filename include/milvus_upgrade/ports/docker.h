// SPDX-License-Identifier: Apache-2.0
// Docker: the engine's verbs that we use, by container name or id. The engine may be remote: no
// path, process or address of its host is ours. An interface because scenarios run on a fake engine
// that can be killed at any call.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/container.h"

namespace mu::ports {

struct ExecResult {
  int exit_code = 0;
  std::string out;
  std::string err;
};

// A container for one program of ours. The engine removes it when it ends; it publishes nothing,
// mounts nothing, has no capabilities, keeps no log and asks no name server beyond its network's.
struct HelperSpec {
  std::string name;
  std::string image;  // on the engine; only its files are used, not its entry point
  std::string network;
  std::vector<std::string> argv;  // argv[0]: a path inside
  std::map<std::string, std::string> labels;
};

// A container for one program that is kept until it is removed, so that its exit code outlives this
// program. It publishes nothing, mounts nothing of the engine's host, has next to no capabilities
// and asks no name server beyond its network's; the engine keeps the end of its output (Logs).
struct JobSpec {
  std::string name;
  std::string image;                   // on the engine
  std::string network;                 // of the engine; "none" for none
  std::vector<std::string> argv = {};  // replaces entry point and command; empty: the image's own
  std::map<std::string, std::string> environment = {};
  std::map<std::string, std::string> labels = {};
  std::string volume = {};        // a path inside: an anonymous volume, removed with the container
  std::string volumes_from = {};  // a job whose volume this one sees as well, at the same path
  bool has_init = false;          // an init process of the engine's (docker-init) is process 1
  bool is_gentle = false;  // little weight for CPU and disk: it must not slow what runs beside it
  bool is_root = false;    // user 0, whatever the image says
};

struct FileInside {
  std::string path;  // absolute; its folders are made where they are not there
  std::string bytes;
  int mode = 0600;  // it belongs to root
};

// Errors of all: kDockerMissing, kDockerDown, kDockerDenied, kCommandTimeout, kCommandOutput; and
// those named.
class Docker {
 public:
  virtual ~Docker() = default;
  virtual Result<model::Engine> Info() = 0;
  // Ids of containers, running or not, that have all these labels ("name" or "name=value").
  virtual Result<std::vector<std::string>> List(const std::vector<std::string>& labels) = 0;
  // In the order asked for; nullopt for those that do not exist.
  virtual Result<std::vector<std::optional<model::Container>>> Inspect(
      const std::vector<std::string>& names) = 0;
  virtual Result<std::optional<model::Image>> InspectImage(const std::string& reference) = 0;
  // Errors: kImageMissing with the registry's words.
  virtual Status Pull(const std::string& reference) = 0;
  // Whether a registry has it, without pulling. Errors: kImageMissing with the registry's words.
  virtual Status FindInRegistry(const std::string& reference) = 0;
  // Sends SIGTERM to all, side by side; SIGKILL to each that still runs after `grace`. Returns when
  // all have ended.
  virtual Status Stop(const std::vector<std::string>& names, Millis grace) = 0;
  // Errors: kContainerFailed with the engine's words (port in use, ...).
  virtual Status Start(const std::vector<std::string>& names) = 0;
  // Forced: also one that runs, and with its anonymous volumes.
  virtual Status Remove(const std::string& name, bool is_forced) = 0;
  virtual Status SetRestartPolicy(const std::vector<std::string>& names, const std::string& policy,
                                  int max_retries) = 0;
  // Creates and never starts. Errors: kLocked when the name is taken.
  virtual Result<std::string> Create(const std::string& name, const std::string& image,
                                     const std::map<std::string, std::string>& labels) = 0;
  // Creates and does not start. Errors: kLocked when the name is taken, kImageMissing,
  // kContainerFailed with the engine's words.
  virtual Result<std::string> CreateHelper(const HelperSpec& spec) = 0;
  // Into a container that need not run, over the engine's API. Errors: kContainerGone.
  virtual Status CopyIn(const std::string& name, const std::vector<FileInside>& files) = 0;
  // Starts a helper and stays with it until it has ended and is removed: each line of its stdout
  // as it comes (nothing is kept of it), its stdin open until `wants_end` says true and closed
  // then, or when this program dies; that is how it is told to end. A non-zero exit is a result.
  // Errors: kContainerGone, kContainerFailed when it cannot start, kCommandTimeout when it has not
  // ended 10 s after it was told to.
  virtual Result<ExecResult> RunHelper(const std::string& name,
                                       const std::function<void(std::string_view)>& on_line,
                                       const std::function<bool()>& wants_end) = 0;
  // Creates and does not start. Errors: as CreateHelper; kContainerFailed also when a job of
  // `volumes_from` is not there.
  virtual Result<std::string> CreateJob(const JobSpec& spec) = 0;
  // Starts a job and stays with it until it has ended: each line of its output, both streams, as it
  // comes (nothing is kept of it; lines beyond 64 KiB come in parts). `wants_kill` is asked each
  // 100 ms; from true on it is killed (SIGKILL). Returns its exit code: 137 when it was killed.
  // Errors: kContainerGone, kContainerFailed with the engine's words when it cannot start,
  // kDockerDown when the engine went away or lost its output meanwhile, kCommandTimeout when it
  // could not be killed: it may still run then, and after kInterrupted.
  virtual Result<int> RunJob(const std::string& name,
                             const std::function<void(std::string_view)>& on_line,
                             const std::function<bool()>& wants_kill) = 0;
  // SIGKILL, and waits for the end. One that does not run is a success. Errors: kContainerGone,
  // kContainerFailed.
  virtual Status Kill(const std::string& name) = 0;
  // An internal one: no way out of the engine leads from it. Errors: kLocked when the name is
  // taken, kContainerFailed with the engine's words (no addresses left, ...).
  virtual Status CreateNetwork(const std::string& name,
                               const std::map<std::string, std::string>& labels) = 0;
  // Errors: kContainerGone when it is not there, kContainerFailed when it is in use.
  virtual Status RemoveNetwork(const std::string& name) = 0;
  // Names of the networks that have all these labels ("name" or "name=value").
  virtual Result<std::vector<std::string>> ListNetworks(const std::vector<std::string>& labels) = 0;
  // One file of ours, of any size, into a container that need not run; its mode is kept, and it
  // belongs to root. `path_inside` is that of the file; its folder exists. Errors: kContainerGone,
  // kFileRead (ours), kContainerFailed (its folder, or no room on the engine).
  virtual Status CopyFileIn(const std::string& name, const std::string& file,
                            const std::string& path_inside) = 0;
  // A non-zero exit is a result. Errors: kContainerGone when it is not running.
  virtual Result<ExecResult> Exec(const std::string& name, const std::vector<std::string>& argv,
                                  const std::map<std::string, std::string>& environment,
                                  Millis timeout) = 0;
  // The same, with `input` on the command's stdin, to its last byte.
  virtual Result<ExecResult> ExecWithInput(const std::string& name,
                                           const std::vector<std::string>& argv,
                                           const std::map<std::string, std::string>& environment,
                                           const std::string& input, Millis timeout) = 0;
  // Last lines, stdout and stderr together, printable.
  virtual Result<std::string> Logs(const std::string& name, int lines) = 0;
  // A path inside the container, as a tar stream written to a new file of ours (works on stopped
  // containers too).
  virtual Status CopyOut(const std::string& name, const std::string& path_inside,
                         const std::string& tar_file) = 0;
  // One file inside the container, small (milvus.yaml). Errors: kFileRead when it is not there.
  virtual Result<std::string> ReadFile(const std::string& name, const std::string& path_inside) = 0;
};

}  // namespace mu::ports
