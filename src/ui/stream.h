// SPDX-License-Identifier: Apache-2.0
// Stream: one file descriptor that text goes to, whole pieces at a time, from any thread. It also
// holds the one live line of a terminal, which is cleared before other text and drawn again after
// it. Failures are remembered, never raised: output must not end an upgrade.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace mu::ui {

class Stream {
 public:
  explicit Stream(int fd) : fd_(fd) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int Fd() const { return fd_; }
  bool IsTty() const;
  int Columns() const;  // of the terminal, 0 when unknown
  void Write(std::string_view text);
  void SetLive(std::string_view line);  // without newline, already cut to the width; "" removes it
  std::string Lost() const;

 private:
  void Put(std::string_view text);  // REQUIRES: mutex_ held

  int fd_;
  mutable std::mutex mutex_;
  std::string live_;
  int error_ = 0;
};

}  // namespace mu::ui
