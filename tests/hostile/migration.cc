// SPDX-License-Identifier: Apache-2.0
// mu_hostile_migration -config=FILE: stands in the place of Milvus's meta-migration tool, by its
// contract, and does what MU_HOSTILE names: it works, or goes wrong in a way that the real tool or
// an image of someone's was seen to go or could (ground.md 4). For tests alone; static, so that it
// runs in an image with nothing else in it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/etcd_gateway.h"
#include "cli/drop_in.h"
#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/meta/convert.h"
#include "milvus_upgrade/meta/scope.h"

namespace {

constexpr const char* kRed = "\x1b[31m";
constexpr const char* kPlain = "\x1b[0m";
constexpr std::size_t kBatch = 64;
constexpr std::int64_t kLockSeconds = 60;
// In the container's own files: a second start of the same container finds it.
constexpr const char* kRanBefore = "/milvus/ran-before";

[[noreturn]] void Die(const mu::Error& error) {
  fmt::print(stderr, "hostile: {}\n", error.Text());
  std::_Exit(99);  // none of the faults: a test that sees it is itself broken
}
template <class T>
T Must(mu::Result<T> result) {
  if (!result) Die(result.error());
  return *std::move(result);
}

void Say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

class Tool {
 public:
  explicit Tool(std::vector<std::string> words) : words_(std::move(words)) {
    std::string path;
    for (const std::string& word : words_)
      if (const auto at = word.find("config="); at != std::string::npos) path = word.substr(at + 7);
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    yaml_ = Must(mu::config::ParseMigrateYaml(text.str(), path));
    scope_ = {yaml_.root_path, yaml_.meta_path};
    mu::adapters::GatewayOptions options;
    options.endpoints = yaml_.endpoints;
    etcd_ = Must(mu::adapters::MakeEtcdGateway(options));
  }

  int Work() { return mu::cli::RunDropIn(words_); }

  // Everything of the scope without a lease.
  std::vector<mu::model::KeyValue> Keys() {
    auto page = Must(
        etcd_->GetPage({scope_.Prefix(), mu::model::EndOfPrefix(scope_.Prefix()), 0, 0, false}));
    std::erase_if(page.kvs, [&](const auto& kv) {
      return kv.lease != 0 || kv.key.starts_with(scope_.Sessions());
    });
    return std::move(page.kvs);
  }
  void Delete(std::span<const mu::model::KeyValue> keys, std::size_t step) {
    std::vector<mu::ports::Write> writes;
    for (std::size_t i = 0; i < keys.size(); i += step)
      writes.push_back({mu::ports::Write::Kind::kDelete, keys[i].key, "", 0});
    Write(writes);
  }
  void DeleteHalf() { Delete(Keys(), 2); }
  void Write(std::span<const mu::ports::Write> writes) {
    for (std::size_t from = 0; from < writes.size(); from += kBatch) {
      const auto part = writes.subspan(from, std::min(kBatch, writes.size() - from));
      Must(etcd_->Commit({{}, {part.begin(), part.end()}}));
    }
  }
  void Backup() {
    std::vector<mu::backup::Entry> entries;
    for (const auto& kv : Keys()) entries.push_back({kv.key, kv.value});
    mu::backup::Header header{scope_.root, scope_.meta, static_cast<std::int64_t>(entries.size())};
    std::filesystem::create_directories(std::filesystem::path(yaml_.backup_file).parent_path());
    std::ofstream(yaml_.backup_file, std::ios::binary) << mu::backup::Format(header, entries);
    Say("backup to: " + yaml_.backup_file);
  }
  void TakeLock() {
    const auto lease = Must(etcd_->GrantLease(kLockSeconds));
    Write(std::vector<mu::ports::Write>{
        {mu::ports::Write::Kind::kPut, scope_.MigrationLock(), "{\"ServerID\":0}", lease}});
  }
  // As what the tool would add, but below another root.
  void WriteElsewhere() {
    const auto changes = Must(mu::meta::Convert(Keys(), scope_));
    std::vector<mu::ports::Write> writes;
    for (const auto& [key, value] : changes.added)
      writes.push_back(
          {mu::ports::Write::Kind::kPut, "elsewhere" + key.substr(scope_.root.size()), value, 0});
    Write(writes);
  }
  // What was not there before has the right key, the right length and the wrong bytes.
  void Garble(const std::vector<mu::model::KeyValue>& before) {
    std::vector<mu::ports::Write> writes;
    for (const auto& kv : Keys()) {
      if (std::ranges::any_of(before, [&](const auto& old) { return old.key == kv.key; })) continue;
      writes.push_back(
          {mu::ports::Write::Kind::kPut, kv.key, std::string(kv.value.size(), '\xff'), 0});
    }
    Write(writes);
  }

