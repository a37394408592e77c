// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcd_json.h"

#include <gtest/gtest.h>

namespace mu::adapters {
namespace {

Result<ports::KeyPage> PageOf(std::string_view text, const ports::PageQuery& query = {}) {
  MU_TRY(const json::value parsed, ParseEtcdJson(text));
  return KeyPageOf(parsed, query);
}

TEST(EtcdJson, ReadsAPageToTheLastDigit) {
  const auto page = PageOf(
      R"({"header":{"revision":"9007199254740993"},"kvs":[{"key":"YQ==","create_revision":"2",)"
      R"("mod_revision":"9007199254740993","version":"1","value":"AP8=",)"
      R"("lease":"7587887000000000001"},{"key":"Yg==","mod_revision":"3"}],"more":true})");
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->revision, 9007199254740993);
  EXPECT_TRUE(page->has_more);
  ASSERT_EQ(page->kvs.size(), 2U);
  EXPECT_EQ(page->kvs[0].value, std::string("\0\xff", 2));
  EXPECT_EQ(page->kvs[0].mod_revision, 9007199254740993);
  EXPECT_EQ(page->kvs[0].lease, 7587887000000000001);
  EXPECT_EQ(page->kvs[1].value, "");
}

TEST(EtcdJson, RefusesWhatIsNoPage) {
  EXPECT_FALSE(PageOf(""));
  EXPECT_FALSE(PageOf("{"));
  EXPECT_FALSE(PageOf("<html>"));
  EXPECT_FALSE(PageOf("{}")) << "no revision";
  EXPECT_FALSE(PageOf(R"({"header":{"revision":"2"},"kvs":[{"key":"a b"}]})"));
  EXPECT_FALSE(PageOf(R"({"header":{"revision":"2"},"kvs":[{"key":7}]})"));
  EXPECT_FALSE(PageOf(R"({"header":{"revision":"2"},"kvs":[7]})"));
}

TEST(EtcdJson, TakesTheFirstAnswerOfAStream) {
  const auto first = ParseEtcdJson("{\"result\":{\"TTL\":\"9\"}}\n{\"result\":{\"TTL\":\"8\"}}\n");
  ASSERT_TRUE(first) << first.error().Text();
  EXPECT_EQ(JsonInteger(*first, {"result", "TTL"}), 9);
}

TEST(EtcdJson, KnowsWhatARefusalMeans) {
  const auto code = [](int grpc, const std::string& words) {
    return EtcdRefusal("e", "", grpc, words).code;
  };
  EXPECT_EQ(code(11, "etcdserver: mvcc: required revision has been compacted"),
            ErrorCode::kEtcdCompacted);
  EXPECT_EQ(code(8, "etcdserver: mvcc: database space exceeded"), ErrorCode::kEtcdNoSpace);
  EXPECT_EQ(code(14, "etcdserver: leader changed"), ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(code(0, "etcdserver: request timed out"), ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(code(3, "etcdserver: duplicate key given in txn request"), ErrorCode::kEtcdFailed);
  const Error too_large = EtcdRefusal("e", "", 3, "etcdserver: request is too large");
  EXPECT_NE(too_large.message.find("1.5 MiB"), std::string::npos) << too_large.message;
  const Error too_many = EtcdRefusal("e", "", 3, "etcdserver: too many operations in txn request");
  EXPECT_NE(too_many.message.find("128"), std::string::npos) << too_many.message;
}

}  // namespace
}  // namespace mu::adapters
