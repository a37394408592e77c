// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/commands.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::cli {
namespace {

struct VersionsOptions {
  model::Version from;
  model::Version to;
  rules::Platform platform = rules::Platform::kComposeStandalone;
  model::MessageQueue queue = model::MessageQueue::kUnknown;
  bool allows_downgrade = false;
};

constexpr std::pair<std::string_view, rules::Platform> kPlatforms[] = {
    {"standalone", rules::Platform::kComposeStandalone},
    {"cluster", rules::Platform::kComposeCluster},
    {"kubernetes", rules::Platform::kKubernetes}};
constexpr std::pair<std::string_view, model::MessageQueue> kQueues[] = {
    {"unknown", model::MessageQueue::kUnknown}, {"rocksmq", model::MessageQueue::kRocksmq},
    {"pulsar", model::MessageQueue::kPulsar},   {"kafka", model::MessageQueue::kKafka},
    {"natsmq", model::MessageQueue::kNatsmq},   {"woodpecker", model::MessageQueue::kWoodpecker}};

// REQUIRES: `name` is one of the key's choices; the key table has refused others.
template <class T, std::size_t N>
T Named(const std::pair<std::string_view, T> (&table)[N], const std::string& name) {
  for (const auto& [known, value] : table) {
    if (known == name) return value;
  }
  return table[0].second;
}

Result<VersionsOptions> OptionsOf(const Invocation& invocation) {
  VersionsOptions options;
  MU_TRY(options.from, model::ParseVersion(invocation.Argument(0)));
  MU_TRY(options.to, model::ParseVersion(invocation.Argument(1)));
  options.platform = Named(kPlatforms, invocation.Flag("platform", "standalone"));
  options.queue = Named(kQueues, invocation.Flag("mq", "unknown"));
  options.allows_downgrade = invocation.HasFlag("allow-downgrade");
  return options;
}

ui::View PathView(const VersionsOptions& options, const rules::VersionPath& path,
                  const ui::Style& style) {
  constexpr int kColumn = 22;
  ui::View view;
  boost::json::array hops;
  for (const rules::HopRule& hop : path.hops) {
    const std::string_view action =
        hop.action == rules::Action::kMetadataMigration ? "metadata migration" : "image";
    view.text +=
        ui::Entry(style.Bold(fmt::format("{} -> {}", hop.from.Text(), hop.to.Text())),
                  fmt::format("{} ({}): {}", action, hop.rule, hop.reason), kColumn, style);
    if (!hop.is_reversible)
      view.text += ui::Entry("",
                             style.Warn(fmt::format("no way back once {} has started: {}",
                                                    hop.to.Text(), hop.irreversible_reason)),
                             kColumn, style);
    hops.push_back({{"from", hop.from.Text()},
                    {"to", hop.to.Text()},
                    {"rule", hop.rule},
                    {"action", action},
                    {"reason", hop.reason},
                    {"is_reversible", hop.is_reversible},
                    {"irreversible_reason", hop.irreversible_reason}});
  }
  if (path.hops.empty())
    view.text += fmt::format("nothing to do ({}): {} is {}\n", path.rule, options.from.Text(),
                             options.to.Text());
  for (const std::string& text : path.requirements)
    view.text += ui::Entry("required", text, kColumn, style);
  for (const std::string& text : path.warnings)
    view.text += ui::Entry(style.Warn("warning"), text, kColumn, style);
  view.json["from"] = options.from.Text();
  view.json["to"] = options.to.Text();
  view.json["rule"] = path.rule;
  view.json["hops"] = std::move(hops);
  view.json["requirements"] =
      boost::json::array(path.requirements.begin(), path.requirements.end());
  view.json["warnings"] = boost::json::array(path.warnings.begin(), path.warnings.end());
  return view;
}

}  // namespace

int CmdVersions(const Invocation& invocation, ui::Console& console) {
  const auto options = OptionsOf(invocation);
  if (!options) return console.Fail(options.error());
  const auto path = rules::FindPath(options->from, options->to, options->platform, options->queue,
                                    options->allows_downgrade);
  if (!path) return console.Fail(path.error());
  return console.End(ExitCode::kDone, PathView(*options, *path, console.OutStyle()));
}

}  // namespace mu::cli
