// SPDX-License-Identifier: Apache-2.0
// The executable that the package lacks: its server is a shared library with one entry, which returns when the server
// has stopped. Linked against it, so that its thread-local data, too much for dlopen, is placed at the start.
void startEmbedded(void);

int main(void) {
  startEmbedded();
  return 0;
}
