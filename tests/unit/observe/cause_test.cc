// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "fakes/stage.h"
#include "milvus_upgrade/observe/compose_observer.h"

namespace mu::observe {
namespace {

// The cause that is told of a container which has ended with this log.
std::string CauseWithLog(const std::string& log) {
  fakes::Stage stage(fakes::kStandaloneFile);
  stage.world.AddImage("job", fakes::Program::kOther);
  fakes::ContainerSpec spec;
  spec.name = "milvus";
  spec.image = "job";
  EXPECT_TRUE(stage.world.CreateContainer(spec));
  fakes::FakeContainer* container = stage.world.Find("milvus");
  container->log = log;
  model::Container facts = container->facts;
  facts.status = "exited";
  facts.exit_code = 2;
  facts.started_at = "2026-11-30T12:00:00Z";
  return CauseOf(facts, stage.docker);
}

TEST(ContainerCause, ShowsTheLastLines) {
  EXPECT_EQ(CauseWithLog("a\nb\nc\nd\ne\nf\n"),
            "it ended with exit code 2; last log lines:\nb\nc\nd\ne\nf\n");
  EXPECT_EQ(CauseWithLog("only\n"), "it ended with exit code 2; last log lines:\nonly\n");
  EXPECT_EQ(CauseWithLog(" \n"), "it ended with exit code 2");
}

TEST(ContainerCause, ShowsWhyAGoProgramPanickedAndNotWhereItStood) {
  std::string log = "panic: an older one\n";
  for (int i = 0; i < 20; ++i) log += "[INFO] at work\n";
  log += "panic: etcdserver: mvcc: database space exceeded\n\ngoroutine 7 [running]:\n";
  for (int i = 0; i < 40; ++i) log += "main.frame\n";
  EXPECT_EQ(CauseWithLog(log),
            "it ended with exit code 2; last log lines:\n"
            "panic: etcdserver: mvcc: database space exceeded\n\ngoroutine 7 [running]:\n"
            "main.frame\nmain.frame\n");
}

}  // namespace
}  // namespace mu::observe
