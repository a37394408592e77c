// SPDX-License-Identifier: Apache-2.0
// Reads the world once into a model::Observed. Only reads: nothing is created, pulled or written.
// What cannot be read of etcd becomes a fact (`EtcdFacts::unreachable`), so that the checks can say
// all at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/ports/compose.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/http.h"

namespace mu::observe {

struct World {
  ports::Docker& docker;
  ports::Compose& compose;
  ports::Etcd& etcd;
  ports::Files& files;
  ports::Http& http;
  std::map<std::string, std::string> environment;  // of our process
  std::string working_directory;
};

// Compose's own rules for which files make the project: -f, COMPOSE_FILE, or the default names in
// this folder and above. The result is explicit (absolute paths, COMPOSE_* resolved), so that it
// means the same from any folder. Errors: kInvalidInput "no compose file", kFileRead.
Result<model::ComposeSelectors> ResolveSelectors(const World& world,
                                                 const model::ComposeSelectors& given);

// The project folder: --project-directory, or that of the first file.
std::string ProjectDirectoryOf(const model::ComposeSelectors& selectors);

// All files that decide the resolved config, with their bytes. Errors: kFileRead, kYamlSyntax,
// kYamlNoServices, kInvalidInput.
Result<edit::ProjectSources> ReadSources(const World& world,
                                         const model::ComposeSelectors& selectors);

struct ComposeView {
  model::Observed observed;
  edit::ProjectSources sources;
};
// Errors: those of the ports; kNoMilvusService, kMixedVersions are left to the checks where facts
// allow it.
Result<ComposeView> ObserveCompose(const World& world, const config::Config& config);

// Docker resolves names on the networks that people make only.
bool HasNames(const std::string& network);
// The first such network of a container; "" when it is on none.
std::string NamedNetworkOf(const model::Container& container);

// Whether this endpoint ("etcd:2379", a URL) names this container by its name, service or address.
bool LeadsTo(const std::string& endpoint, const model::Container& container);

// SHA-256 of the facts that a plan relies on: files, containers (id, image, running), sessions,
// roots, engine.
std::string FingerprintOf(const model::Observed& observed);

// <root>/<meta>/session/* as values; keys that are no sessions ("id", "version") are left out.
// Errors: kEtcdFailed when a value is not the JSON that Milvus writes.
Result<std::vector<model::Session>> ReadSessions(ports::Etcd& etcd, const std::string& container,
                                                 const std::string& session_prefix);

// Where a published port of the engine at `endpoint` can be reached from here: http://host:port, or
// "" where it cannot.
std::string PublishedAddress(const std::string& endpoint, const model::PublishedPort& port);

// Where /healthz and /metrics can be reached from here: http://host:port, or "" with the reason in
// *why_not.
std::string ManagementAddress(const model::Observed& observed, const model::MilvusService& service,
                              std::string* why_not);

// Why a container is not well, for a gate that is stuck: exit code, OOM, the engine's error, the
// probe's output, the last lines of its log. Empty when nothing is wrong with it.
std::string CauseOf(const model::Container& container, ports::Docker& docker);

}  // namespace mu::observe
