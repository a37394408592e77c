// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/image_ref.h"

#include <gtest/gtest.h>

#include <string>

namespace mu::model {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ImageRef, TakesAReferenceApart) {
  EXPECT_EQ(ParseImageRef("milvusdb/milvus:v2.2.16").value(),
            (ImageRef{"milvusdb/milvus", "v2.2.16", ""}));
  EXPECT_EQ(ParseImageRef("harbor.local:5000/milvusdb/milvus").value(),
            (ImageRef{"harbor.local:5000/milvusdb/milvus", "", ""}));
  EXPECT_EQ(ParseImageRef("localhost:5000/milvusdb/milvus:v2.3.5@" + kDigest).value(),
            (ImageRef{"localhost:5000/milvusdb/milvus", "v2.3.5", kDigest}));
  EXPECT_EQ(ParseImageRef("milvusdb/milvus@" + kDigest).value(),
            (ImageRef{"milvusdb/milvus", "", kDigest}));
  EXPECT_EQ(ParseImageRef("redis").value(), (ImageRef{"redis", "", ""}));
}

TEST(ImageRef, TextReadsBack) {
  for (const std::string& text :
       {std::string("milvusdb/milvus:v2.2.16"), "h.io:5000/a/b_c:1@" + kDigest, "a@" + kDigest,
        std::string("ground.local/milvusdb/milvus:vbad-crash")}) {
    EXPECT_EQ(ParseImageRef(text).value().Text(), text);
  }
}

TEST(ImageRef, RefusesWhatIsNoReference) {
  for (const std::string& text :
       {std::string(), std::string(":v2.2.16"), std::string("milvusdb/milvus:"),
        std::string("milvusdb/milvus@"), std::string("milvusdb/milvus@sha256:12"),
        std::string("milvusdb//milvus"), std::string("/milvus"), std::string("milvusdb/Milvus:v1"),
        std::string("milvusdb/milvus:v2 .2"), std::string("milvusdb/milvus:-x"),
        std::string("milvusdb/milvus:${MILVUS_TAG}"), std::string("a:b:c"),
        std::string("host:port/milvus:v1"), "milvusdb/milvus:" + std::string(129, '1'),
        std::string(300, 'a'), std::string("milvus\xff")}) {
    const auto image = ParseImageRef(text);
    ASSERT_FALSE(image) << text;
    EXPECT_EQ(image.error().code, ErrorCode::kInvalidInput) << text;
  }
  EXPECT_NE(ParseImageRef("m:${TAG}").error().message.find("variable"), std::string::npos);
}

TEST(ImageRef, ANewTagDropsTheDigest) {
  const ImageRef old = ParseImageRef("h.io/milvusdb/milvus:v2.2.16@" + kDigest).value();
  EXPECT_EQ(old.WithTag("v2.3.5").Text(), "h.io/milvusdb/milvus:v2.3.5");
}

TEST(IsMilvusServer, KnowsTheServerUnderAnyRegistry) {
  for (const std::string text :
       {"milvusdb/milvus:v2.2.16", "docker.io/milvusdb/milvus:v2.2.16",
        "docker.m.daocloud.io/milvusdb/milvus:v2.2.16", "harbor.milvus.io/milvus/milvus:v2.2.16",
        "ground.local/milvusdb/milvus:v2.2.16", "localhost:5000/mirror/milvusdb/milvus"}) {
    EXPECT_TRUE(IsMilvusServer(ParseImageRef(text).value())) << text;
  }
}

TEST(IsMilvusServer, LeavesEverythingElseAlone) {
  for (const std::string text :
       {"milvusdb/meta-migration:v2.2.0", "milvusdb/woodpecker:latest", "zilliz/attu:v2.2.8",
        "quay.io/coreos/etcd:v3.5.5", "minio/minio", "apachepulsar/pulsar:2.8.2", "bitnami/milvus",
        "milvusdb/milvus-operator:v1", "notmilvusdb/milvus:v2.2.16", "milvus"}) {
    EXPECT_FALSE(IsMilvusServer(ParseImageRef(text).value())) << text;
  }
}

}  // namespace
}  // namespace mu::model
