// SPDX-License-Identifier: Apache-2.0
// mu_fill_etcd ENDPOINT KEYS: writes the metadata of a Milvus 2.1 of realistic shape, a little more
// than KEYS keys, under by-dev/meta/ and prints how many keys and bytes it was. The same KEYS, the
// same metadata.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "adapters/etcd_gateway.h"
#include "unit/meta/random_metadata.h"

namespace {

constexpr std::uint64_t kSeed = 21;
constexpr std::size_t kWrites = 128;

int Fill(const std::string& endpoint, std::size_t keys) {
  mu::adapters::GatewayOptions options;
  options.endpoints = {endpoint};
  const auto etcd = mu::adapters::MakeEtcdGateway(options);
  if (!etcd) {
    fmt::print(stderr, "{}\n", etcd.error().Text());
    return 1;
  }
  std::size_t count = 0;
  std::size_t bytes = 0;
  mu::ports::Transaction batch;
  const auto commit = [&]() -> mu::Status {
    MU_TRY(const auto result, (*etcd)->Commit(batch));
    (void)result;
    batch.writes.clear();
    return {};
  };
  const auto metadata = mu::meta::RandomMetadata(kSeed, keys);
  for (const auto& kv : metadata) {
    batch.writes.push_back({mu::ports::Write::Kind::kPut, kv.key, kv.value, 0});
    bytes += kv.key.size() + kv.value.size();
    const bool is_last = ++count == metadata.size();
    if (batch.writes.size() < kWrites && !is_last) continue;
    if (const auto done = commit(); !done) {
      fmt::print(stderr, "{}\n", done.error().Text());
      return 1;
    }
  }
  fmt::print("{} {}\n", count, bytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return Fill(argv[1], std::strtoul(argv[2], nullptr, 10));
  fmt::print(stderr, "usage: mu_fill_etcd ENDPOINT KEYS\n");
  return 2;
}
