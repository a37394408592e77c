// SPDX-License-Identifier: Apache-2.0
#include "observe/settings.h"

#include <gtest/gtest.h>

namespace mu::observe {
namespace {

using model::MessageQueue;

model::MilvusSettings Of(const std::map<std::string, std::string>& environment,
                         const std::string& yaml, bool is_standalone = true) {
  auto settings = SettingsOf(environment, {{"milvus.yaml", yaml}}, is_standalone);
  EXPECT_TRUE(settings) << settings.error().Text();
  return settings.value_or(model::MilvusSettings{});
}

TEST(Settings, HaveMilvusOwnDefaults) {
  const auto settings = Of({}, "");
  EXPECT_EQ(settings.MetaPrefix(), "by-dev/meta/");
  EXPECT_EQ(settings.metrics_port, 9091);
  EXPECT_EQ(settings.queue, MessageQueue::kRocksmq);
  EXPECT_FALSE(settings.is_queue_pinned);
}

TEST(Settings, TakeTheEnvironmentOverTheFile) {
  const auto settings = Of({{"ETCD_ROOT_PATH", "from-env"}, {"ETCD_ENDPOINTS", "a:2379, b:2379"}},
                           "etcd:\n  rootPath: from-file\n");
  EXPECT_EQ(settings.root_path, "from-env");
  EXPECT_EQ(settings.etcd_endpoints, (std::vector<std::string>{"a:2379", "b:2379"}));
  EXPECT_EQ(settings.source, "environment (etcd.rootPath)");
}

TEST(Settings, ReadEndpointsAsAListOrAsText) {
  EXPECT_EQ(Of({}, "etcd:\n  endpoints:\n    - a:2379\n    - b:2379\n").etcd_endpoints.size(), 2u);
  EXPECT_EQ(Of({}, "etcd:\n  endpoints: a:2379,b:2379\n").etcd_endpoints.size(), 2u);
}

TEST(Settings, CleanThePathsAsMilvusDoes) {
  EXPECT_EQ(Of({{"ETCD_ROOTPATH", "by-dev/"}}, "").MetaPrefix(), "by-dev/meta/");
  EXPECT_EQ(Of({{"ETCD_ROOTPATH", "/by-dev//x/"}}, "").MetaPrefix(), "/by-dev/x/meta/");
  EXPECT_EQ(Of({}, "etcd: {metaSubPath: ./m/}").MetaPrefix(), "by-dev/m/");
}

TEST(Settings, LetUserYamlWin) {
  const auto settings = SettingsOf(
      {}, {{"milvus.yaml", "etcd: {rootPath: one}"}, {"user.yaml", "etcd: {rootPath: two}"}}, true);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->root_path, "two");
}

TEST(Settings, KnowThePinOfTheQueue) {
  EXPECT_TRUE(Of({{"MQ_TYPE", "rocksmq"}}, "").is_queue_pinned);
  const auto kafka = Of({}, "mq: {type: kafka}\nkafka: {brokerList: k:9092}\n", false);
  EXPECT_EQ(kafka.queue, MessageQueue::kKafka);
  EXPECT_TRUE(kafka.is_queue_pinned);
  const auto by_default = Of({}, "mq: {type: default}\nkafka: {brokerList: k:9092}\n", false);
  EXPECT_EQ(by_default.queue, MessageQueue::kKafka);
  EXPECT_FALSE(by_default.is_queue_pinned);
  EXPECT_EQ(Of({}, "pulsar: {address: p}\nkafka: {brokerList: k}\n", false).queue,
            MessageQueue::kPulsar);
}

TEST(Settings, NameFileAndLineOfBrokenYaml) {
  const auto settings =
      SettingsOf({}, {{"milvus:/milvus/configs/milvus.yaml", "etcd:\n  rootPath: [\n"}}, true);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kYamlSyntax);
  EXPECT_NE(settings.error().message.find("milvus.yaml:3"), std::string::npos)
      << settings.error().message;
}

}  // namespace
}  // namespace mu::observe
