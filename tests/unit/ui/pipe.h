// SPDX-License-Identifier: Apache-2.0
// A real pipe or pseudo-terminal to write to, read back as text. For tests of what is really
// written, since a terminal decides by its descriptor.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <string>

namespace mu::ui {

class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    from_ = ends[0];
    to_ = ends[1];
    fcntl(from_, F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    CloseReader();
    close(to_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int In() const { return to_; }
  void CloseReader() {
    if (from_ >= 0) close(from_);
    from_ = -1;
  }
  std::string Text() {  // what was written since the last call
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(from_, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }

 private:
  int from_ = -1;
  int to_ = -1;
};

class Pty {
 public:
  explicit Pty(unsigned short columns) {
    winsize size{24, columns, 0, 0};
    if (openpty(&master_, &terminal_, nullptr, nullptr, &size) != 0) abort();
    fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  ~Pty() {
    close(terminal_);
    close(master_);
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  int Terminal() const { return terminal_; }
  void Type(const std::string& text) {
    if (write(master_, text.data(), text.size()) < 0) abort();
  }
  std::string Text() {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(master_, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }

 private:
  int master_ = -1;
  int terminal_ = -1;
};

}  // namespace mu::ui
