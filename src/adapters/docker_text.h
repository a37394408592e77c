// SPDX-License-Identifier: Apache-2.0
// What the docker client prints, as values: containers, images, its complaints, tar streams. Pure
// functions. Sources: docker client 20.10 and 28.2 against engine 20.10 (recorded in
// tests/data/adapters).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/json_read.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/container.h"
#include "milvus_upgrade/ports/docker.h"

namespace mu::adapters {

model::Container ContainerOfJson(const json::value& inspected);
model::Image ImageOfJson(const json::value& inspected);

// The engine or the way to it is what failed: kDockerDown, kDockerDenied. nullopt: something else.
std::optional<Error> EngineError(std::string_view err);
bool SaysNoSuchContainer(std::string_view err);
// The words of the client without its prefix, on one line.
std::string DockerWords(std::string_view err);

// What a failed `docker VERB NAME...` means: kContainerGone, else kContainerFailed.
Error VerbError(const std::string& verb, const std::vector<std::string>& names,
                std::string_view err);

// Words of a command line of the client's.
std::vector<std::string> With(std::vector<std::string> words, const std::vector<std::string>& more);
std::vector<std::string> LabelWords(const std::map<std::string, std::string>& labels);
// `--env NAME` for each, its value by the client's own environment, out of everybody's sight; but
// NAME=VALUE where the client would obey it itself (PATH, DOCKER_HOST).
std::vector<std::string> EnvironmentWords(const std::map<std::string, std::string>& environment,
                                          std::map<std::string, std::string>& of_client);

// A ustar stream of these files, for `docker cp -`. The same files give the same bytes.
Result<std::string> TarOf(const std::vector<ports::FileInside>& files);

// Bytes that come in parts: up to as many as asked for, "" at the end.
using ReadBytes = std::function<Result<std::string>(std::size_t most)>;
// Finds the first regular file of a tar stream (ustar, pax or GNU, as `docker cp` writes it) and
// gives its bytes to `take`, in parts. Returns its size. Errors: kFileRead when there is none,
// kCommandOutput when the stream is cut or no tar.
Result<std::uint64_t> FirstFileOfTar(const ReadBytes& read,
                                     const std::function<Status(std::string_view)>& take);

}  // namespace mu::adapters