 private:
  std::vector<std::string> words_;
  mu::config::MigrateYaml yaml_;
  mu::meta::Scope scope_;
  std::unique_ptr<mu::ports::EtcdClient> etcd_;
};

[[noreturn]] void RunForEver() {
  for (;;) pause();
}

int Hang(Tool& tool) {
  tool.DeleteHalf();
  Say(fmt::format("{}session up/down, exit migration, rootcoord-7{}", kRed, kPlain));
  RunForEver();
}

int Half(Tool& tool) {
  tool.DeleteHalf();
  return 0;
}

int Nothing(Tool&) {
  Say("version compatible, no need to migrate");
  return 0;
}

int Exit2(Tool& tool) {
  tool.DeleteHalf();
  Say("[ERROR] index build meta not found");
  return 2;
}

int Exit2WithBackup(Tool& tool) {
  tool.Backup();
  return Exit2(tool);
}

int Panic(Tool& tool) {
  tool.Delete(tool.Keys(), 1);
  fmt::print(stderr,
             "panic: runtime error: index out of range [0] with length 0\n\ngoroutine 1 "
             "[running]:\nmain.main()\n\t/go/src/cmd/tools/migration/main.go:21 +0x1d\n");
  return 2;
}

int Deaf(Tool& tool) {
  std::signal(SIGTERM, SIG_IGN);
  tool.DeleteHalf();
  Say("prefix by-dev/meta/root-coord/index will be removed!");
  RunForEver();
}

int Flood(Tool& tool) {
  tool.DeleteHalf();
  const std::string line(999, 'x');
  for (int i = 0; i < 100'000; ++i) fmt::print("{}\n", line);
  Say("the last line of a hundred megabytes");
  return 1;
}

int Silent(Tool& tool) {
  tool.DeleteHalf();
  return 1;
}

int WrongRoot(Tool& tool) {
  tool.WriteElsewhere();
  return 0;
}

int LeaveLock(Tool& tool) {
  tool.TakeLock();
  tool.DeleteHalf();
  Say("[ERROR] etcdserver: request timed out");
  return 1;
}

// Who starts the same container again finds it deleting whatever comes back.
int Twice(Tool& tool) {
  if (!std::filesystem::exists(kRanBefore)) {
    std::ofstream(kRanBefore) << "1";
    tool.DeleteHalf();
    Say("[ERROR] the first start fails");
    return 1;
  }
  for (;;) {
    tool.Delete(tool.Keys(), 3);
    usleep(50'000);
  }
}

int Garbage(Tool& tool) {
  const auto before = tool.Keys();
  if (const int code = tool.Work(); code != 0) return code;
  tool.Garble(before);
  return 0;
}

// Gives whoever wants to come in between the time to.
int Slow(Tool& tool) {
  for (int i = 0; i < 20; ++i) {
    Say("reading the metadata");
    sleep(1);
  }
  return tool.Work();
}

int Work(Tool& tool) { return tool.Work(); }

struct Fault {
  std::string_view name;
  int (*act)(Tool&);
};
constexpr Fault kFaults[] = {
    {"works", Work},
    {"hang", Hang},
    {"half", Half},
    {"nothing", Nothing},
    {"exit2", Exit2},
    {"exit2-backup", Exit2WithBackup},
    {"panic", Panic},
    {"deaf", Deaf},
    {"flood", Flood},
    {"silent", Silent},
    {"wrong-root", WrongRoot},
    {"lock", LeaveLock},
    {"twice", Twice},
    {"garbage", Garbage},
    {"slow", Slow},
};

}  // namespace

int main(int argc, char** argv) {
  const char* name = std::getenv("MU_HOSTILE");
  const auto* fault = std::ranges::find(kFaults, name == nullptr ? "works" : name, &Fault::name);
  if (fault == std::end(kFaults)) {
    fmt::print(stderr, "hostile: MU_HOSTILE={} is not known; there are:", name);
    for (const Fault& each : kFaults) fmt::print(stderr, " {}", each.name);
    fmt::print(stderr, "\n");
    return 99;
  }
  Tool tool({argv + 1, argv + argc});
  return fault->act(tool);
}
