// SPDX-License-Identifier: Apache-2.0
#include "migrate/writer.h"

#include <fmt/format.h>

#include <utility>

#include "migrate/scope_reader.h"

namespace mu::migrate {
namespace {

constexpr int kRefusals = 5;

std::size_t BytesOf(const Edit& edit) {
  // The key stands in the comparison and in the write; the rest of both messages is small.
  return 2 * edit.key.size() + (edit.value ? edit.value->size() : 0) + 64;
}

}  // namespace

Writer::Writer(ports::EtcdClient& etcd, Lock& lock, Patience& patience,
               ports::Interrupts& interrupts, Listener& listener, const meta::Scope& scope,
               bool* has_written)
    : etcd_(etcd),
      lock_(lock),
      patience_(patience),
      interrupts_(interrupts),
      listener_(listener),
      scope_(scope),
      has_written_(has_written) {}

ports::Transaction Writer::TransactionOf(const std::vector<Edit>& batch) const {
  using Field = ports::Compare::Field;
  ports::Transaction transaction;
  transaction.compares.push_back(lock_.Held());
  if (etcd_.ComparesRanges()) {
    // No key in session/ but the counter and our lock: three ranges between them. An empty range
    // has version 0, and a key that exists never has.
    const std::string ends[] = {scope_.Sessions(), scope_.SessionCounter(), scope_.MigrationLock(),
                                model::EndOfPrefix(scope_.Sessions())};
    for (std::size_t i = 0; i + 1 < std::size(ends); ++i) {
      const std::string start = i == 0 ? ends[i] : ends[i] + '\0';
      transaction.compares.push_back({start, ends[i + 1], Field::kVersion, 0, ""});
    }
  }
  for (const Edit& edit : batch) {
    if (edit.seen)
      transaction.compares.push_back({edit.key, "", Field::kModRevision, *edit.seen, ""});
    transaction.writes.push_back(
        edit.value ? ports::Write{ports::Write::Kind::kPut, edit.key, *edit.value, 0}
                   : ports::Write{ports::Write::Kind::kDelete, edit.key, "", 0});
  }
  return transaction;
}

Result<std::vector<Edit>> Writer::Left(std::vector<Edit> batch) {
  std::vector<Edit> left;
  for (Edit& edit : batch) {
    const ports::PageQuery query{edit.key, "", 0, 0, false};
    MU_TRY(const ports::KeyPage page, patience_.Ask([&] { return etcd_.GetPage(query); }));
    const bool is_there = !page.kvs.empty();
    const bool is_done = edit.value ? is_there && page.kvs.front().value == *edit.value &&
                                          page.kvs.front().lease == 0
                                    : !is_there;
    if (is_done) continue;
    const std::int64_t now = is_there ? page.kvs.front().mod_revision : 0;
    if (edit.seen && now != *edit.seen) {
      return Fail(ErrorCode::kMigrationLost,
                  fmt::format("{} was changed by someone else at etcd's revision {}", edit.key,
                              is_there ? now : page.revision));
    }
    left.push_back(std::move(edit));
  }
  return left;
}

Status Writer::WriteBatch(std::vector<Edit> batch) {
  for (int refusals = 0; !batch.empty();) {
    MU_CHECK(lock_.Keep());
    if (!etcd_.ComparesRanges() || refusals > 0) {
      MU_TRY(const auto live, LiveSessions(etcd_, patience_, scope_));
      if (!live.empty())
        return Fail(ErrorCode::kMigrationLost,
                    fmt::format("a Milvus process started meanwhile: {}", live.front().key));
    }
    const auto answer = etcd_.Commit(TransactionOf(batch));
    if (answer && answer->is_committed) {
      *has_written_ = true;
      patience_.Answered();
      return {};
    }
    // etcd's own no is sure. Anything else, be it of a proxy in between, says nothing of what was
    // done.
    const bool is_refused = !answer && (answer.error().code == ErrorCode::kEtcdFailed ||
                                        answer.error().code == ErrorCode::kEtcdNoSpace);
    if (is_refused) return Fail(answer.error());
    if (!answer) {
      *has_written_ = true;
      MU_CHECK(patience_.WaitAfter(answer.error()));
    } else if (++refusals > kRefusals) {
      return Fail(ErrorCode::kMigrationLost,
                  "etcd refused a transaction again and again though nothing that it compares has "
                  "changed");
    } else {
      MU_CHECK(lock_.Check());
    }
    MU_TRY(batch, Left(std::move(batch)));
  }
  return {};
}

Status Writer::Write(std::vector<Edit> edits, const std::string& what) {
  const std::size_t total = edits.size();
  for (std::size_t done = 0; done < total;) {
    listener_.Progress(what, done, total);
    if (interrupts_.Pending() != ports::Interrupt::kNone)
      return Fail(ErrorCode::kInterrupted, "stopped by a signal between two transactions",
                  std::string(kAgain));
    std::vector<Edit> batch;
    for (std::size_t bytes = 0; done < total && batch.size() < kMaxEdits; ++done) {
      bytes += BytesOf(edits[done]);
      if (bytes > kMaxBytes && !batch.empty()) break;
      batch.push_back(std::move(edits[done]));
    }
    MU_CHECK(WriteBatch(std::move(batch)));
  }
  listener_.Progress(what, total, total);
  return {};
}

}  // namespace mu::migrate
