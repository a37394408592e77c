// SPDX-License-Identifier: Apache-2.0
#include "cli/probes.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/internal.h"
#include "milvus_upgrade/base/log.h"
#include "milvus_upgrade/base/text.h"

namespace mu::cli {
namespace {

constexpr char kHelperEvent[] = "probe-helper";

run::Record EventOf(std::string name, run::Evidence evidence) {
  run::Record record;
  record.type = run::RecordType::kEvent;
  record.event = std::move(name);
  record.evidence = std::move(evidence);
  return record;
}

}  // namespace

bool Probes::AnswersHere() const {
  if (plan_.probe_url.empty()) return false;
  // Any answer: that it is the right one is for the samples to say.
  return wiring_.Http().Get(plan_.probe_url, kProbeTimeout).has_value();
}

Result<std::string> Probes::StartInside() {
  const plan::InsideProbe& inside = plan_.probe_inside;
  if (inside.url.empty())
    return Fail(ErrorCode::kContainerFailed, "its container is on no network with names");
  MU_TRY(std::string program, wiring_.OwnProgram());
  MU_TRY(helper_,
         run::HelperContainer::Make(
             wiring_.Docker(), {plan_.instance, "probe", inside.network, inside.image,
                                std::move(program), ProbeArguments(inside.url, kProbeInterval)}));
  prober_.Listen(
      "healthz", "a container on the network " + inside.network,
      [this](const run::Answered& answered, const std::function<bool()>& is_over) -> Status {
        const auto on_line = [&](std::string_view line) {
          if (const auto sample = ParseSample(line)) answered(sample->is_right, sample->at);
        };
        MU_TRY(const ports::ExecResult result,
               helper_->Run(wiring_.ProbeDocker(), on_line, is_over));
        return Fail(ErrorCode::kContainerFailed,
                    fmt::format("it ended with exit code {}: {}", result.exit_code,
                                Printable(Tail(Trim(result.err), 1))));
      });
  return helper_->Name();
}

Status Probes::StartHealthz(run::Journal& journal, bool is_down) {
  // A run that goes on measures as it has begun: in the outage nobody answers anywhere.
  const auto& records = journal.Records();
  const bool was_inside =
      std::any_of(records.begin(), records.end(),
                  [](const run::Record& record) { return record.event == kHelperEvent; });
  const bool is_here = !plan_.probe_url.empty() && ((is_down && !was_inside) || AnswersHere());
  if (is_here) {
    prober_.Start("healthz", kProbeInterval, [this] {
      const auto answer = wiring_.Http().Get(plan_.probe_url, kProbeTimeout);
      return answer && answer->status == 200;
    });
    return {};
  }
  const std::string why_not_here =
      plan_.probe_url.empty() ? plan_.probe_reason : plan_.probe_url + " does not answer to here";
  const auto helper = StartInside();
  if (helper) {
    return journal.Append(EventOf(kHelperEvent, {{"container", *helper},
                                                 {"url", plan_.probe_inside.url},
                                                 {"network", plan_.probe_inside.network},
                                                 {"reason", why_not_here}}));
  }
  return journal.Append(EventOf(
      "probe-not-measured",
      {{"probe", "healthz"},
       {"reason", fmt::format("{}; from a container: {}", why_not_here, helper.error().message)}}));
}

Status Probes::Start(run::Journal& journal, bool is_down) {
  if (const Status removed = run::RemoveLeftHelpers(wiring_.Docker(), plan_.instance); !removed)
    LogDebug("helper containers of earlier runs: " + removed.error().message);
  MU_CHECK(StartHealthz(journal, is_down));
  if (!plan_.probe_command.empty()) {
    prober_.Start("probe-cmd", kProbeInterval, [this] {
      ports::Command command;
      command.argv = plan_.probe_command;
      command.timeout = Millis(10'000);
      const auto result = wiring_.ProbeRunner().Run(command);
      return result && result->exit_code == 0;
    });
  }
  return {};
}

Status Probes::End(run::Journal& journal) {
  prober_.Stop();
  helper_.reset();
  for (run::Record& event : prober_.Events()) MU_CHECK(journal.Append(std::move(event)));
  return {};
}

}  // namespace mu::cli
