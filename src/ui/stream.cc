// SPDX-License-Identifier: Apache-2.0
#include "ui/stream.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mu::ui {

bool Stream::IsTty() const { return isatty(fd_) == 1; }

int Stream::Columns() const {
  winsize size{};
  return ioctl(fd_, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void Stream::Write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (live_.empty()) {
    Put(text);
    return;
  }
  // One piece, so that a terminal never shows the state in between.
  std::string piece = "\r\x1b[K";
  piece += text;
  if (text.ends_with('\n')) piece += live_;
  Put(piece);
}

void Stream::SetLive(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (line == live_) return;
  live_ = line;
  Put("\r\x1b[K" + live_);
}

std::string Stream::Lost() const {
  const std::lock_guard lock(mutex_);
  return error_ == 0 || error_ == EPIPE ? std::string() : std::string(std::strerror(error_));
}

void Stream::Put(std::string_view text) {
  while (!text.empty() && error_ == 0) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // A parent made the descriptor non-blocking. A reader that does not read for this long is
      // treated as one that went away.
      pollfd waiting{fd_, POLLOUT, 0};
      if (poll(&waiting, 1, 5'000) == 0) error_ = EPIPE;
    } else if (written < 0 && errno != EINTR) {
      error_ = errno;
    }
  }
}

}  // namespace mu::ui
